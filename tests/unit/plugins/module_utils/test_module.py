# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The layer over AnsibleModule, through typed modules: options, masking, check mode, diff, errors."""

from __future__ import annotations

import json

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.module import CONNECTION_OPTIONS
from ansible_collections.pexip.infinity.plugins.modules import pexip_location, pexip_node
from ansible_collections.pexip.infinity.tests.unit.support import (
    PASSWORD,
    Memory,
    Reply,
    free_port,
    run_module,
    run_on,
)

NODE_PASSWORD = "node-Secret#7"
MASK = "********"


@pytest.fixture
def memory():
    """A location whose description holds the word public, and a node of that community."""
    made = Memory({"dns_server": [{"address": "8.8.8.8"}]})
    defaults = {field.name: field.default for field in pexip_location.LOCATION.fields}
    lists = {field.name: [] for field in pexip_location.LOCATION.fields if field.is_list}
    made.add("system_location", {**defaults, **lists, "name": "public", "description": "in the public cloud"})
    node = {field.name: [] if field.is_list else field.default for field in pexip_node.NODE.fields if field.readable}
    location = "/api/admin/configuration/v1/system_location/2/"
    made.add("worker_vm", {**node, "name": "conf01", "system_location": location, "snmp_community": "private"})
    return made


@pytest.fixture
def api(serve, memory):
    return serve(memory)


# Masking


def test_a_community_is_masked_where_it_is_one_and_nowhere_else(api):
    options = {
        "name": "conf01",
        "snmp_community": "public",
        "system_location": "public",
        "node_password": NODE_PASSWORD,
    }
    result = run_on(api, pexip_node, diff=True, **options)
    assert result["node"]["system_location"] == "public"
    assert result["invocation"]["module_args"]["system_location"] == "public"
    assert result["invocation"]["module_args"]["snmp_community"] == MASK
    assert result["diff"]["after"] == {"snmp_community": MASK}
    assert "snmp_community" not in result["node"]
    assert api.requests[-2].json == {"snmp_community": "public"}


def test_the_invocation_shows_what_was_given_and_no_secret(api):
    result = run_on(api, pexip_node, name="conf01", node_password=NODE_PASSWORD, description="x")
    shown = result["invocation"]["module_args"]
    assert (shown["password"], shown["node_password"], shown["snmp_community"]) == (MASK, MASK, None)
    assert (shown["host"], shown["name"], shown["description"], shown["port"]) == ("127.0.0.1", "conf01", "x", api.port)


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"name": "conf01", "update_secrets": "always"},
        {"name": "conf01", "system_location": "nowhere"},
        {"name": "conf01", "nonsense": 1},
        {"name": "conf01", "description": "d" * 251},
        {"name": "conf01", "state": "absent"},
        {"name": "new", "description": PASSWORD},
        {"name": "conf01", "host": "127.0.0.1", "port": 1, "timeout": 0},
        {"name": "conf01", "tls_fingerprint": "ab" * 32},
    ],
    ids=lambda options: ",".join(list(options)),
)
def test_passwords_are_in_no_output_whatever_happens(api, memory, options, check):
    memory.status = {"conference_shard": [], "worker_vm": []}
    secrets = {"node_password": NODE_PASSWORD, "snmp_authentication_password": "snmp-Secret#8"}
    result = run_on(api, pexip_node, check=check, diff=True, **{**secrets, **options})
    assert not [secret for secret in (PASSWORD, *secrets.values()) if secret in result["stdout"]]


def test_a_node_password_that_is_also_its_community_stays_masked_everywhere(api):
    result = run_on(api, pexip_node, name="conf01", snmp_community="samesame", node_password="samesame")
    assert "samesame" not in result["stdout"]


def test_a_server_that_echoes_a_password_does_not_tell_it(api):
    api.answer = lambda request: Reply(400, {"password": [f"{NODE_PASSWORD} is too weak"]})
    result = run_on(api, pexip_node, name="conf01", node_password=NODE_PASSWORD)
    assert result["failed"]
    assert "is too weak" in result["msg"]
    assert NODE_PASSWORD not in result["stdout"]


