# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task changed, or under --check would change, as rows for a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: changes
short_description: Rows about what a task changed
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Takes what a task registered, with or without a loop, and gives a row for each change. A task that was skipped, or
    never came to run, gives none.
positional: object, action
options:
  _input:
    description: What the task registered.
    type: dict
    required: true
  object:
    description: The kind of thing that the task is about.
    type: str
    required: true
  action:
    description: What it does to the thing.
    type: str
    required: true
  name:
    description: Where a row's name lies in an item's result, dots lead into dictionaries; or a name for all rows.
    type: str
    default: item
"""

EXAMPLES = r"""
- name: Tell what would be done
  ansible.builtin.debug:
    msg: "{{ made | pexip.infinity.changes('security group', 'make') }}"
"""

RETURN = r"""
_value:
  description: A row for each change, with C(object), C(name) and C(action).
  type: list
  elements: dict
  sample: [{object: security group, name: pexip-nodes, action: make}]
"""


def changes(registered: Mapping[str, Any] | None, object: str, action: str, name: str = "item") -> list[dict[str, str]]:
    """Rows of the changed results. `name` is a path into a result or, where nothing lies there, the name itself."""
    registered = registered or {}
    results = registered["results"] if isinstance(registered.get("results"), list) else [registered]
    return [
        {"object": object, "name": _dig(result, name), "action": action} for result in results if result.get("changed")
    ]


def _dig(result: Any, path: str) -> str:
    for key in path.split("."):
        if not isinstance(result, Mapping) or key not in result:
            return path
        result = result[key]
    return str(result)


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"changes": changes}
