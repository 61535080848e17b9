# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan, without a server: every kind of field, left out, the same, different and cleared."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.converge import (
    MASK,
    Plan,
    Platform,
    canonical,
    listing,
    plan,
    predict,
    to_wire,
)
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource
from hypothesis import given
from hypothesis import strategies as st

ROOT = "/api/admin/configuration/v1/"
LONDON, OSLO, PARIS = (f"{ROOT}system_location/{key}/" for key in (1, 2, 3))


def nested(uri, name="x"):
    """An object as GET nests it."""
    return {"resource_uri": uri, "id": int(uri.split("/")[-2]), "name": name}


def table(*fields, **options):
    """A resource with a name and these fields."""
    return Resource("thing", ("name",), [Field("name", required=True), *fields], **options)


TEXT = Field("f")
NULLABLE = Field("f", nullable=True)
REF = Field("f", ref="system_location", nullable=True)
MANY = Field("f", many="system_location")
ORDERED = Field("f", many="system_location", ordered=True)
ITEMS = Field("f", items="value")
IP = Field("f", ip=True, nullable=True)

SAME = [
    (TEXT, "a", "a"),
    (TEXT, "", ""),
    (NULLABLE, None, ""),
    (NULLABLE, "", None),
    (Field("f", "int", nullable=True), None, None),
    (Field("f", "bool"), False, False),
    (IP, "2001:db8::1", "2001:DB8:0:0::1"),
    (IP, None, ""),
    (Field("f", ip=True), "odd", "odd"),
    (REF, LONDON, LONDON),
    (REF, nested(LONDON), LONDON),
    (REF, {"id": 1, "name": "no URI"}, LONDON),
    (REF, None, ""),
    (REF, None, None),
    (MANY, [LONDON, OSLO], [OSLO, LONDON]),
    (MANY, [nested(LONDON), nested(OSLO)], [OSLO, LONDON, OSLO]),
    (MANY, [{"id": 1}], [LONDON]),
    (MANY, [], []),
    (MANY, None, []),
    (ORDERED, [nested(LONDON), OSLO], [LONDON, OSLO]),
    (ITEMS, [{"value": "a"}, {"value": "b"}], ["b", "a"]),
    (ITEMS, None, []),
    (Field("f", items="value", ordered=True), [{"value": "a"}, {"value": "b"}], ["a", "b"]),
    (Field("f", "list"), ["a", "b"], ["a", "b"]),
    (Field("f", "list"), None, []),
    (Field("f", "dict"), {"a": 1}, {"a": 1}),
]

DIFFERENT = [
    (TEXT, "a", "b", "b"),
    (TEXT, "a", "A", "A"),
    (TEXT, "a", "", ""),
    (NULLABLE, "a", "", None),
    (NULLABLE, "a", None, None),
    (Field("f", "int"), 1, 0, 0),
    (Field("f", "int", nullable=True), 0, None, None),
    (Field("f", "bool"), True, False, False),
    (IP, "10.0.0.1", "10.0.0.2", "10.0.0.2"),
    (IP, "10.0.0.1", "", None),
    (REF, LONDON, OSLO, OSLO),
    (REF, nested(LONDON), OSLO, OSLO),
    (REF, nested(LONDON), "", None),
    (REF, LONDON, None, None),
    (MANY, [LONDON, OSLO], [LONDON], [LONDON]),
    (MANY, [LONDON], [LONDON, OSLO], [LONDON, OSLO]),
    (MANY, [nested(LONDON)], [], []),
    (ORDERED, [LONDON, OSLO], [OSLO, LONDON], [OSLO, LONDON]),
    (ITEMS, [{"value": "a"}], ["b"], [{"value": "b"}]),
    (ITEMS, [{"value": "a"}], [], []),
    (
        Field("f", items="value", ordered=True),
        [{"value": "a"}, {"value": "b"}],
        ["b", "a"],
        [{"value": "b"}, {"value": "a"}],
    ),
    (Field("f", "list"), ["a", "b"], ["b", "a"], ["b", "a"]),
    (Field("f", "dict"), {"a": 1}, {"a": 2}, {"a": 2}),
]


@pytest.mark.parametrize(("field", "current", "desired"), SAME)
def test_what_means_the_same_is_no_change(field, current, desired):
    made = plan(table(field), {"name": "x", "f": desired}, {"name": "x", "f": current})
    assert (made.action, made.payload) == ("none", {})


