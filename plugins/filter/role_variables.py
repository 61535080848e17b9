# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of a role that nobody reads: most often a slip of the pen in the inventory."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

DOCUMENTATION = r"""
name: unknown_variables
short_description: Variables with a role's prefix that the role does not know
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Ansible accepts any variable name, so a misspelt role variable is silently without effect.
  - This filter names those that start with the role's name and are in none of its argument specs, each with the
    nearest known name.
  - Internal variables (C(<role>__x)) are left out.
positional: role, known
options:
  _input:
    description: Names of variables, for instance from P(ansible.builtin.varnames#lookup); a dictionary's keys will do.
    type: list
    elements: str
    required: true
  role:
    description: The role's short name, which is its variables' prefix.
    type: str
    required: true
  known:
    description: The known names as a list, or the content of the role's C(meta/argument_specs.yml).
    type: raw
    required: true
"""

EXAMPLES = r"""
- name: Refuse variables that the role does not know
  ansible.builtin.assert:
    that: my_role__unknown | length == 0
    fail_msg: "{{ my_role__unknown | join(' ') }}"
    quiet: true
  vars:
    my_role__unknown: >-
      {{ query('ansible.builtin.varnames', '^my_role_') | pexip.infinity.unknown_variables('my_role',
         lookup('ansible.builtin.file', role_path ~ '/meta/argument_specs.yml') | from_yaml) }}
"""

RETURN = r"""
_value:
  description: One sentence for each unknown variable; empty when there is none.
  type: list
  elements: str
  sample: ["my_role_sip_upd is not a variable of the role my_role: did you mean my_role_sip_udp?"]
"""


def known_names(known: Iterable[str] | Mapping) -> set[str]:
    """Names that a role accepts: a plain iterable, or the options of every entry point of an argument spec file."""
    specs = known.get("argument_specs") if isinstance(known, Mapping) else None
    if specs is None:
        return set(known)
    return {name for entry_point in specs.values() for name in entry_point.get("options") or {}}


def unknown_variables(names: Iterable[str], role: str, known: Iterable[str] | Mapping) -> list[str]:
    """Sentences about the variables in O(names) that carry the role's prefix and are not known, sorted by name."""
    accepted = known_names(known)
    prefix, internal = f"{role}_", f"{role}__"
    strangers = sorted({n for n in names if n.startswith(prefix) and not n.startswith(internal)} - accepted)
    return [_sentence(name, role, accepted) for name in strangers]


def _sentence(name: str, role: str, accepted: set[str]) -> str:
    nearest = difflib.get_close_matches(name, sorted(accepted), n=1, cutoff=0.0)
    hint = f"did you mean {nearest[0]}?" if nearest else "it has none."
    return f"{name} is not a variable of the role {role}: {hint}"


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"unknown_variables": unknown_variables}
