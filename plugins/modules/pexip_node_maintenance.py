#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance mode of Conferencing Nodes, and the wait until they carry no conference."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_node_maintenance
short_description: Put Conferencing Nodes into maintenance mode, wait until they carry no conference, and take them out again
description:
  - A node in maintenance mode accepts no new conferences; those that it hosts go on. Put a node into it before its
    instance is stopped, converted or removed.
  - With O(drain=true) the module waits until every node of O(name) carries no conference, with three or four requests a
    round for all of them and a line whenever something changes.
  - The reason that the platform keeps begins with V(pexip.infinity:), so that the module takes out of maintenance mode
    only what it put there, and leaves alone what somebody else did.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes
requirements:
  - requests >= 2.31
notes:
  - A node has drained when it hosts no conference, no participant's media, signaling or proxying passes through it, and
    it knows of its maintenance mode, which the platform shows as synchronised. A node that does not report, because its
    instance is stopped, has drained, too, unless O(in_contact=true).
  - In check mode nothing is waited for, and a node that carries conferences is warned of.
options:
  name:
    description:
      - Names of the nodes. A name that is not registered is refused before anything is changed.
    type: list
    elements: str
    required: true
  state:
    description:
      - Whether the nodes are in maintenance mode.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description:
      - Why the nodes are in maintenance mode, kept as V(pexip.infinity:) and this text, at most 250 characters together.
    type: str
    default: maintenance
  only_ours:
    description:
      - Whether a maintenance mode that somebody else set, whose reason does not begin with V(pexip.infinity:), is left
        as it is. With O(state=absent) the node then stays in maintenance mode, and a warning says so. With
        O(state=present) it keeps its reason.
      - With V(false) the module takes it over or takes it away.
    type: bool
    default: true
  drain:
    description:
      - Whether to wait until the nodes carry no conference. Only with O(state=present).
    type: bool
    default: false
  in_contact:
    description:
      - Whether a node must report to count as drained. Say so of nodes whose instances run. One that runs and does not
        reach the Management Node may carry calls that nobody sees.
    type: bool
    default: false
  drain_timeout:
    description:
      - Number of seconds to wait for that.
    type: int
    default: 3600
  poll_interval:
    description:
      - Number of seconds between two looks.
    type: int
    default: 15
  on_timeout:
    description:
      - What happens when a node still carries a conference after O(drain_timeout).
      - V(fail) fails and leaves the nodes in maintenance mode, so that the next run goes on waiting.
      - V(restore) fails, too, and takes the nodes out of maintenance mode again, where it is ours. With
        O(fail_on_missing=false) only those that still carry a conference.
      - V(force) goes on with a warning. What follows will drop the calls.
    type: str
    choices: [fail, restore, force]
    default: fail
  fail_on_missing:
    description:
      - Whether the task fails when a node has not drained in time. With V(false) each node's RV(nodes[].drained) says
        so, and a later task can fail for that node alone.
    type: bool
    default: true
seealso:
  - module: pexip.infinity.pexip_node
  - module: pexip.infinity.pexip_node_info
  - name: Managing AWS instances
    description: The deployment guide's section on stopping, restarting and removing a Conferencing Node instance.
    link: https://docs.pexip.com/admin/aws_managing.htm
"""

EXAMPLES = r"""
---
- name: Let two nodes accept no new conferences, and wait until theirs have ended
  pexip.infinity.pexip_node_maintenance:
    name: [conf01, conf02]
    reason: instances are about to be stopped
    drain: true

- name: Wait half an hour at most, else let the nodes serve again
  pexip.infinity.pexip_node_maintenance:
    name: [conf01]
    drain: true
    drain_timeout: 1800
    on_timeout: restore

- name: Let them accept conferences again, unless somebody else put them into maintenance mode
  pexip.infinity.pexip_node_maintenance:
    name: [conf01, conf02]
    state: absent
