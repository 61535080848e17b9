# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The typed modules' tables and documentation, held against the facts of the management API.

The facts are the file that the lab serves the API from, so table, documentation and lab cannot drift apart.
"""

from __future__ import annotations

import dataclasses
import json
import re
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pexip.infinity.plugins.module_utils.converge import plan
from ansible_collections.pexip.infinity.plugins.module_utils.names import FORMS
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource
from ansible_collections.pexip.infinity.plugins.modules import pexip_global_settings, pexip_location, pexip_node

FACTS_FILE = Path(__file__).parents[3] / "lab" / "pexip_lab" / "facts" / "configuration.json"
FACTS: dict[str, Any] = json.loads(FACTS_FILE.read_text(encoding="utf-8"))

OPTION_TYPES = {
    "string": "str",
    "integer": "int",
    "boolean": "bool",
    "list": "list",
    "related": "str",
    "related_list": "str",
}
LONGEST_DEFAULT_IN_WORDS = 100


@dataclasses.dataclass(frozen=True)
class Case:
    """A typed module: its table, its documented options beyond the table, the API fields that it fills by itself."""

    module: Any
    table: Resource
    extra: frozenset[str] = frozenset()
    filled: frozenset[str] = frozenset()
    drops_calls: frozenset[str] = frozenset()

    @property
    def facts(self) -> dict[str, dict[str, Any]]:
        return FACTS[self.table.name]["fields"]

    @property
    def writable(self) -> dict[str, dict[str, Any]]:
        """The fields that an operator can set."""
        return {
            name: facts
            for name, facts in self.facts.items()
            if not facts.get("readonly") and not facts.get("deprecated") and name not in self.filled
        }

    @cached_property
    def documentation(self) -> dict[str, Any]:
        return yaml.safe_load(self.module.DOCUMENTATION)


CASES = {
    "pexip_location": Case(pexip_location, pexip_location.LOCATION, extra=frozenset({"state"})),
    "pexip_global_settings": Case(pexip_global_settings, pexip_global_settings.GLOBAL_SETTINGS),
    "pexip_node": Case(
        pexip_node,
        pexip_node.NODE,
        extra=frozenset({"state", "subnet", "bootstrap", "config_path", "force"}),
        filled=frozenset({"deployment_type"}),
        drops_calls=frozenset({"system_location", "node_type"}),
    ),
}

CREATED = {name: case for name, case in CASES.items() if not case.table.singleton}
FIELDS = [
    pytest.param(case, field, id=f"{name}-{field.name}") for name, case in CASES.items() for field in case.table.fields
]
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
every_field = pytest.mark.parametrize(("case", "field"), FIELDS)


def from_facts(name: str, facts: dict[str, Any]) -> Field:
    """The table's entry that the facts ask for."""
    kind, default = facts["type"], facts.get("default")
    items = next(iter(facts["item_fields"])) if facts.get("embedded") else None
    low, high = facts.get("excluded_range", (None, None))
    return Field(
        name,
        OPTION_TYPES[kind],
        ref=facts["to"] if kind == "related" else None,
        many=facts["to"] if kind == "related_list" else None,
        required=facts.get("required", False),
        secret=facts.get("secret", False),
        readable="readback" not in facts,
        immutable=facts.get("immutable", False),
        nullable=facts.get("nullable", False),
        default=[item[items] for item in default] if items and default else default,
        choices=tuple(facts["choices"]) if "choices" in facts else None,
        minimum=facts.get("min"),
        maximum=facts.get("max"),
        excluded=None if low is None else (low, high),
        min_length=facts.get("min_length"),
        max_length=facts.get("max_length"),
        items=items,
        # The facts give IPv6 addresses no format; 2001:db8::1 and 2001:DB8:0::1 are one all the same.
        ip=facts.get("format") == "ip_address" or name.startswith("ipv6_"),
        form=next((form for form in FORMS if name in (form, f"secondary_{form}")), None),
    )


def described_by_facts(field: Field) -> Field:
    """A table's entry without what only we decide: the option's name, what it is sent with, whether it drops calls."""
    return dataclasses.replace(field, alias=None, sent_with=None, drops_calls=False)


def sample(field: Field, number: int) -> Any:
    """One of two legal wire values of a field, never equal to each other."""
    if field.target:
        uri = f"/api/admin/configuration/v1/{field.target}/{number}/"
        return [uri] if field.many else uri
    if field.is_list:
        return [f"item{number}"]
    if field.choices:
        return field.choices[number % 2]
    if field.type == "bool":
        return bool(number % 2)
    if field.type == "int":
        return (field.maximum or 1000) - number
    if field.form == "netmask":
        return f"255.255.255.{256 - (4 << number)}"
    return f"192.0.2.{number}" if field.ip else f"text-{number:04}"


@every_case
def test_a_table_holds_every_writable_field_and_no_other(case: Case):
    names = [field.name for field in case.table.fields]
    assert len(names) == len(set(names))
    assert set(names) == set(case.writable)


