# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No module shows a secret that it is given or handed back, whether it succeeds or fails: not in what it prints at the
highest verbosity with ``--diff``, nor in what it writes to the system's log.
"""

from __future__ import annotations

import functools
import stat
import types
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.pexip.infinity.plugins.module_utils.masking import is_secret
from ansible_collections.pexip.infinity.plugins.modules import (
    pexip_bursting_info,
    pexip_cloud_node,
    pexip_global_settings,
    pexip_installation,
    pexip_location,
    pexip_node,
    pexip_node_info,
    pexip_node_maintenance,
    pexip_resource,
    pexip_resource_info,
)
from ansible_collections.pexip.infinity.tests.resilience.leaks import Search
from ansible_collections.pexip.infinity.tests.resilience.scenarios import CONFIGURATION
from ansible_collections.pexip.infinity.tests.unit.support import Reply, Request, Server, free_port, run_module
from pexip_lab.client import Lab
from pexip_lab.facts import load

KIND = "secrets sought after a module"
DOCUMENT = "<conferencing_node_config"
GIVEN_OUT = "-----BEGIN"  # the private key in the answer to an OAuth2 client's creation


@functools.cache
def planted(*names: str) -> str:
    """The secret that is planted in a place. Ten digits, which even a PIN may be."""
    return f"{zlib.crc32(' '.join(names).encode()):010d}"


@pytest.fixture(scope="module")
def lab(lab_factory) -> Iterator[Lab]:
    """A platform with nodes."""
    with lab_factory(seed="nodes") as lab:
        yield lab


@dataclass
class Seen:
    """What a module returned, and all that was to be seen of it."""

    result: dict[str, Any]
    text: str

    def leaks(self, **secrets: str) -> list[str]:
        """Secrets, among them those that a platform gives out, that were to be seen."""
        return Search({**secrets, "document": DOCUMENT, "key": GIVEN_OUT}).text(self.text.encode(), "output or log")


def run(module: Any, check: bool = False, **options: Any) -> Seen:
    """Runs a module as with ``-vvvv --diff``, on a machine with a journal."""
    logged: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        journal = types.SimpleNamespace(send=lambda **fields: logged.append(str(fields)))
        patch.setattr(basic, "has_journal", True)
        patch.setattr(basic, "journal", journal, raising=False)
        result = run_module(module, check=check, diff=True, **options)
    assert logged or "Unsupported parameters" in result["msg"]  # the invocation is
    return Seen(result, "\n".join([result["stdout"], *logged]))


def on(lab: Lab, module: Any, check: bool = False, **options: Any) -> Seen:
    """Runs a module against the platform."""
    env = lab.env
    place = {
        "host": env["PEXIP_HOST"],
        "port": int(env["PEXIP_PORT"]),
        "password": env["PEXIP_PASSWORD"],
        "tls_fingerprint": env["PEXIP_TLS_FINGERPRINT"],
    }
    return run(module, check, **{**place, **options})


def of_node(lab: Lab) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A new node."""
    network = ".".join(lab.env["LAB_NETWORK"].split(".")[:2])
    plain = {
        "name": "conf77",
        "hostname": "conf77",
        "domain": "example.com",
        "address": f"{network}.0.77",
        "subnet": f"{network}.0.0/20",
        "system_location": "London",
        "snmp_mode": "AUTHPRIV",
        "snmp_username": "planted",
    }
    return plain, ("node_password", "snmp_authentication_password", "snmp_privacy_password", "snmp_community")


def of_global_settings(lab: Lab) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Credentials of every kind."""
    plain = {
        "aws_access_key": "AKIAPLANTED",
        "azure_tenant": "tenant",
        "gcp_client_email": "planted@example.com",
        "legacy_api_username": "planted",
    }
    secret = ("aws_secret_key", "azure_client_id", "azure_secret", "gcp_private_key", "legacy_api_password")
    return plain, secret


def of_installation(lab: Lab) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The installation of the Management Node, which is there already."""
    plain = {"hostname": "manager", "domain": "example.com", "known_hosts": "/dev/null", "ssh_port": free_port()}
    return plain, ("admin_password", "private_key_passphrase")


def of_resource(lab: Lab) -> tuple[dict[str, Any], tuple[str, ...]]:
    """An object of any kind; its secrets are settings."""
    return {"resource": "event_sink", "identity": {"name": "sink"}}, ("password",)


