# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of cloud bursting for a terminal."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = r"""
name: bursting_lines
short_description: The state of cloud bursting as the lines of plain text tables
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Puts what M(pexip.infinity.pexip_bursting_info) returns into the words of the page Status > Cloud Bursting, and the
    findings of P(pexip.infinity.bursting_findings#filter), where they are given, into a line each.
options:
  _input:
    description: The RV(pexip.infinity.pexip_bursting_info#module:bursting) of M(pexip.infinity.pexip_bursting_info).
    type: dict
    required: true
  findings:
    description: The doctor's findings. Left out, nothing is said of them.
    type: list
    elements: dict
"""

EXAMPLES = r"""
- name: Ask the platform
  pexip.infinity.pexip_bursting_info:
  register: status

- name: Show how bursting is
  ansible.builtin.debug:
    msg: "{{ status.bursting | pexip.infinity.bursting_lines }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample:
    - "Bursting on manager: threshold 5 HD connections, minimum lifetime 50 minutes."
    - ""
    - "Primary location  Media load  Available HD                   Overflows to"
    - "London            84 %        6 of 40, approaching threshold  AWS burst"
"""


def bursting_lines(*state: Any) -> list[str]:
    """The lines; see :func:`..plugin_utils.bursting_words.lines`."""
    from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_words import lines

    return lines(*state)


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"bursting_lines": bursting_lines}
