# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of planning and comparison that hold for every table, every wish and every present state."""

from __future__ import annotations

import copy
import json

from ansible_collections.pexip.infinity.plugins.module_utils.client import resource_path
from ansible_collections.pexip.infinity.plugins.module_utils.converge import (
    Platform,
    canonical,
    plan,
    predict,
    to_wire,
)
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource
from ansible_collections.pexip.infinity.plugins.module_utils.schema import Schema, coerce, to_field
from hypothesis import given, settings
from hypothesis import strategies as st

few = settings(max_examples=40)
URIS = [resource_path("system_location", key) for key in range(4)]
SECRET = "Planted-4711"

texts = st.text(max_size=6)
uris = st.sampled_from(URIS)
# Every kind of field with its values as an operator gives them (references resolved).
KINDS = {
    "text": (Field("text", default="d"), texts),
    "nullable": (Field("nullable", nullable=True), texts),
    "number": (Field("number", "int", nullable=True), st.integers(-3, 3)),
    "switch": (Field("switch", "bool"), st.booleans()),
    "choice": (Field("choice", choices=("ON", "OFF")), st.sampled_from(["ON", "OFF"])),
    "address": (Field("address", ip=True, nullable=True), st.ip_addresses().map(str)),
    "place": (Field("place", ref="system_location", nullable=True), uris),
    "servers": (Field("servers", many="system_location"), st.lists(uris, max_size=4)),
    "ranked": (Field("ranked", many="system_location", ordered=True), st.lists(uris, max_size=4, unique=True)),
    "codecs": (Field("codecs", items="value"), st.lists(texts, max_size=4)),
    "plain": (Field("plain", "list"), st.lists(texts, max_size=3)),
    "community": (Field("community", secret=True), st.just(SECRET) | st.just(f"{SECRET}-other")),
    "hidden": (Field("hidden", secret=True, readable=False), st.just(SECRET) | st.just(f"{SECRET}-other")),
}
TABLE = Resource("thing", ("name",), [Field("name", required=True), *(field for field, _values in KINDS.values())])
wishes = st.fixed_dictionaries(
    {"name": st.just("x")}, optional={name: values for name, (_field, values) in KINDS.items()}
)
UNSETS = ("place", "nullable", "number", "address")  # null on the wire where nothing is set
states = st.fixed_dictionaries(
    {
        "name": st.just("x"),
        "id": st.just(7),
        **{
            name: (values | st.none() if name in UNSETS else values).map(
                lambda value, field=field: None if value is None else to_wire(field, value)
            )
            for name, (field, values) in KINDS.items()
            if field.readable
        },
    }
)


def nested(field: Field, value):
    """A reference as GET may show it: the whole object in the place of its URI."""
    if not field.target or value is None:
        return value
    if isinstance(value, list):
        return [nested(field, item) for item in value]
    return {"resource_uri": value, "id": int(value.split("/")[-2]), "name": f"name of {value}"}


@few
@given(wishes, st.none() | states)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(wish, current):
    after = predict(TABLE, plan(TABLE, wish, current), current)
    assert plan(TABLE, wish, after).action == "none"


@few
@given(wishes, states)
def test_who_names_what_is_there_already_changes_nothing(wish, current):
    """Whatever is left out: a second run with a part of the first one's wish plans nothing either."""
    after = predict(TABLE, plan(TABLE, wish, current), current)
    for name in list(wish)[1:]:
        assert plan(TABLE, {key: value for key, value in wish.items() if key != name}, after).action == "none"


@few
@given(wishes, states)
def test_payload_and_changes_are_exactly_the_fields_that_differ(wish, current):
    made = plan(TABLE, wish, current)
    differing = {
        name
        for name, value in wish.items()
        if TABLE.by_name[name].readable
        and canonical(TABLE.by_name[name], value) != canonical(TABLE.by_name[name], current[name])
    }
    assert set(made.payload) == {change.field.name for change in made.changes} == differing
    assert made.action == ("update" if differing else "none")


@few
@given(wishes, states)
def test_neither_wish_nor_state_is_written_to(wish, current):
    before = copy.deepcopy((wish, current))
    predict(TABLE, plan(TABLE, wish, current), current)
    assert (wish, current) == before


