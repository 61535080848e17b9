# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do to stop, start or remove nodes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: lifecycle_plans
short_description: What is left to do to stop, start or remove nodes
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Compares Conferencing Nodes and their instances with what a job makes of them, by the guide's chapter on managing AWS
    instances. Asks nothing itself; the roles P(pexip.infinity.node_maintenance#role) and
    P(pexip.infinity.node_removal#role) fetch and act.
positional: job, found
options:
  _input:
    description:
      - The nodes of a batch, each with C(name), C(overflow) (whether the inventory has it in C(pexip_overflow)),
        C(public_address) (V(none), V(dynamic) or V(elastic)), C(adopt), and C(floor_nodes) and C(floor_hd), the nodes and HD
        connections that its location keeps in service; the most that one of a location's nodes gives holds for it. They are
        taken out of service in this order while the floor holds.
    type: list
    elements: dict
    required: true
  job:
    description: What is to be done.
    type: str
    choices: [stop, start, restart, refresh_static_nat, remove]
    required: true
  found:
    description:
      - C(platform), the Management Node's host name in our tags; C(host_name), the platform's own; C(nodes) as
        M(pexip.infinity.pexip_node_info) returns them; C(instances) as M(amazon.aws.ec2_instance_info) and C(addresses) as
        M(amazon.aws.ec2_eip_info) list them; C(overflow), the map of primary to overflow locations; and C(stopped), names
        of nodes to be taken for stopped.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Say what stopping conf01 would do
  ansible.builtin.debug:
    msg: "{{ [{'name': 'conf01'}] | pexip.infinity.lifecycle_plans('stop', found) }}"
"""

RETURN = r"""
_value:
  description:
    - For each node C(name), C(location), C(instance), C(power), C(does) (what a role acts on), C(steps) (the same in
      words; empty when nothing is left to do), C(reserved) (whether somebody else has it in maintenance mode),
      C(releases) (Elastic IP addresses) and C(problems), sentences that name what forbids it and what to do.
  type: list
  elements: dict
"""


def lifecycle_plans(nodes: Iterable[Mapping[str, Any]], job: str, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The plans of the nodes; see :func:`..plugin_utils.lifecycle.plans`."""
    from ansible_collections.pexip.infinity.plugins.plugin_utils.lifecycle import Found, Wanted, plans

    try:
        return plans(job, [Wanted(**node) for node in nodes], Found(**found))
    except (TypeError, ValueError) as error:
        raise AnsibleFilterError(f"lifecycle_plans: {error}") from error


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"lifecycle_plans": lifecycle_plans}
