#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Overflow nodes: starts them through the Management Node, by name, all, or as many as a capacity needs."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_cloud_node
short_description: Start the overflow nodes of a Pexip Infinity platform ahead of a big meeting
description:
  - Starts cloud overflow nodes through the Management Node, which has the right to start their instances, and waits until
    they are available. A node takes about 5 minutes for that.
  - Nodes are chosen by O(name), by O(all), or by O(capacity), which starts the fewest nodes that bring so many free HD
    connections. Nodes that run already count, and are left alone.
  - The platform stops an overflow node by itself when it is idle and has run for the minimum lifetime. Nothing stops one
    earlier.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes
requirements:
  - requests >= 2.31
notes:
  - A node is available when its instance runs and it has reported in, synchronised, since the instance was launched.
  - Nodes in maintenance mode host no new conference, so O(all) and O(capacity) leave them out. O(name) starts them, with
    a warning.
  - In check mode nothing is started and nothing is waited for.
options:
  name:
    description:
      - Names, or instance ids, of the overflow nodes to start.
    type: list
    elements: str
  all:
    description:
      - V(true) starts every overflow node.
    type: bool
  capacity:
    description:
      - Number of free HD connections that are wanted on overflow nodes. Those that are free on nodes that run count, and
        so does what nodes that are starting will bring.
      - When all nodes together cannot bring as many, nothing is started.
    type: int
  location:
    description:
      - Name of the overflow location whose nodes are meant. Left out, those of every overflow location.
    type: str
  start:
    description:
      - Whether to start anything. With V(false) the nodes are waited for only, for example when the platform itself is
        starting them.
    type: bool
    default: true
  wait:
    description:
      - Whether to wait until the nodes are available.
    type: bool
    default: true
  wait_timeout:
    description:
      - Number of seconds to wait.
    type: int
    default: 900
  poll_interval:
    description:
      - Number of seconds between two looks. The platform itself looks every 15 seconds.
    type: int
    default: 15
seealso:
  - module: pexip.infinity.pexip_bursting_info
  - name: Manually starting an overflow node
    description: The deployment guide's section on starting overflow nodes ahead of a spike in demand.
    link: https://docs.pexip.com/admin/aws_bursting.htm
"""

EXAMPLES = r"""
---
- name: Have 60 HD connections free on overflow nodes at nine
  pexip.infinity.pexip_cloud_node:
    capacity: 60

- name: Start every overflow node of one location, without waiting for them
  pexip.infinity.pexip_cloud_node:
    all: true
    location: AWS burst
    wait: false

- name: Start two overflow nodes
  pexip.infinity.pexip_cloud_node:
    name: [burst01, burst02]
"""

RETURN = r"""
---
nodes:
  description:
    - The nodes that were asked for, those that ran already included, with the keys that
      M(pexip.infinity.pexip_bursting_info) documents. RV(nodes[].in_contact) says whether a node is available.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the node.
      type: str
      sample: burst01
    state:
      description: State of its instance, in the words of EC2.
      type: str
      sample: running
    in_contact:
      description: Whether the instance runs and the node has reported in since it was launched.
      type: bool
      sample: true
    max_hd_calls:
      description: Number of HD connections that the node can host, null when it never told.
      type: int
      sample: 15
started:
  description: Names of the nodes that were, or in check mode would be, started.
  type: list
  elements: str
  returned: success
  sample: [burst01]
explanation:
  description: Why these nodes.
  type: str
  returned: success
  sample: "20 free HD connections asked for, 8 on the nodes that run or start; the fewest nodes that bring the other 12: burst01 (15)."
complete:
  description: Whether every node is available; true when nothing was waited for.
  type: bool
  returned: success
  sample: true