def test_a_community_that_a_server_echoes_is_not_told_unless_it_is_the_default(api):
    api.answer = lambda request: Reply(400, {"snmp_community": ["hush-hush and public are refused"]})
    result = run_on(api, pexip_node, name="conf01", node_password=NODE_PASSWORD, snmp_community="hush-hush")
    assert "******** and public are refused" in result["msg"]
    assert "hush-hush" not in result["stdout"]
    result = run_on(api, pexip_node, name="conf01", node_password=NODE_PASSWORD, snmp_community="public")
    assert "hush-hush and public are refused" in result["msg"]


@pytest.mark.parametrize("option", ["nod_password", "snmp_trap_community", "pss_token"])
def test_the_value_of_a_misspelt_or_retired_secret_is_not_told(api, option):
    result = run_on(api, pexip_node, name="conf01", descriptoin="shown", **{option: NODE_PASSWORD})
    assert option in result["msg"]
    assert result["invocation"]["module_args"]["descriptoin"] == "shown"
    assert NODE_PASSWORD not in result["stdout"]


# Connection options

FINGERPRINT = "ab" * 32


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"host": ""}, "host is required"),
        ({"host": "https://manager"}, "host: 'https://manager'"),
        ({"host": "manager:443"}, "host: 'manager:443'"),
        ({"host": "user@manager"}, "host: 'user@manager'"),
        ({"host": "manager/api"}, "without scheme, port or path"),
        ({"host": "a..b"}, "host: 'a..b'"),
        ({"host": "x" * 64}, "is not a host name"),
        ({"password": ""}, "password is required"),
        ({"port": 0}, "port: 0 is not a TCP port"),
        ({"port": 65536}, "port: 65536"),
        ({"timeout": 0}, "timeout: 0"),
        ({"tls_fingerprint": "abc"}, "tls_fingerprint: a TLS fingerprint is"),
        (
            {"tls_fingerprint": "", "ca_path": "/missing/ca.pem"},
            "ca_path: there is no file or directory /missing/ca.pem",
        ),
        ({"hots": "x"}, "hots"),
    ],
)
def test_bad_connection_options_are_named_before_any_request(api, options, words):
    result = run_on(api, pexip_location, name="London", **options)
    assert result["failed"]
    assert words in result["msg"]
    assert api.requests == []


def test_every_connection_option_has_an_environment_twin(api, monkeypatch, ca_file):
    given = {
        "HOST": "127.0.0.1",
        "PORT": str(api.port),
        "USERNAME": "operator",
        "PASSWORD": PASSWORD,
        "TIMEOUT": "7",
        "CA_PATH": ca_file,
        "VALIDATE_CERTS": "true",
        "TLS_FINGERPRINT": api.fingerprint.upper(),
    }
    assert {f"PEXIP_{name.upper()}" for name in CONNECTION_OPTIONS} == {f"PEXIP_{name}" for name in given}
    for name, value in given.items():
        monkeypatch.setenv(f"PEXIP_{name}", value)
    result = run_module(pexip_location, name="public", description="in the public cloud")
    assert not result["changed"]
    assert result["invocation"]["module_args"]["timeout"] == 7
    assert PASSWORD not in result["stdout"]


def test_a_ca_file_is_trusted_and_a_second_is_time_enough(api, ca_file):
    result = run_on(api, pexip_location, name="public", mtu=1500, tls_fingerprint="", ca_path=ca_file, timeout=1)
    assert not result["changed"]


def test_a_ca_file_that_nothing_asks_for_may_be_missing(api):
    for trust in ({}, {"tls_fingerprint": "", "validate_certs": False}):
        assert not run_on(api, pexip_location, name="public", mtu=1500, ca_path="/missing", **trust)["changed"]