@pytest.mark.parametrize(("field", "current", "desired", "payload"), DIFFERENT)
def test_what_differs_is_sent_and_nothing_else(field, current, desired, payload):
    resource = table(field, Field("other"))
    current = {"name": "x", "f": current, "other": "o", "id": 5}
    made = plan(resource, {"name": "x", "f": desired}, current)
    assert (made.action, made.payload) == ("update", {"f": payload})
    after = predict(resource, made, current)
    assert after == {**current, "f": payload}
    assert plan(resource, {"name": "x", "f": desired}, after).action == "none"


@pytest.mark.parametrize("field", [TEXT, REF, MANY, ITEMS, IP, Field("f", immutable=True), Field("f", readable=False)])
def test_what_is_left_out_is_left_alone(field):
    assert plan(table(field), {"name": "x"}, {"name": "x", "f": "whatever"}).action == "none"


# Creation, deletion


def test_a_creation_sends_what_is_given_and_no_default():
    resource = table(Field("a", default="d"), Field("b", "int", default=5), REF, Field("secret", readable=False))
    made = plan(resource, {"name": "x", "a": "1", "f": LONDON, "secret": "s"}, None)
    assert (made.action, made.payload) == ("create", {"name": "x", "a": "1", "f": LONDON, "secret": "s"})
    assert predict(resource, made, None) == {
        "name": "x",
        "a": "1",
        "b": 5,
        "f": LONDON,
        "id": None,
        "resource_uri": None,
    }


@pytest.mark.parametrize("value", [None, ""])
def test_a_creation_clears_what_the_server_would_fill(value):
    resource = table(Field("weight", "str", nullable=True, default="7"))
    made = plan(resource, {"name": "x", "weight": value}, None)
    assert made.payload == {"name": "x", "weight": None}


def test_a_creation_without_what_it_needs_names_the_options():
    resource = table(
        Field("password", alias="node_password", required=True), Field("place", required=True, nullable=True)
    )
    with pytest.raises(PexipError, match="thing 'x' does not exist yet; to create it give node_password, place"):
        plan(resource, {"name": "x", "place": None}, None)


def test_an_object_is_deleted_where_it_is_and_left_where_it_is_not():
    assert plan(table(), None, {"name": "x"}).action == "delete"
    assert plan(table(), None, None).action == "none"
    assert predict(table(), Plan("delete"), {"name": "x"}) is None


def test_a_singleton_is_only_changed():
    resource = table(TEXT, singleton=True, title="global settings")
    assert plan(resource, {"f": "b"}, {"f": "a"}).payload == {"f": "b"}
    for desired, current in ((None, {"f": "a"}), ({"f": "a"}, None)):
        with pytest.raises(PexipError, match="global settings"):
            plan(resource, desired, current)


# Immutable, unreadable, unknown fields


def test_immutable_fields_are_refused_all_at_once_with_values_and_the_way_out():
    resource = table(Field("address", immutable=True, ip=True), Field("pass", alias="node_pass", immutable=True), TEXT)
    current = {"name": "x", "address": "10.0.0.1", "pass": "a", "f": "a"}
    with pytest.raises(PexipError) as caught:
        plan(resource, {"name": "x", "address": "10.0.0.2", "pass": "b", "f": "b"}, current)
    for words in (
        "thing 'x'",
        "address is '10.0.0.1' and cannot become '10.0.0.2'",
        "node_pass is 'a'",
        "state absent",
    ):
        assert words in str(caught.value)
    assert plan(resource, {"address": "10.0.0.1", "f": "b"}, current).payload == {"f": "b"}


HIDDEN = table(
    Field("user", default=""),
    Field("password", secret=True, readable=False, sent_with="user"),
    Field("cpus", "int", readable=False),
)


@pytest.mark.parametrize(
    ("desired", "update_secrets", "payload"),
    [
        ({"user": "a", "password": "p", "cpus": 4}, "on_create", {}),
        ({"user": "b", "password": "p", "cpus": 4}, "on_create", {"user": "b", "password": "p"}),
        ({"user": "a", "password": "p", "cpus": 4}, "always", {"password": "p", "cpus": 4}),
        ({"user": "b"}, "always", {"user": "b"}),
    ],
)
def test_what_get_does_not_tell_is_sent_as_asked(desired, update_secrets, payload):
    current = {"name": "x", "user": "a", "password": "pbkdf2$hash"}
    assert plan(HIDDEN, desired, current, update_secrets=update_secrets).payload == payload


def test_a_field_that_the_server_does_not_have_is_named():
    with pytest.raises(PexipError, match="no field node_f"):
        plan(table(Field("f", alias="node_f")), {"f": "a"}, {"name": "x"})


# What people see


