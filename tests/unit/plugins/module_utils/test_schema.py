# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tables out of the server's schema, held against the facts of the management API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.converge import MASK
from ansible_collections.pexip.infinity.plugins.module_utils.masking import is_secret
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource, name_field
from ansible_collections.pexip.infinity.plugins.module_utils.schema import (
    READABLE_SECRETS,
    Schema,
    coerce,
    load,
    target_of,
    to_field,
)
from ansible_collections.pexip.infinity.tests.unit.support import Memory, Reply

FACTS_FILE = Path(__file__).parents[3] / "lab" / "pexip_lab" / "facts" / "configuration.json"
FACTS = json.loads(FACTS_FILE.read_text(encoding="utf-8"))
FIELDS = [(resource, name, field) for resource, facts in FACTS.items() for name, field in facts["fields"].items()]
# Secret by our rule, not by the facts: templates of PINs and passwords, and a public key that shares a secret's name.
CAUTIOUS = {
    ("conference_sync_template", "device_password"),
    ("conference_sync_template", "guest_pin"),
    ("conference_sync_template", "pin"),
    ("ssh_authorized_key", "key"),
}


def schema_field(**facts):
    """A field as a schema has it."""
    return {"type": "string", "nullable": False, "readonly": False, "default": "No default provided.", **facts}


SCHEMA = {
    "allowed_list_http_methods": ["get", "post"],
    "allowed_detail_http_methods": ["get", "patch", "delete"],
    "fields": {
        "id": schema_field(type="integer"),
        "resource_uri": schema_field(readonly=True),
        "name": schema_field(),
        "port": schema_field(type="integer", default=5060),
        "enabled": schema_field(type="boolean", default=True),
        "transport": schema_field(default="tls", valid_choices=["tcp", "tls"]),
        "ratio": schema_field(type="float"),
        "options": schema_field(type="dict"),
        "names": schema_field(type="list"),
        "password": schema_field(nullable=True, default=""),
        "dns_servers": schema_field(
            type="related",
            related_type="to_many",
            related_schema="/api/admin/configuration/v1/dns_server/schema/",
            nullable=True,
        ),
        "seen": schema_field(readonly=True),
    },
}


@pytest.fixture
def schema(serve):
    """The schema of a resource, read from a server."""
    api = serve(Memory({"sip_proxy": [], "system_location": []}, schemas={"sip_proxy": SCHEMA}))
    return load(api.client(), "sip_proxy", {"name": "x"})


def test_every_secret_of_the_facts_is_known_by_its_name():
    secret = {(resource, name) for resource, name, field in FIELDS if field.get("secret")}
    known = {(resource, name) for resource, name, _field in FIELDS if is_secret(name)}
    assert secret - known == set()
    assert known - secret == CAUTIOUS


def test_secrets_that_are_compared_are_those_that_get_gives_back():
    kept_back = {name for _resource, name, field in FIELDS if field.get("readback") not in (None, "normalised")}
    assert set(READABLE_SECRETS) & kept_back == set()
    assert set(READABLE_SECRETS) <= {name for _resource, name, _field in FIELDS}


def test_every_reference_of_the_facts_finds_its_target_by_the_fields_name_alone():
    wrong = []
    for resource, name, field in FIELDS:
        if field["type"] in ("related", "related_list"):
            kind = "to_many" if field["type"] == "related_list" else "to_one"
            if target_of(name, {"related_type": kind}) != field["to"]:
                wrong.append((resource, name, field["to"]))
    assert wrong == []


def test_every_target_has_a_field_that_people_name_it_by():
    targets = {field["to"] for _resource, _name, field in FIELDS if "to" in field}
    nameless = {target for target in targets if name_field(target) not in FACTS[target]["fields"]}
    assert nameless == {"media_library_playlist_entry", "user_group_entity_mapping"}  # known by their ids alone


def test_the_schema_says_where_a_reference_leads_when_it_knows():
    facts = {"related_type": "to_one", "related_schema": "/api/admin/configuration/v1/sip_proxy/schema/"}
    assert target_of("anything", facts) == "sip_proxy"


@pytest.mark.parametrize(
    ("name", "facts", "field"),
    [
        ("name", {}, Field("name")),
        ("port", {"type": "integer", "default": 5060}, Field("port", "int", default=5060)),
        ("when", {"type": "datetime", "nullable": True}, Field("when", nullable=True)),
        ("mode", {"valid_choices": ["A", "B"]}, Field("mode", choices=("A", "B"))),
        ("mode", {"valid_choices": [["A", "first"]]}, Field("mode")),
        ("password", {"default": ""}, Field("password", secret=True, readable=False, default="")),
        ("pin", {}, Field("pin", secret=True)),
        ("sip_proxy", {"type": "related", "related_type": "to_one"}, Field("sip_proxy", ref="sip_proxy")),
        ("dns_servers", {"type": "related", "related_type": "to_many"}, Field("dns_servers", many="dns_server")),
    ],
)
def test_a_field_of_a_schema_becomes_a_table_entry(name, facts, field):
    assert to_field(name, schema_field(**facts), 1) == field


