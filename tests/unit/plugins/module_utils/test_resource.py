# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a table's entry refuses, clears and says to Ansible."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.masking import (
    MASK,
    is_secret,
    leaves,
    masked,
    only_secrets,
    without_secrets,
)
from ansible_collections.pexip.infinity.plugins.module_utils.names import is_ip
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource, name_field

NUMBER = Field("mtu", "int", minimum=512, maximum=1500)
HOLE = Field("qos", "int", minimum=0, maximum=63, excluded=(10, 20))
TEXT = Field("text", min_length=2, max_length=4)
SECRET = Field("password", alias="node_password", secret=True, max_length=4)
NEEDED = Field("name", required=True, max_length=4)
PLACE = Field("place", ref="system_location", required=True)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        (NUMBER, 512, None),
        (NUMBER, 1500, None),
        (NUMBER, None, None),
        (NUMBER, 511, "mtu: 511 is out of range; allowed are values of 512 to 1500"),
        (NUMBER, 1501, "mtu: 1501 is out of range; allowed are values of 512 to 1500"),
        (Field("n", "int", minimum=1), 0, "n: 0 is out of range; allowed are values of at least 1"),
        (Field("n", "int", maximum=1), 2, "n: 2 is out of range; allowed are values of at most 1"),
        (HOLE, 9, None),
        (HOLE, 10, "qos: 10 is not allowed: 10 to 20 are refused"),
        (HOLE, 20, "qos: 20 is not allowed: 10 to 20 are refused"),
        (HOLE, 21, None),
        (TEXT, "abcd", None),
        (TEXT, "", None),
        (TEXT, "a", "text: 'a' is 1 characters long; allowed are 2 to 4"),
        (TEXT, "abcde", "text: 'abcde' is 5 characters long; allowed are 2 to 4"),
        (TEXT, "a\x00b", "text: 'a\\x00b' holds control characters"),
        (SECRET, "hunter2", "node_password: the value of 7 characters is 7 characters long; allowed are at most 4"),
        (NEEDED, "", "name is empty; it needs a value"),
        (NEEDED, "  ", "name is empty; it needs a value"),
        (PLACE, "", "place is empty; it needs a value"),
        (PLACE, "London", None),
        (Field("place", ref="x"), "", None),
        (Field("a", ip=True), "10.0.0.300", "a: '10.0.0.300' is not an IP address"),
        (Field("a", ip=True), "::1", None),
        (Field("a", ip=True, nullable=True), "", None),
        (Field("n", "int"), 10**30, f"n: {10**30} is larger than any number the platform keeps"),
        (Field("n", "int"), -(2**63) + 1, None),
        (Field("h", form="hostname"), "conf-01", None),
        (Field("h", form="hostname"), "", None),
        (
            Field("h", form="hostname"),
            "../conf",
            "h: '../conf' is not a host name (letters, digits and inner hyphens, without a domain)",
        ),
        (Field("d", form="domain"), "a..b", "d: 'a..b' is not a domain name such as example.com"),
        (Field("m", form="netmask"), "255.0.255.0", "m: '255.0.255.0' is not a network mask such as 255.255.240.0"),
        (Field("c", choices=("ON", "OFF")), "on", "c: 'on' is not one of ON, OFF"),
        (
            TEXT,
            "x" * 1000,
            f"text: '{'x' * 199}… is 1000 characters long; allowed are 2 to 4",
        ),
        (Field("on", "bool"), True, None),
        (Field("many", many="x"), [""], None),
    ],
)
def test_bad_values_are_refused_by_name_and_secrets_only_by_length(field, value, problem):
    assert field.problem(value) == problem


@pytest.mark.parametrize(
    ("field", "cleared"),
    [
        (Field("a"), ""),
        (Field("a", nullable=True), None),
        (Field("a", many="x"), []),
        (Field("a", items="value"), []),
        (Field("a", "list", nullable=True), []),
        (Field("a", ref="x", nullable=True), None),
        (Field("a", choices=("x",), nullable=True), None),
        (Field("a", required=True), "must have a value"),
        (Field("a", choices=("x",)), "must have a value"),
        (Field("a", "int", default=5), "its default is 5"),
        (Field("a", "bool"), "no empty value"),
        (Field("a", min_length=2), "no empty value"),
    ],
    ids=str,
)
def test_a_field_is_cleared_to_what_it_can_be_without(field, cleared):
    if isinstance(cleared, str) and cleared:
        with pytest.raises(ValueError, match=cleared):
            field.cleared()
    else:
        assert field.cleared() == cleared


def test_the_argument_spec_holds_no_default_and_says_what_is_secret():
    assert Field("a", "int", default=5).spec() == {"type": "int", "no_log": False}
    assert Field("a", secret=True, choices=("x", "y")).spec() == {"type": "str", "choices": ["x", "y"], "no_log": True}
    assert Field("a", many="x").spec() == {"type": "list", "elements": "str", "no_log": False}


def test_a_label_names_an_object_and_no_secret():
    resource = Resource("licence", ("entitlement_id", "name"), [Field("entitlement_id", secret=True), Field("name")])
    assert resource.label({"entitlement_id": "AAAA-BBBB", "name": "x"}) == "licence 'x'"
    assert resource.label({}) == "licence"


def test_names_and_addresses():
    assert name_field("dns_server") == "address"
    assert name_field("system_location") == "name"
    assert is_ip("2001:db8::1")
    assert not is_ip("10.0.0.0/8")


SECRETS = "password snmp_community private_key pin guest_pin push_token azure_client_id notifications_queue key"
PLAIN = "name include_pin oauth_token_endpoint token_endpoint oidc_token_url private_key_type media_tokens_used pinned"


@pytest.mark.parametrize(("name", "secret"), [(n, True) for n in SECRETS.split()] + [(n, False) for n in PLAIN.split()])
def test_secrets_are_known_by_their_names(name, secret):
    assert is_secret(name) is secret


def test_secrets_are_taken_out_masked_and_found_at_any_depth():
    value = {"a": 1, "password": "x", "b": [{"pin": 12, "c": {"secret": ["y", "z"], "d": None}}], "token": None}
    assert without_secrets(value) == {"a": 1, "b": [{"c": {"d": None}}]}
    assert masked(value) == {
        "a": 1,
        "password": MASK,
        "b": [{"pin": MASK, "c": {"secret": MASK, "d": None}}],
        "token": None,
    }
    assert leaves(only_secrets(value)) == ["x", 12, "y", "z"]
    assert leaves(value) == [1, "x", 12, "y", "z"]
