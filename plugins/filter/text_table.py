# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A table for people at the end of a playbook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DOCUMENTATION = r"""
name: text_table
short_description: Rows as the lines of a plain text table
version_added: 0.1.0
author: the pexip.infinity authors
description: Aligns the columns, so that a M(ansible.builtin.debug) task can show objects as a table.
positional: columns
options:
  _input:
    description: The rows.
    type: list
    elements: dict
    required: true
  columns:
    description: For each column its title and the key of its value; dots lead into nested dictionaries.
    type: dict
    required: true
  empty:
    description: What stands for a value that is missing, null or empty.
    type: str
    default: "-"
"""

EXAMPLES = r"""
- name: Show the nodes
  ansible.builtin.debug:
    msg: "{{ found.nodes | pexip.infinity.text_table({'Node': 'name', 'Sync': 'status.sync_status'}) }}"
"""

RETURN = r"""
_value:
  description: The lines, the titles first.
  type: list
  elements: str
  sample: ["Node    Sync", "conf01  SYNCED"]
"""


def cell(row: Mapping[str, Any], path: str, empty: str) -> str:
    """The text of one value; lists are joined."""
    value: Any = row
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, (list, tuple)):
        value = ", ".join(str(item) for item in value)
    return empty if value is None or value == "" else str(value)


def text_table(rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str], empty: str = "-") -> list[str]:
    """Lines of a table with a title row and left-aligned columns, two spaces apart."""
    lines = [list(columns), *([cell(row, path, empty) for path in columns.values()] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(columns))]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"text_table": text_table}
