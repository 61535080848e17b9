# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the roles are fed: each variable with values of other types, and one that no role knows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROLES = Path(__file__).parents[2] / "roles"
# Values that are of no use where this type is asked for.
OTHER_TYPES: dict[str, tuple[Any, ...]] = {
    "int": ("many", "1.5"),
    "float": ("soon",),
    "bool": ("perhaps",),
    "dict": ("nothing", [1]),
    "list": ({"a": 1},),
}
ENTRIES = {
    "bursting_report": "check",
    "cloud_bursting": "judge",
    "conferencing_node": "look_up",
    "node_maintenance": "stop",
}
NO_CHOICE = "nonsense?%2f../"


@dataclass(frozen=True)
class Case:
    """A role's entry point, one of its variables with a bad value, and what the message has to name."""

    role: str
    entry: str
    variable: str
    value: Any
    named: str

    def __str__(self) -> str:
        return f"{self.role} ({self.entry}): {self.variable} {self.value!r}"


def names(word: str, text: str) -> bool:
    """Whether a text holds a word as a whole."""
    return re.search(rf"(?<![\w.]){re.escape(word)}(?!\w)", text) is not None


def of_roles() -> list[Case]:
    """Every variable of every role with values of other types."""
    found = []
    for file in sorted(ROLES.glob("*/meta/argument_specs.yml")):
        role, seen = file.parts[-3], set()
        for entry, spec in yaml.safe_load(file.read_text())["argument_specs"].items():
            options = spec.get("options") or {}
            for name, option in options.items():
                if name not in seen:
                    seen.add(name)
                    found += [Case(role, entry, name, value, named) for value, named in _bad(name, option)]
    return found


def unheard_of() -> list[Case]:
    """Of every role the entry point that its playbooks begin with, and a variable that the role does not know."""
    entries = {role.name: ENTRIES.get(role.name, "main") for role in sorted(ROLES.iterdir()) if role.is_dir()}
    return [Case(role, entry, f"{role}_unheard_of", 1, f"{role}_unheard_of") for role, entry in entries.items()]


def _bad(name: str, option: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    if "choices" in option:
        yield NO_CHOICE, name
    # Ansible itself stumbles over a list in the place of a dictionary whose keys it knows.
    for value in OTHER_TYPES.get(option.get("type", "str"), ())[: 1 if "options" in option else None]:
        yield value, name
    for inner, spec in (option.get("options") or {}).items():
        for value, named in _bad(inner, spec):
            item = {"name": "Bad input", inner: value} if "name" in option["options"] else {inner: value}
            yield ([item] if option["type"] == "list" else item), named
    if "options" in option:
        item = {"unheard_of": 1}
        yield ([item] if option["type"] == "list" else item), f"{name}.unheard_of"
