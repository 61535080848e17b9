# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any resource by the server's own schema."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible.module_utils.basic import AnsibleModule
from ansible_collections.pexip.infinity.plugins.modules import pexip_resource
from ansible_collections.pexip.infinity.tests.unit.support import PASSWORD, Fault, Memory, Reply, run_module, run_on

SECRET = "hunter-Secret#2"


def field(kind="string", **facts):
    """A field as a schema has it."""
    return {"type": kind, "nullable": False, "readonly": False, "default": "No default provided.", **facts}


BASE = {"id": field("integer"), "resource_uri": field(readonly=True), "name": field(), "description": field(default="")}
REFERENCE = {"related_type": "to_one", "related_schema": "/api/admin/configuration/v1/system_location/schema/"}
SCHEMAS = {
    "sip_proxy": {
        "fields": {
            **BASE,
            "port": field("integer", default=5060),
            "password": field(default=""),
            "system_location": field("related", nullable=True, **REFERENCE),
            "created": field(readonly=True),
        },
        "filtering": {"id": 1, "name": ["exact", "iexact"], "system_location": 2, "description": ["iexact"]},
    },
    "global": {
        "fields": {"id": field("integer"), "mtu": field("integer", default=5), "aws_secret_key": field(nullable=True)},
        "allowed_list_http_methods": ["get"],
        "allowed_detail_http_methods": ["get", "patch"],
    },
    "system_location": {"fields": BASE},
}


@pytest.fixture
def memory():
    made = Memory(
        {"sip_proxy": [], "global": [{"mtu": 5}], "system_location": [{"name": "London"}, {"name": "Oslo"}]},
        schemas=SCHEMAS,
        hidden=("password", "aws_secret_key"),
        defaults={"sip_proxy": {"port": 5060, "description": "", "system_location": None}},
    )
    made.add(
        "sip_proxy",
        {"id": 50, "name": "edge", "port": 5060, "description": "d", "password": "x", "system_location": None},
    )
    return made


@pytest.fixture
def api(serve, memory):
    return serve(memory)


def run(api, resource="sip_proxy", **options):
    return run_on(api, pexip_resource, resource=resource, **options)


EDGE = {"name": "edge"}
URI = "/api/admin/configuration/v1/sip_proxy/50/"


