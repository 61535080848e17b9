# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nodes need to become always-on or overflow nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

DOCUMENTATION = r"""
name: conversion_plans
short_description: What nodes need to become always-on or overflow nodes
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Compares Conferencing Nodes with what the inventory's groups say of them, by the guide's rules for converting between
    always-on and overflow nodes. Asks nothing itself; the role P(pexip.infinity.node_conversion#role) fetches.
positional: chosen, found
options:
  _input:
    description: All nodes of the inventory, as P(pexip.infinity.wanted_hosts#filter) gives them.
    type: list
    elements: dict
    required: true
  chosen:
    description: Names of the nodes to plan for.
    type: list
    elements: str
    required: true
  found:
    description:
      - C(platform), the Management Node's host name in our tags; C(host_name), the platform's own; C(overflow), the map of
        primary to overflow locations; C(nodes) as M(pexip.infinity.pexip_node_info) returns them;
        C(instances) as M(amazon.aws.ec2_instance_info) lists them; C(elastic), the account's Elastic IP addresses;
        C(locations), names; C(adopt) and C(force); and
        C(floor), the number of HD connections that stay in service.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what converting the fleet would do
  ansible.builtin.debug:
    msg: "{{ fleet | pexip.infinity.conversion_plans(['conf01'], found) }}"
"""

RETURN = r"""
_value:
  description:
    - For each chosen node C(name), C(to), C(location), C(address), C(instance), C(steps) (empty when it is what it should
      be), C(does) (how it is taken out of service), C(loses_address) (whether its static NAT address has to be cleared)
      and C(problems), sentences that name what forbids the conversion and what to do.
  type: list
  elements: dict
"""


def conversion_plans(
    nodes: Iterable[Mapping[str, Any]], chosen: Iterable[str], found: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The plans of the chosen nodes; see :func:`..plugin_utils.conversion.plans`."""
    from ansible_collections.pexip.infinity.plugins.plugin_utils.conversion import Found, Wanted, plans

    wanted = [
        Wanted(node["name"], bool(node["overflow"]), node.get("location"), node.get("public_address") or "none")
        for node in nodes
    ]
    return plans(wanted, list(chosen), Found(**found))


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"conversion_plans": conversion_plans}