"""

from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.bursting import (
    ON,
    Choice,
    every_node,
    issues,
    nodes_by_name,
    nodes_for_capacity,
    overflow_nodes,
)
from ansible_collections.pexip.infinity.plugins.module_utils.client import Client, PexipError, resource_path
from ansible_collections.pexip.infinity.plugins.module_utils.converge import listing
from ansible_collections.pexip.infinity.plugins.module_utils.module import InfinityModule
from ansible_collections.pexip.infinity.plugins.module_utils.node import contact_line

OPTIONS = {
    "name": {"type": "list", "elements": "str"},
    "all": {"type": "bool"},
    "capacity": {"type": "int"},
    "location": {"type": "str"},
    "start": {"type": "bool", "default": True},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 900},
    "poll_interval": {"type": "int", "default": 15},
}
START = resource_path("platform__start_cloudnode", family="command")


class Fleet:
    """The overflow nodes of a platform, as they were read last."""

    def __init__(self, client: Client, places: bool):
        """Reads them; with ``places`` also the overflow locations' figures, and first (see hd_calls_coming)."""
        self.client = client
        self.places = self.status("cloud_overflow_location") if places else []
        self.read()

    def read(self) -> None:
        """Reads them, in two requests."""
        self.statuses = self.status("worker_vm")
        self.nodes = overflow_nodes(self.status("cloud_node"), self.statuses)

    def status(self, resource: str) -> list[dict[str, Any]]:
        """A status resource."""
        return self.client.list(resource_path(resource, family="status"))

    def choose(self, params: dict[str, Any]) -> Choice:
        """The nodes that the options ask for; raises PexipError for what is not there."""
        nodes, location = self.nodes, params["location"]
        if location:
            places = {node["location"] for node in nodes if node["location"]}
            if location not in places:
                raise PexipError(f"location: no overflow node is in {location!r}. {listing(location, sorted(places))}")
            nodes = [node for node in nodes if node["location"] == location]
        if params["name"] is not None:
            return nodes_by_name(nodes, params["name"], [status["name"] for status in self.statuses])
        if params["all"]:
            return every_node(nodes)
        meant = [row for row in self.places if location in (None, "", row["name"])]
        return nodes_for_capacity(nodes, params["capacity"], meant)

    def now(self, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """These nodes as they were read last."""
        by_id = {node["instance_id"]: node for node in self.nodes}
        return [by_id.get(node["instance_id"], node) for node in nodes]

    def start(self, nodes: list[dict[str, Any]]) -> None:
        """Starts nodes and reads the fleet again; raises PexipError that names each that could not be started."""
        failures = {}
        for node in nodes:
            try:
                self.client.post(START, {"instance_id": node["instance_id"]})
            except PexipError as error:
                failures[node["instance_id"]] = error
        self.read()
        # Started all the same: its answer was lost, or the platform itself was faster.
        refused = [node for node in self.now(nodes) if node["instance_id"] in failures and node["state"] not in ON]
        if refused:
            done = [node["name"] for node in nodes if node["instance_id"] not in failures]
            rest = f". Started: {', '.join(done)}" if done else ""
            told = [f"{node['name']} ({node['instance_id']}): {failures[node['instance_id']]}" for node in refused]
            raise PexipError(f"could not be started: {'; '.join(told)}{rest}")


def look(module: InfinityModule, client: Client) -> dict[str, Any]:
    """One look: starts what has to be started, and says what is still missing."""
    params = module.params
    fleet = Fleet(client, places=params["capacity"] is not None)
    try:
        choice = fleet.choose(params)
    except PexipError as error:
        # A platform that may not ask AWS lists no node at all; its issues tell why.
        told = issues([], fleet.status("alarm"))
        raise PexipError(" ".join([str(error), *(["Issues of the platform:", *told] if told else [])])) from None
    for node in choice.nodes:
        if node["maintenance_mode"]:
            module.ansible.warn(f"{node['name']} is in maintenance mode and will host no new conference")
    waits = params["wait"] and not module.check
    off = choice.off if params["start"] else []
    if not waits and not module.check and any(node["state"] == "stopping" for node in off):
        names = ", ".join(node["name"] for node in off if node["state"] == "stopping")
        raise PexipError(
            f"{names}: stopping now, and can be started only afterwards; say wait: true, or run this again"
        )
    starts = [node for node in off if module.check or node["state"] == "stopped"]
    if starts and not module.check:
        fleet.start(starts)
    nodes = fleet.now(choice.nodes)
    missing = [node for node in nodes if not node["in_contact"]] if waits else []
    result = {
        "changed": bool(starts),
        "nodes": nodes,
        "started": [node["name"] for node in starts],
        "explanation": choice.explanation,
        "complete": not missing,
    }
    if module.ansible._diff and starts:
        before = {node["name"]: node["state"] for node in starts}
        result["diff"] = [{"before": before, "after": dict.fromkeys(before, "running")}]
    return {**result, **waiting(missing, nodes, fleet.statuses)} if missing else result


def waiting(
    missing: list[dict[str, Any]], nodes: list[dict[str, Any]], statuses: list[dict[str, Any]]
) -> dict[str, Any]:
    """What an incomplete result says of the nodes that are missing."""
    by_name = {status["name"]: status for status in statuses}
    return {
        "waiting_for": f"{len(missing)} of {len(nodes)} overflow nodes to be available",
        "progress": [
            f"{contact_line(node['name'], by_name.get(node['name']))}; instance {node['state']}" for node in missing
        ],
        "remedy": "Look at Status > Cloud Bursting for issues, at the AWS console for why an instance does not start, and "
        "check that UDP 500 and ESP are allowed between these nodes and the Management Node.",
    }


def main() -> None:
    """Entry point of the module."""
    ways = ["name", "all", "capacity"]
    module = InfinityModule(OPTIONS, required_one_of=[ways], mutually_exclusive=[ways])
    empty = {"changed": False, "nodes": [], "started": [], "explanation": "There is no platform yet.", "complete": True}
    try:
        if module.params["all"] is False:
            raise PexipError("all: false asks for no node; give name or capacity instead")
        if module.params["capacity"] is not None and module.params["capacity"] < 1:
            raise PexipError(f"capacity: {module.params['capacity']} is not a number of HD connections (at least 1)")
        client = module.client()
        result = look(module, client) if client else empty
    except PexipError as error:
        module.fail(error)
    module.exit(**result)


if __name__ == "__main__":
    main()