@few
@given(wishes, states)
def test_it_makes_no_difference_whether_get_nests_what_is_referred_to(wish, current):
    shown = {name: nested(TABLE.by_name[name], value) if name in KINDS else value for name, value in current.items()}
    assert plan(TABLE, wish, shown).payload == plan(TABLE, wish, current).payload


@few
@given(st.data(), st.sampled_from(["servers", "codecs"]))
def test_the_order_of_a_set_is_no_difference(data, name):
    field, values = KINDS[name]
    members = data.draw(values)
    shuffled = data.draw(st.permutations(members))
    assert canonical(field, members) == canonical(field, shuffled + shuffled[:1])
    assert plan(TABLE, {name: shuffled}, {name: to_wire(field, members)}).action == "none"


@few
@given(st.data())
def test_the_order_of_a_ranking_is_a_difference(data):
    field, values = KINDS["ranked"]
    members = data.draw(values)
    shuffled = data.draw(st.permutations(members))
    assert (plan(TABLE, {"ranked": shuffled}, {"ranked": members}).action == "none") == (shuffled == members)
    assert canonical(field, members) == tuple(members)


@few
@given(wishes, st.none() | states, st.sampled_from(["on_create", "always"]))
def test_a_diff_shows_the_changed_fields_alone_and_no_secret(wish, current, update_secrets):
    made = plan(TABLE, wish, current, update_secrets=update_secrets)
    diff = Platform(None).diff(TABLE, made, current)
    assert set(diff["after"]) == set(made.payload)
    assert set(diff["before"]) == (set(made.payload) if made.action == "update" else set())
    assert SECRET not in json.dumps(diff)
    assert SECRET not in json.dumps(Platform(None).present(TABLE, predict(TABLE, made, current)), default=str)


@few
@given(st.none() | states)
def test_a_deletion_shows_what_goes_and_no_secret(current):
    made = plan(TABLE, None, current)
    assert made.action == ("none" if current is None else "delete")
    assert SECRET not in json.dumps(Platform(None).diff(TABLE, made, current))
    assert made.payload == {}


# A table out of a server's schema: values that were checked once are good, and stay as they are.

TYPES = {
    "string": texts.filter(lambda text: text.isprintable()),
    "integer": st.integers(-(2**31), 2**31),
    "boolean": st.booleans(),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "list": st.lists(texts, max_size=3),
}
typed = st.sampled_from(sorted(TYPES)).flatmap(lambda kind: st.tuples(st.just(kind), TYPES[kind]))


def schema_of(kind: str) -> Schema:
    """A schema with one field of a type."""
    table = Resource("thing", (), [to_field("field", {"type": kind}, 1)])
    return Schema(table, frozenset(), can_create=True, can_change=True, can_delete=True)


@few
@given(typed)
def test_a_value_of_the_schemas_type_is_taken_as_it_is(pair):
    kind, value = pair
    checked = schema_of(kind).check("settings", {"field": value})
    assert checked == {"field": value}
    assert type(checked["field"]) is type(value)
    assert schema_of(kind).check("settings", checked) == checked


@few
@given(st.integers() | st.booleans())
def test_what_yaml_made_of_a_text_or_a_number_is_undone(value):
    """Templates give texts for numbers and booleans."""
    field = to_field("field", {"type": "boolean" if isinstance(value, bool) else "integer"}, 1)
    assert coerce(field, str(value)) == value


@few
@given(wishes, states)
def test_a_table_out_of_a_schema_plans_as_the_typed_one(wish, current):
    kinds = {"int": "integer", "bool": "boolean", "list": "list"}
    fields = []
    for field in TABLE.fields:
        related = {"ref": "to_one", "many": "to_many"}.get("ref" if field.ref else "many" if field.many else "")
        facts = {
            "type": "related" if related else kinds.get(field.type, "string"),
            "nullable": field.nullable,
            "valid_choices": list(field.choices or []),
            **({"related_type": related, "related_schema": f"/x/v1/{field.target}/schema/"} if related else {}),
        }
        fields.append(to_field(field.name, facts, 1))
    # What a schema does not tell: order, the shape of items, what is an address, and which secrets GET gives back.
    shared = set(KINDS) - {"ranked", "codecs", "address", "community", "hidden"}
    told = {name: value for name, value in wish.items() if name in shared}
    assert plan(Resource("thing", (), fields), told, current).payload == plan(TABLE, told, current).payload