# Every module with its options, and which others take a secret; all take the connection's password.
MODULES: dict[Any, Callable[[Lab], tuple[dict[str, Any], tuple[str, ...]]]] = {
    pexip_node: of_node,
    pexip_global_settings: of_global_settings,
    pexip_installation: of_installation,
    pexip_resource: of_resource,
    pexip_location: lambda lab: ({"name": "Bergen"}, ()),
    pexip_node_maintenance: lambda lab: ({"name": ["conf01"]}, ()),
    pexip_resource_info: lambda lab: ({"resource": "worker_vm"}, ()),
    pexip_node_info: lambda lab: ({}, ()),
    pexip_bursting_info: lambda lab: ({}, ()),
    pexip_cloud_node: lambda lab: ({"all": True}, ()),
}
QUICK = (pexip_node, pexip_global_settings)
READS = (pexip_installation, pexip_resource_info, pexip_node_info, pexip_bursting_info, pexip_cloud_node)


@pytest.fixture(scope="module")
def echo(lab) -> Iterator[Server]:
    """In front of the platform: what is written is refused, and quoted in full, as a careless server would do it."""

    def answer(request: Request) -> Reply:
        if request.method == "GET":
            return Reply(body=lab.api(request.target))
        return Reply(400, {"error": f"cannot take {request.body.decode()} of {request.target}"})

    server = Server(answer)
    yield server
    server.stop()


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(
            module, id=module.__name__.rpartition(".")[2], marks=[pytest.mark.quick] if module in QUICK else []
        )
        for module in MODULES
    ],
)
def test_modules_that_succeed_and_fail(module, lab, echo, tally, tmp_path):
    counted = tally(KIND)
    plain, names = MODULES[module](lab)
    fresh, other = ({name: planted(name, kind) for name in names} for kind in ("fresh", "other"))
    known = {f"{kind} {name}": planted(name, kind) for name in names for kind in ("fresh", "other")}
    known |= {"web password": lab.env["PEXIP_PASSWORD"], "wrong password": planted("wrong")}

    def given(secrets: dict[str, str], **more: Any) -> dict[str, Any]:
        if module is pexip_resource:
            return {**plain, "settings": {"url": "https://sink.example.com/", "username": "planted", **secrets}, **more}
        return {**plain, **secrets, **({"config_path": str(tmp_path)} if module is pexip_node else {}), **more}

    def search(end: str, *, check: bool = False, succeeds: bool | None, **options: Any) -> None:
        with counted.case(f"{module.__name__}, {end}"):
            seen = on(lab, module, check, **options)
            assert seen.leaks(**known) == [], seen.text
            assert succeeds in (None, not seen.result.get("failed")), seen.result.get("msg", seen.result)

    writes = module not in READS
    finds = module is not pexip_cloud_node  # this platform has no overflow nodes
    search("check", check=True, succeeds=finds, **given(fresh))
    lab.requests(reset=True)
    fault = lab.fault_add("status", "api", status=400, write=1)
    search("refused by the platform", succeeds=not writes and finds, **given(fresh))
    lab.fault_clear(fault)
    quoting = {"host": "127.0.0.1", "port": echo.port, "tls_fingerprint": echo.fingerprint}
    search(
        "quoted by the platform",
        succeeds=None if module is pexip_installation else not writes and finds,
        **given(fresh, **quoting),
    )
    search("wrong password", succeeds=False, **given(fresh, password=planted("wrong")))
    search("another certificate", succeeds=False, **given(fresh, tls_fingerprint="0" * 64))
    search("unknown option", succeeds=False, **given(fresh, no_such_option=1))
    search("retired secret", succeeds=False, **given(fresh, pss_token=planted("wrong")))
    if names:
        search("nobody there", succeeds=None, **given(fresh, port=free_port()))
        search("too long", succeeds=None, **given({name: value * 40 for name, value in fresh.items()}))
        search("line breaks", succeeds=None, **given({name: f"{value}\n{value}" for name, value in fresh.items()}))
    search("done", succeeds=finds, **given(fresh))
    search("again", succeeds=finds, **given(fresh))
    always = {"update_secrets": "always"} if names and writes else {}
    search("changed", succeeds=finds, **given(other, **always))
    if module is pexip_node:
        with counted.case("pexip_node: the document"):
            (document,) = tmp_path.iterdir()
            assert DOCUMENT in document.read_text()
            assert stat.S_IMODE(document.stat().st_mode) == 0o600


