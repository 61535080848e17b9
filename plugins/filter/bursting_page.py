# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of cloud bursting as a web page."""

from __future__ import annotations

from typing import Any

DOCUMENTATION = r"""
name: bursting_page
short_description: The state of cloud bursting as one HTML page
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Shows what the platform's page Status > Cloud Bursting shows, the primary locations with their HD connections against the
    bursting threshold, the overflow locations, and the overflow nodes with state, running time and load; and the findings
    of P(pexip.infinity.bursting_findings#filter) where they are given.
  - The page is one file that loads nothing else. It is light or dark as the reader's system is, and made for wide screens,
    phones and paper. Everything in it is escaped.
options:
  _input:
    description: The RV(pexip.infinity.pexip_bursting_info#module:bursting) of M(pexip.infinity.pexip_bursting_info).
    type: dict
    required: true
  findings:
    description: The doctor's findings. Left out, the page has no such part.
    type: list
    elements: dict
  generated:
    description: When the platform was asked, in the form of ISO 8601.
    type: str
    default: ""
  title:
    description: What stands above the page; left out, C(Cloud bursting).
    type: str
    default: ""
  refresh:
    description: Number of seconds after which a browser loads the file again; V(0) for never.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Ask the platform
  pexip.infinity.pexip_bursting_info:
  register: status

- name: Keep the page
  ansible.builtin.copy:
    content: "{{ status.bursting | pexip.infinity.bursting_page(generated=now(utc=true).isoformat()) }}"
    dest: bursting.html
    mode: "0644"
"""

RETURN = r"""
_value:
  description: The HTML document.
  type: str
"""


def bursting_page(*state: Any, **shown: Any) -> str:
    """The document; see :func:`..plugin_utils.bursting_page.page`."""
    from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_page import page

    return page(*state, **shown)


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"bursting_page": bursting_page}