def test_a_diff_holds_the_changed_fields_alone_and_no_secret():
    resource = table(REF, Field("community", secret=True), Field("password", secret=True, readable=False), Field("o"))
    current = {"name": "x", "f": nested(LONDON, "London"), "community": "old", "o": 1, "id": 7, "push_token": "t"}
    platform = Platform(None)
    platform.remember(resource, current)
    platform.names[OSLO] = "Oslo"
    made = plan(resource, {"f": OSLO, "community": "new", "password": "p"}, current, update_secrets="always")
    assert platform.diff(resource, made, current) == {
        "before": {"f": "London", "community": f"{MASK} (not shown)", "password": f"{MASK} (not shown)"},
        "after": {"f": "Oslo", "community": MASK, "password": MASK},
    }
    creation = plan(resource, {"name": "y", "community": "new", "f": PARIS}, None)
    assert platform.diff(resource, creation, None) == {
        "before": {},
        "after": {"name": "y", "community": MASK, "f": PARIS},
    }
    deletion = platform.diff(resource, Plan("delete"), current)
    assert deletion == {"before": {"name": "x", "f": "London", "o": 1, "id": 7}, "after": {}}


def test_an_object_is_shown_with_names_and_without_secrets():
    resource = table(MANY, Field("i", items="value"), Field("pin", secret=True), Field("key", readable=False))
    item = {
        "id": 1,
        "name": "x",
        "f": [nested(LONDON, "London"), OSLO],
        "i": [{"value": "a"}],
        "pin": "1",
        "key": "k",
        "new_password": "p",
        "new": {"token": "t", "plain": 1},
    }
    platform = Platform(None)
    platform.remember(resource, item)
    shown = {"id": 1, "name": "x", "f": ["London", OSLO], "i": ["a"], "new": {"plain": 1}}
    assert platform.present(resource, item) == shown


@pytest.mark.parametrize(
    ("wanted", "existing", "text"),
    [
        ("x", [], "None exists."),
        ("Lodnon", ["Aarhus", "London", "Oslo"], "Existing: 'London', 'Aarhus', 'Oslo'."),
        ("x", [f"n{n:02}" for n in range(22)], "and 2 more."),
    ],
)
def test_what_exists_is_listed_nearest_first(wanted, existing, text):
    assert listing(wanted, existing).endswith(text)


# Properties

uris = st.sampled_from([LONDON, OSLO, PARIS])
texts = st.text(max_size=4)
KINDS = {
    "text": (Field("text", default="d"), texts),
    "nullable": (Field("nullable", nullable=True, default="d"), st.none() | texts),
    "number": (Field("number", "int", nullable=True, default=3), st.none() | st.integers(0, 3)),
    "switch": (Field("switch", "bool", default=True), st.booleans()),
    "ip": (Field("ip", ip=True, nullable=True), st.none() | st.just("") | st.ip_addresses().map(str)),
    "ref": (Field("ref", ref="system_location", nullable=True), st.none() | st.just("") | uris),
    "many": (Field("many", many="system_location"), st.lists(uris, max_size=3)),
    "ordered": (Field("ordered", many="system_location", ordered=True), st.lists(uris, max_size=3)),
    "items": (Field("items", items="value"), st.lists(texts, max_size=3)),
    "list": (Field("list", "list"), st.lists(texts, max_size=3)),
    "secret": (Field("secret", secret=True, readable=False), texts),
}
EVERYTHING = table(*(field for field, _values in KINDS.values()))
wishes = st.fixed_dictionaries(
    {"name": st.just("x")}, optional={name: values for name, (_field, values) in KINDS.items()}
)
objects = st.fixed_dictionaries(
    {
        "name": st.just("x"),
        **{
            name: values.map(lambda value, field=field: to_wire(field, value))
            for name, (field, values) in KINDS.items()
        },
    }
)


@given(wishes, st.none() | objects)
def test_what_a_plan_leads_to_needs_no_further_plan(desired, current):
    made = plan(EVERYTHING, desired, current)
    after = predict(EVERYTHING, made, current)
    assert plan(EVERYTHING, desired, after).action == "none"
    assert made.action != "none" or after == current


@given(wishes, objects)
def test_a_plan_sends_wished_fields_alone(desired, current):
    assert set(plan(EVERYTHING, desired, current, update_secrets="always").payload) <= set(desired)


@given(st.sampled_from(sorted(KINDS)).flatmap(lambda name: st.tuples(st.just(KINDS[name][0]), KINDS[name][1])))
def test_the_form_of_comparison_is_its_own_form(pair):
    field, value = pair
    form = canonical(field, value)
    assert canonical(field, form) == form
    assert canonical(field, to_wire(field, value)) == form