@pytest.mark.parametrize(
    ("filtering", "filterable"),
    [
        (None, False),
        ({}, False),
        ({"port": 1}, False),
        ({"name": 1}, True),
        ({"name": 2}, True),
        ({"name": ["exact", "in"]}, True),
        ({"name": ["iexact"]}, False),
    ],
)
def test_a_schema_says_what_lists_can_be_filtered_by(serve, filtering, filterable):
    stated = {} if filtering is None else {"filtering": filtering}
    api = serve(Memory({"sip_proxy": []}, schemas={"sip_proxy": {**SCHEMA, **stated}}))
    assert load(api.client(), "sip_proxy", {}).resource.by_name["name"].filterable is filterable


@pytest.mark.parametrize(
    ("methods", "allowed"),
    [
        ({}, (True, True, True)),
        ({"allowed_list_http_methods": ["get"], "allowed_detail_http_methods": ["get", "patch"]}, (False, True, False)),
        ({"allowed_list_http_methods": ["get"], "allowed_detail_http_methods": ["get"]}, (False, False, False)),
    ],
)
def test_a_schema_says_what_can_be_done(serve, methods, allowed):
    api = serve(Memory({"sip_proxy": []}, schemas={"sip_proxy": {**SCHEMA, **methods}}))
    schema = load(api.client(), "sip_proxy", {"name": "x"})
    assert (schema.can_create, schema.can_change, schema.can_delete) == allowed
    assert schema.readonly == {"id", "resource_uri", "seen"}
    assert schema.resource.identity == ("name",)


@pytest.mark.parametrize("name", ["sip_proxi", "../sip_proxy", "SIP"])
def test_an_unknown_resource_is_an_error(serve, name):
    api = serve(Memory({"sip_proxy": [], "system_location": []}, schemas={"sip_proxy": SCHEMA}))
    with pytest.raises(PexipError, match=f"resource: .*{name}"):
        load(api.client(), name, {})


def test_an_unknown_resource_lists_those_that_exist_nearest_first(serve):
    api = serve(Memory({"dns_server": [], "sip_proxy": [], "system_location": []}))
    with pytest.raises(PexipError, match="Existing: 'sip_proxy', 'dns_server', 'system_location'"):
        load(api.client(), "sip_proxi", {})


def test_an_error_of_the_server_is_not_taken_for_an_unknown_resource(serve):
    with pytest.raises(PexipError) as caught:
        load(serve(lambda request: Reply(403)).client(), "sip_proxy", {})
    assert caught.value.status == 403


GOOD = {"name": 5, "port": "7", "enabled": "no", "ratio": 1, "options": {"a": 1}, "names": ["a"], "password": None}


def test_values_take_the_fields_types(schema):
    checked = schema.check("settings", {**GOOD, "dns_servers": ["8.8.8.8", 3]})
    assert checked == {
        "name": "5",
        "port": 7,
        "enabled": False,
        "ratio": 1.0,
        "options": {"a": 1},
        "names": ["a"],
        "password": None,
        "dns_servers": ["8.8.8.8", 3],
    }
    assert isinstance(checked["ratio"], float)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"prot": 1}, "'prot' is not a field of sip_proxy. Existing: 'port'"),
        ({"seen": 1}, "seen is read-only"),
        ({"id": 1}, "id is read-only"),
        ({"port": "x"}, "port: 'x' is not of type int"),
        ({"port": True}, "port: True is not of type int"),
        ({"port": 1.5}, "port: 1.5 is not of type int"),
        ({"enabled": "maybe"}, "enabled: 'maybe' is not of type bool"),
        ({"ratio": "x"}, "ratio: 'x' is not of type float"),
        ({"ratio": "nan"}, "ratio: 'nan' is not of type float"),
        ({"options": "x"}, "options: 'x' is not of type dict"),
        ({"names": "x"}, "names: 'x' is not a list"),
        ({"dns_servers": "8.8.8.8"}, "dns_servers: '8.8.8.8' is not a list"),
        ({"name": ["x"]}, "name: ['x'] is not of type str"),
        ({"name": "a\x07b"}, "name: 'a\\x07b' holds control characters"),
        ({"port": 10**20}, "port: 100000000000000000000 is larger than any number the platform keeps"),
        ({"transport": "udp"}, "transport: 'udp' is not one of tcp, tls"),
        ({"transport": None}, "transport cannot be cleared: it must have a value"),
        ({"password": "hunter2\x00"}, "password: the value of 8 characters holds control characters"),
        ({"password": ["hunter2"]}, f"password: {MASK} is not of type str"),
        ({"prot": 1, "port": "x"}, "; port: 'x'"),
    ],
)
def test_bad_settings_are_refused_by_name(schema, values, words):
    with pytest.raises(PexipError) as caught:
        schema.check("settings", values)
    assert words in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_identity_may_be_read_only(schema):
    assert schema.check("identity", {"id": "3"}) == {"id": 3}


@pytest.mark.parametrize("value", [None, 3])
def test_a_reference_may_be_an_id_or_null(value):
    assert coerce(Field("a", ref="x"), value) == (None if value is None else "3")


def test_what_an_object_does_not_show_cannot_be_compared():
    resource = Resource("a", (), [Field("shown"), Field("kept", secret=True), Field("hidden", readable=False)])
    schema = Schema(resource, frozenset(), True, True, True)
    assert [field.readable for field in schema.visible({"shown": 1}).fields] == [True, False, False]
    assert [field.readable for field in schema.visible({"shown": 1, "kept": 2, "hidden": "#"}).fields] == [
        True,
        True,
        False,
    ]
    assert schema.visible(None) is resource