# What a resource cannot be made without, where a text will not do.
FILLED: dict[str, Any] = {
    "address": "203.0.113.9",
    "api_address": "203.0.113.9",
    "assertion_consumer_service_url": "https://planted.example.com/samlconsumer/1",
    "addin_server_domain": "addin.example.com",
    "client_email": "planted@example.com",
    "from_email_address": "planted@example.com",
    "keytype": "ssh-rsa",
    "ldap_base_dn": "dc=example,dc=com",
    "ldap_server": "ldap.example.com",
    "oauth_token_url": "https://planted.example.com/token",
    "role": 1,
    "room_resource_email": "planted@example.com",
    "url": "https://planted.example.com/",
    "uuid": "00000000-1111-2222-3333-444444444444",
}
_SECRETS = {
    name: [field for field, fact in facts.fields.items() if (fact.secret or is_secret(field)) and not fact.readonly]
    for name, facts in load("configuration").items()
}
SECRETIVE = {name: secrets for name, secrets in _SECRETS.items() if secrets}


def test_secrets_of_every_resource(lab, tally):
    """Made, changed, read and deleted where the platform lets it be, and refused elsewhere: shown nowhere."""
    counted = tally(KIND)
    done: set[str] = set()
    for resource, secrets in SECRETIVE.items():
        facts = load("configuration")[resource]
        named = {
            field: FILLED.get(field, f"planted-{resource}")
            for field, fact in facts.fields.items()
            if fact.required and field not in secrets
        }
        fresh, other = ({field: planted(resource, field, kind) for field in secrets} for kind in ("fresh", "other"))
        known = {
            f"{resource}.{field} {kind}": planted(resource, field, kind)
            for field in secrets
            for kind in ("fresh", "other")
        }
        known |= {"web password": lab.env["PEXIP_PASSWORD"]}
        identity = (
            {name: named.pop(name) for name in ("name", "address") if name in named}
            if "POST" in facts.list_methods
            else {}
        )
        ends = {
            "check": (pexip_resource, True, {"settings": {**named, **fresh}}),
            "made": (pexip_resource, False, {"settings": {**named, **fresh}}),
            "made again": (pexip_resource, False, {"settings": {**named, **fresh}}),
            "changed": (pexip_resource, False, {"settings": {**named, **other}, "update_secrets": "always"}),
            "read": (pexip_resource_info, False, {}),
            "deleted": (pexip_resource, False, {"state": "absent"}),
        }
        for end, (module, check, options) in ends.items():
            with counted.case(f"{resource}, {end}"):
                asked = {"identity": identity} if module is pexip_resource else {}
                seen = on(lab, module, check, resource=resource, **asked, **options)
                assert seen.leaks(**known) == [], seen.text
                if end == "changed" and not seen.result.get("failed"):
                    done.add(resource)
    assert len(done) > len(SECRETIVE) / 2, sorted(set(SECRETIVE) - done)


@pytest.mark.parametrize("kind", ["truncate", "garbage", "slow"])
def test_secrets_in_answers_that_are_broken(kind, lab, tally):
    """What the platform holds and gives back is secret, too, also in half an answer."""
    counted = tally(KIND)
    key, address = planted("ntp key"), {"address": "203.0.113.77"}
    on(lab, pexip_resource, resource="ntp_server", identity=address, settings={"key": key, "key_id": 1})
    client = {"identity": {"client_name": kind}, "settings": {"role": f"{CONFIGURATION}role/1/"}}
    for resource, method, match, module, options in (
        ("ntp_server", "GET", r"ntp_server/\?", pexip_resource_info, {}),
        ("ntp_server", "GET", r"ntp_server/\d", pexip_resource, {"identity": address, "settings": {"key_id": 2}}),
        ("oauth2_client", "POST", "oauth2_client", pexip_resource, client),
    ):
        with counted.case(f"{resource}, {method}, {kind}"):
            seconds = {"seconds": 1} if kind == "slow" else {}
            fault = lab.fault_add(kind, "api", method=method, match=match, **seconds)
            seen = on(lab, module, resource=resource, **options)
            assert [struck["hits"] for struck in lab.faults()] != [0], seen.text
            lab.fault_clear(fault)
            assert seen.leaks(key=key) == [], seen.text