@pytest.mark.parametrize(
    ("options", "write", "body"),
    [
        ({"identity": EDGE, "settings": {"port": "5060", "description": "d"}}, None, None),
        ({"identity": EDGE, "settings": {}}, None, None),
        ({"identity": {"id": "50"}, "settings": {"port": 5061}}, "PATCH sip_proxy/50/", {"port": 5061}),
        ({"identity": EDGE, "settings": {"system_location": "London"}}, "PATCH sip_proxy/50/", "London"),
        (
            {"identity": EDGE, "settings": {"system_location": None, "description": ""}},
            "PATCH sip_proxy/50/",
            {"description": ""},
        ),
        ({"identity": EDGE, "settings": {"password": SECRET}}, None, None),
        (
            {"identity": EDGE, "settings": {"password": SECRET}, "update_secrets": "always"},
            "PATCH sip_proxy/50/",
            {"password": SECRET},
        ),
        ({"identity": EDGE, "state": "absent"}, "DELETE sip_proxy/50/", None),
        ({"identity": {"name": "new"}, "state": "absent"}, None, None),
        ({"identity": {"name": "new"}, "settings": {"port": 1}}, "POST sip_proxy/", {"name": "new", "port": 1}),
        # The platform filters by neither of them.
        ({"identity": {"resource_uri": URI}, "settings": {"port": 5061}}, "PATCH sip_proxy/50/", {"port": 5061}),
        ({"identity": {"port": 5060}, "settings": {"description": "x"}}, "PATCH sip_proxy/50/", {"description": "x"}),
        ({"resource": "global", "settings": {"mtu": 6}}, "PATCH global/1/", {"mtu": 6}),
        ({"resource": "global", "settings": {"mtu": 5}}, None, None),
    ],
)
def test_it_brings_an_object_to_its_state_and_foretells_the_same(api, memory, options, write, body):
    foretold = run(api, check=True, diff=True, **options)
    assert (foretold["changed"], api.writes) == (write is not None, [])
    done = run(api, diff=True, **options)
    assert (done["changed"], api.writes) == (write is not None, [write] if write else [])
    assert done.get("diff") == foretold.get("diff")
    written = [request for request in api.requests if request.method in ("POST", "PATCH")]
    if body == "London":
        assert done["resource"]["system_location"] == "London"
    elif body:
        assert written[-1].json == body
    if options.get("update_secrets") != "always":
        assert not run(api, **options)["changed"]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"resource": "sip_proxi", "identity": EDGE}, "Existing: 'sip_proxy'"),
        ({"resource": "../global", "identity": EDGE}, "not the name of an API resource"),
        ({"identity": EDGE, "settings": {"prot": 1}}, "'prot' is not a field of sip_proxy. Existing: 'port'"),
        ({"identity": {"nmae": "x"}}, "identity: 'nmae' is not a field"),
        ({"identity": EDGE, "settings": {"created": "x"}}, "created is read-only"),
        ({"identity": EDGE, "settings": {"port": "x"}}, "port: 'x' is not of type int"),
        ({"identity": EDGE, "settings": {"name": "other"}}, "name: given in identity and in settings"),
        ({"identity": {"name": ""}}, "name has no value"),
        ({"identity": {"name": None}, "state": "absent"}, "name has no value"),
        ({"identity": {"password": SECRET}}, "password is never given back"),
        (
            {"identity": {"id": 77}, "settings": {"port": 1}},
            "identity: there is no sip_proxy 77, and the platform itself",
        ),
        (
            {"identity": {"resource_uri": "../"}, "state": "absent"},
            "resource_uri '../' is not the URI of one sip_proxy",
        ),
        ({"identity": {"resource_uri": "/api/admin/configuration/v1/global/1/"}}, "is not the URI of one sip_proxy"),
        ({"state": "absent"}, "a whole list is never deleted"),
        ({"settings": {"port": 1}}, "sip_proxy is no single object"),
        ({"resource": "global", "identity": {"id": 1}, "state": "absent"}, "cannot be deleted"),
        ({"resource": "global", "identity": {"mtu": 7}, "settings": {}}, "cannot be created"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(api, memory, options, words, check):
    result = run(api, check=check, **options)
    assert result["failed"]
    assert words in result["msg"]
    assert api.writes == []
    assert SECRET not in result["stdout"]


CERTIFICATE = {
    "fields": {
        "id": field("integer"),
        "resource_uri": field(readonly=True),
        "certificate": field(),
        "subject_name": field(readonly=True),
    }
}


def test_an_identity_that_follows_from_the_settings_is_not_sent_and_has_to_come_true(serve):
    subject = {"tls_certificate": {"subject_name": "manager"}}
    memory = Memory({"tls_certificate": []}, schemas={"tls_certificate": CERTIFICATE}, defaults=subject)
    api = serve(memory)
    options = {"resource": "tls_certificate", "settings": {"certificate": "PEM"}}
    assert run(api, check=True, identity={"subject_name": "manager"}, **options)["changed"]
    assert run(api, identity={"subject_name": "manager"}, **options)["resource"]["id"] == 1
    assert api.requests[-2].json == {"certificate": "PEM"}
    assert not run(api, identity={"subject_name": "manager"}, **options)["changed"]
    result = run(api, identity={"subject_name": "other"}, **options)
    assert result["failed"]
    assert "'other' was created, yet its subject_name is 'manager'" in result["msg"]


def test_a_missing_reference_lists_what_exists_or_warns_in_check_mode(api):
    options = {"identity": EDGE, "settings": {"system_location": "Lndon"}}
    assert (
        "sip_proxy 'edge': system_location: there is no system_location 'Lndon'. Existing: 'London', 'Oslo'."
        in run(api, **options)["msg"]
    )
    result = run(api, check=True, **options)
    assert result["resource"]["system_location"] == "Lndon"
    assert "Lndon" in str(result["warnings"])


SETTINGS = {"port": 5061, "password": SECRET, "description": "true"}


@pytest.mark.parametrize(
    "options", [{}, {"check": True}, {"resource": "nothing"}, {"state": "wrong"}, {"update_secrets": "always"}]
)
def test_secrets_in_settings_are_masked_and_the_others_are_not(api, monkeypatch, options):
    logged = []
    monkeypatch.setattr(AnsibleModule, "log", lambda self, msg, log_args=None: logged.append(f"{msg} {log_args}"))
    result = run(api, diff=True, **{"identity": {"name": "new"}, "settings": SETTINGS, **options})
    assert not [secret for secret in (SECRET, PASSWORD) if secret in result["stdout"] + str(logged)]
    if options.get("state") != "wrong":
        assert logged
        shown = {"port": 5061, "password": "********", "description": "true"}
        assert result["invocation"]["module_args"]["settings"] == shown
        assert result["invocation"]["module_args"]["identity"] == {"name": "new"}
    if not result.get("failed"):
        assert result["changed"] is True
        assert (result["resource"]["port"], result["resource"]["description"]) == (5061, "true")
        assert result["diff"]["after"]["password"] == "********"
        assert "password" not in result["resource"]


def test_without_a_platform_check_mode_foretells_a_creation():
    options = {"resource": "sip_proxy", "identity": {"name": "new"}, "settings": {**SETTINGS, "secret_number": 4711}}
    result = run_module(pexip_resource, check=True, diff=True, host="", **options)
    assert (result["changed"], result["resource"]["port"], result["resource"]["id"]) == (True, 5061, None)
    assert result["diff"]["after"]["password"] == "********"
    assert SECRET not in result["stdout"]
    assert "4711" not in result["stdout"]
    absent = run_module(pexip_resource, check=True, host="", resource="sip_proxy", identity=EDGE, state="absent")
    assert not absent["changed"]


LICENCES = {"entitlement_id": field(unique=True), "fulfillment_id": field(readonly=True), "resource_uri": field()}
GOOD, BAD = "ABCD-1111 2222-EFGH", "WXYZ-3333 4444-STUV"


def test_a_key_that_the_platform_keeps_otherwise_is_not_shown_either(serve):
    memory = Memory({"licence": []}, schemas={"licence": {"fields": LICENCES}}, unique="entitlement_id")

    def answer(request):
        reply = memory(request)
        for item in memory.of("licence"):
            item["entitlement_id"] = "another-" + SECRET
        return reply

    result = run(serve(answer), resource="licence", identity={"entitlement_id": "ABCD"})
    assert "was created, yet its entitlement_id is" in result["msg"]
    assert SECRET not in result["stdout"]


def test_a_refused_licence_is_told_without_any_key(serve, tmp_path):
    """As the role infinity_platform activates licences, at the highest verbosity."""
    memory = Memory({"licence": []}, schemas={"licence": {"fields": LICENCES}}, unique="entitlement_id")
    api = serve(memory)
    refusal = {"licence": {"entitlement_id": [f"The entitlement {BAD.replace(' ', '')} has expired."]}}
    play = [
        {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "roles": ["pexip.infinity.infinity_platform"],
        }
    ]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path),
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
        "ANSIBLE_NOCOLOR": "1",
        "PEXIP_HOST": "127.0.0.1",
        "PEXIP_PORT": str(api.port),
        "PEXIP_PASSWORD": PASSWORD,
        "PEXIP_TLS_FINGERPRINT": api.fingerprint,
    }

    def activate(*licences):
        (tmp_path / "vars.json").write_text(json.dumps({"pexip_licences": licences}))
        command = [Path(sys.executable).with_name("ansible-playbook"), "-vvvv", "--diff", "-e@vars.json", "play.yml"]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
        )

    done = activate(GOOD)
    assert done.returncode == 0, done.stdout + done.stderr
    api.faults = [Fault(Reply(400, refusal), "POST")]
    refused = activate(GOOD, BAD)
    assert refused.returncode != 0
    # In the task's own result; not every version of Ansible tells errors elsewhere.
    assert "censored" not in refused.stdout
    assert "entitlement_id: The entitlement ******** has expired. (400)" in refused.stdout
    assert "(item=licence 2 of 2)" in refused.stdout
    assert [item["entitlement_id"] for item in memory.of("licence")] == [GOOD.replace(" ", "")]
    output = "".join([done.stdout, done.stderr, refused.stdout, refused.stderr, (tmp_path / "log").read_text()])
    assert not [part for key in (GOOD, BAD, PASSWORD) for part in key.split() if part in output]