"""

RETURN = r"""
---
nodes:
  description: The nodes, in the order of O(name).
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the node.
      type: str
      sample: conf01
    maintenance_mode:
      description: Whether the node is in maintenance mode.
      type: bool
      sample: true
    maintenance_mode_reason:
      description: The reason as the platform keeps it.
      type: str
      sample: "pexip.infinity: maintenance"
    ours:
      description: Whether the node is in maintenance mode, and its reason begins with V(pexip.infinity:).
      type: bool
      sample: true
    conferences:
      description: Number of conferences that the node hosts.
      type: int
      sample: 0
    participants:
      description: Number of participants whose media, signaling or proxying passes through the node.
      type: int
      sample: 0
    drained:
      description: >-
        Whether the node is in maintenance mode and carries nothing. With O(drain=true) also whether it is known to have
        heard of the mode, so that no conference can begin any more.
      type: bool
      sample: true
complete:
  description: Whether every node has drained; true when nothing was waited for.
  type: bool
  returned: success
  sample: true
"""

from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.converge import Platform
from ansible_collections.pexip.infinity.plugins.module_utils.maintenance import MAINTENANCE, Look, look, marked
from ansible_collections.pexip.infinity.plugins.module_utils.module import InfinityModule

OPTIONS = {
    "name": {"type": "list", "elements": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "reason": {"type": "str", "default": "maintenance"},
    "only_ours": {"type": "bool", "default": True},
    "drain": {"type": "bool", "default": False},
    "in_contact": {"type": "bool", "default": False},
    "drain_timeout": {"type": "int", "default": 3600},
    "poll_interval": {"type": "int", "default": 15},
    "on_timeout": {"type": "str", "choices": ["fail", "restore", "force"], "default": "fail"},
    "fail_on_missing": {"type": "bool", "default": True},
}


def report(platform: Platform, seen: Look, drain: bool) -> dict[str, Any]:
    """The task's result after a look, with the diff of every node that was changed."""
    nodes = [seen.entry(result) for result in seen.results]
    busy = [node for node in nodes if not node["drained"]] if drain and not platform.check else []
    changes = [result for result in seen.results if result.changed]
    diffs = []
    for result in changes:
        label = MAINTENANCE.label(result.current or {})
        shown = platform.diff(MAINTENANCE, result.plan, result.before)
        diffs.append({**shown, "before_header": label, "after_header": label})
    result = {"changed": bool(changes), "nodes": nodes, "complete": not busy, "diff": diffs}
    if not busy:
        return result
    return {
        **result,
        "waiting_for": f"{len(busy)} of {len(nodes)} Conferencing Nodes to carry no conference",
        "progress": [f"{node['name']}: {carried(node)}" for node in busy],
        "remedy": "Ask the participants to end their conferences, wait longer (drain_timeout), or choose what happens by on_timeout.",
    }


def carried(node: dict[str, Any]) -> str:
    """What a node carries, in words."""
    if node["conferences"] or node["participants"]:
        return f"conferences {node['conferences']}, participants {node['participants']}"
    return "carries nothing that the platform knows of; has yet to confirm its maintenance mode"


def main() -> None:
    """Entry point of the module."""
    module = InfinityModule(OPTIONS)
    params = module.params
    entering = params["state"] == "present"
    try:
        if params["drain"] and not entering:
            raise PexipError("drain: true is for state present; a node that leaves maintenance mode need not drain")
        reason = marked(params["reason"]) if entering else None
        platform = Platform(module.client(), check=module.check)
        seen = look(platform, params["name"], reason, params["only_ours"], params["drain"], params["in_contact"])
        result = report(platform, seen, params["drain"])
    except PexipError as error:
        module.fail(error)
    for node in result["nodes"] if module.check and entering else []:
        if node["conferences"] or node["participants"]:
            wait = "; the drain would wait for them" if params["drain"] else ""
            platform.warnings.append(f"{MAINTENANCE.label(node)} carries calls: {carried(node)}{wait}")
    for warning in platform.warnings:
        module.ansible.warn(warning)
    if not module.ansible._diff:
        del result["diff"]
    module.exit(**result)


if __name__ == "__main__":
    main()