@every_case
def test_a_field_that_the_module_fills_is_one_of_the_resource(case: Case):
    assert case.filled <= set(case.facts)


@every_case
def test_deprecated_fields_are_refused_and_said_to_be(case: Case):
    deprecated = {name for name, facts in case.facts.items() if facts.get("deprecated")}
    assert set(case.table.deprecated) == deprecated
    assert not deprecated & set(case.documentation["options"])
    notes = " ".join(case.documentation.get("notes", []))
    assert [name for name in deprecated if f"V({name})" not in notes] == []


@every_case
def test_identity_and_singleton_fit_the_methods_of_the_resource(case: Case):
    assert set(case.table.identity) <= {name for name, facts in case.facts.items() if facts.get("required")}
    creatable = "POST" in FACTS[case.table.name]["list_methods"]
    assert case.table.singleton is not creatable
    assert bool(case.table.identity) is creatable


@every_field
def test_a_field_agrees_with_the_facts(case: Case, field: Field):
    assert described_by_facts(field) == from_facts(field.name, case.facts[field.name])


@every_field
def test_a_reference_goes_to_a_known_resource(case: Case, field: Field):
    assert field.target is None or field.target in FACTS


@every_field
def test_a_field_drops_calls_only_where_the_facts_say_so(case: Case, field: Field):
    assert field.drops_calls is (field.name in case.drops_calls)


@every_field
def test_what_a_secret_goes_with_is_a_readable_field(case: Case, field: Field):
    if field.sent_with:
        assert not field.readable
        assert case.table.by_name[field.sent_with].readable


@every_case
def test_a_singleton_has_a_way_to_send_each_secret(case: Case):
    """A singleton is never created, so a secret of it would else be sent with update_secrets alone."""
    if case.table.singleton:
        assert [field.name for field in case.table.fields if not field.readable and not field.sent_with] == []


@pytest.mark.parametrize("case", CREATED.values(), ids=CREATED.keys())
def test_every_field_is_sent_at_creation(case: Case):
    desired = {field.name: sample(field, 1) for field in case.table.fields}
    assert set(plan(case.table, desired, None).payload) == set(desired)


@every_case
def test_every_field_that_can_change_is_sent_by_an_update(case: Case):
    fixed = {field.name for field in case.table.fields if field.immutable}
    current = {field.name: sample(field, 1) for field in case.table.fields if field.readable}
    desired = {field.name: sample(field, 2) for field in case.table.fields if field.name not in fixed}
    assert set(plan(case.table, desired, current, update_secrets="always").payload) == set(desired)


@every_case
def test_a_sample_is_legal(case: Case):
    """Else the two tests above would prove nothing."""
    for field in case.table.fields:
        assert field.problem(sample(field, 1)) is None
        assert sample(field, 1) != sample(field, 2)


@every_case
def test_the_documented_options_are_the_table_and_the_extra_ones(case: Case):
    assert set(case.documentation["options"]) == {field.option for field in case.table.fields} | case.extra


@every_field
def test_an_option_is_documented_as_the_table_has_it(case: Case, field: Field):
    option = case.documentation["options"][field.option]
    spec = field.spec()
    assert option["type"] == spec["type"]
    assert option.get("elements") == spec.get("elements")
    assert option.get("choices") == spec.get("choices")
    assert option.get("required", False) is (field.name in case.table.identity)
    assert "default" not in option, "a field's default is never sent, so it is described in words"


@every_field
def test_an_option_says_its_limits_and_its_default(case: Case, field: Field):
    text = " ".join(case.documentation["options"][field.option]["description"])
    limits = [field.min_length, field.max_length, field.minimum, field.maximum]
    if field.excluded:
        limits.append(field.excluded[1] + 1)
    assert [limit for limit in limits if limit is not None and not re.search(rf"\b{limit}\b", text)] == []
    defaults = field.default if isinstance(field.default, list) else [field.default]
    words = [json.dumps(value).strip('"') for value in defaults if value not in (None, "")]
    if not field.target:
        short = [word for word in words if len(word) <= LONGEST_DEFAULT_IN_WORDS]
        assert [word for word in short if f"V({word})" not in text] == []


@every_field
def test_a_field_that_creation_needs_or_that_is_fixed_says_so(case: Case, field: Field):
    text = " ".join(case.documentation["options"][field.option]["description"])
    if field.required and field.name not in case.table.identity:
        assert "Needed to create" in text
    assert ("cannot be changed" in text) is field.immutable


@every_case
def test_every_example_gives_options_that_exist(case: Case):
    name = f"pexip.infinity.{case.documentation['module']}"
    known = set(case.documentation["options"]) | {"clear", "update_secrets"}
    tasks = [task[name] for task in yaml.safe_load(case.module.EXAMPLES) if name in task]
    assert tasks
    assert [option for task in tasks for option in task if option not in known] == []