@pytest.mark.parametrize("content", ["", "no certificate"])
def test_a_ca_file_without_certificates_is_an_error_of_ours(api, tmp_path, content):
    (tmp_path / "ca.pem").write_text(content)
    result = run_on(api, pexip_location, name="public", tls_fingerprint="", ca_path=str(tmp_path / "ca.pem"))
    assert result["failed"]
    assert f"127.0.0.1:{api.port}" in result["msg"]


# Errors and results


def test_errors_name_the_place_and_the_status(api, no_pauses):
    api.answer = lambda request: Reply(401)
    result = run_on(api, pexip_location, name="public")
    assert (result["failed"], result["status"]) == (True, 401)
    nobody = run_on(api, pexip_location, name="public", host="127.0.0.1", port=free_port())
    assert "no connection to the management API at 127.0.0.1" in nobody["msg"]
    assert "status" not in nobody


def test_all_bad_fields_are_in_one_error(api):
    result = run_on(api, pexip_location, name="public", mtu=1, description="d" * 251, clear=["nonsense", "mtu", "name"])
    for words in ("mtu: 1 is out of range", "description:", "'nonsense' is not a field", "mtu is also", "name is also"):
        assert words in result["msg"]
    assert api.requests == []


def test_an_error_about_very_much_is_cut_short(api):
    result = run_on(api, pexip_location, name="public", clear=[f"nonsense{number}" for number in range(1000)])
    assert "'nonsense0' is not a field" in result["msg"]
    assert result["msg"].endswith("more characters)")
    assert len(result["msg"]) < 5100


@pytest.mark.parametrize(
    ("clear", "words"), [("bdpm_pin_checks_enabled", "must have a value"), ("mtu", "its default is 1500")]
)
def test_what_cannot_be_cleared_says_why(api, clear, words):
    result = run_on(api, pexip_location, name="public", clear=[clear])
    assert result["failed"]
    assert words in result["msg"]


def test_a_field_is_cleared_by_the_name_of_its_option(api):
    result = run_on(api, pexip_node, name="conf01", clear=["node_password", "password"])
    assert "clear: node_password cannot be cleared: it must have a value" in result["msg"]
    assert "clear: 'password' is not a field" in result["msg"]


def test_clear_empties_fields(api, memory):
    memory.tables["system_location"][2] |= {
        "media_qos": 5,
        "dns_servers": ["/api/admin/configuration/v1/dns_server/1/"],
    }
    result = run_on(api, pexip_location, name="public", clear=["media_qos", "dns_servers", "description"])
    assert api.requests[-2].json == {"media_qos": None, "dns_servers": [], "description": ""}
    assert result["changed"]
    assert not run_on(api, pexip_location, name="public", clear=["media_qos", "dns_servers"])["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_a_diff_is_given_when_asked_for_and_when_something_changes(api, check):
    options = {"name": "public", "description": "in the public cloud", "dns_servers": ["8.8.8.8"]}
    result = run_on(api, pexip_location, check=check, diff=True, **options)
    label = "system location 'public'"
    assert result["diff"] == {
        "before": {"dns_servers": []},
        "after": {"dns_servers": ["8.8.8.8"]},
        "before_header": label,
        "after_header": label,
    }
    assert "diff" not in run_on(api, pexip_location, check=check, diff=False, name="public", mtu=1000)
    assert "diff" not in run_on(api, pexip_location, diff=True, name="public", description="in the public cloud")


def test_a_result_is_plain_json_with_names_and_ids(api):
    result = run_on(api, pexip_location, name="new", dns_servers=["8.8.8.8"], overflow_location1="public")
    assert result["location"]["dns_servers"] == ["8.8.8.8"]
    assert result["location"]["overflow_location1"] == "public"
    assert result["location"]["id"] == 4
    assert json.loads(result["stdout"])["changed"]
    assert run_on(api, pexip_location, name="new", state="absent")["location"] is None
