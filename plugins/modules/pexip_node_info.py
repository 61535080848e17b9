#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conferencing Nodes: configuration and live status joined."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_node_info
short_description: Read configuration and live status of Conferencing Nodes, or wait until they are in contact
description:
  - Reads Conferencing Nodes with their configuration and their live status joined, and, unless O(load=false), the
    numbers of conferences and participants that each carries.
  - With O(wait=contact) it waits until every node of O(name) has reported in and is synchronised, with one request a
    round for all of them and a line whenever something changes. A new node takes about 5 minutes.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes.info
requirements:
  - requests >= 2.31
options:
  name:
    description:
      - Names of the nodes to read. Left out, all of them. A name that is not registered is left out of the result,
        except with O(wait=contact), where it counts as missing.
    type: list
    elements: str
  system_location:
    description:
      - Names of system locations; only nodes in these are read.
    type: list
    elements: str
  node_type:
    description:
      - Only nodes of this type are read.
    type: str
    choices: [CONFERENCING, PROXYING]
  load:
    description:
      - Whether to read how many conferences and participants each node carries. With V(false) two requests less are
        made, and RV(nodes[].conferences) and RV(nodes[].participants) are left out.
    type: bool
    default: true
  wait:
    description:
      - V(contact) waits until every node of O(name) is in contact, which means that its C(sync_status) is V(SYNCED) and
        it has reported since O(since). In check mode nothing is waited for.
    type: str
    choices: [contact]
  since:
    description:
      - For some of the nodes, the C(last_updated) that was read before they were started; only a newer report counts.
        Else the V(SYNCED) of before a restart would pass for contact.
    type: dict
    default: {}
  wait_timeout:
    description:
      - Number of seconds to wait.
    type: int
    default: 900
  poll_interval:
    description:
      - Number of seconds between two looks.
    type: int
    default: 10
  fail_on_missing:
    description:
      - Whether the task fails when a node is not in contact in time. With V(false) each node's RV(nodes[].in_contact)
        says so, and a later task can fail for that node alone.
    type: bool
    default: true
seealso:
  - module: pexip.infinity.pexip_node
  - name: Deploying a Conferencing Node in AWS
    description: The deployment guide's section that says how long a node takes until it is in contact.
    link: https://docs.pexip.com/admin/aws_conferencing_node.htm
"""

EXAMPLES = r"""
- name: Every node with its status
  pexip.infinity.pexip_node_info:
  register: fleet

- name: The nodes of one location
  pexip.infinity.pexip_node_info:
    system_location: [London]

- name: Wait until two new nodes are in contact
  pexip.infinity.pexip_node_info:
    name: [conf01, conf02]
    wait: contact
    wait_timeout: 1200

- name: Is a node in contact? How busy it is does not matter
  pexip.infinity.pexip_node_info:
    name: [conf01]
    load: false
"""

RETURN = r"""
nodes:
  description:
    - The nodes, in the order of O(name) where that is given, else by name. Each holds the node's configuration as
      M(pexip.infinity.pexip_node) returns it and the keys below.
  type: list
  elements: dict
  returned: success
  contains:
    name:
      description: Name of the node.
      type: str
      sample: conf01
    registered:
      description: Whether the platform knows the node.
      type: bool
      sample: true
    system_location:
      description: Name of the node's system location.
      type: str
      sample: London
    in_contact:
      description: Whether the node is synchronised and has reported since O(since).
      type: bool
      sample: true
    last_seen:
      description: What the node last reported, in words.
      type: str
      sample: "conf01: last updated 2026-11-23T10:00:00, SYNCED"
    conferences:
      description: Number of conferences that the node carries.
      returned: with O(load=true)
      type: int
      sample: 0
    participants:
      description: Number of participants whose media the node carries.
      returned: with O(load=true)
      type: int
      sample: 0
    status:
      description: The node's status as the API gives it, null before there is one.
      type: dict
      sample: {"sync_status": "SYNCED", "version": "11.0.0 (26902.0.0)", "max_hd_calls": 15}
complete:
  description: Whether every node waited for is in contact; true when nothing was waited for.
  type: bool
  returned: success
  sample: true
"""

from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.client import Client, PexipError, resource_path
from ansible_collections.pexip.infinity.plugins.module_utils.masking import without_secrets
from ansible_collections.pexip.infinity.plugins.module_utils.module import InfinityModule
from ansible_collections.pexip.infinity.plugins.module_utils.node import Load, contact_line, in_contact, moment

OPTIONS = {
    "name": {"type": "list", "elements": "str"},
    "system_location": {"type": "list", "elements": "str"},
    "node_type": {"type": "str", "choices": ["CONFERENCING", "PROXYING"]},
    "load": {"type": "bool", "default": True},
    "wait": {"type": "str", "choices": ["contact"]},
    "since": {"type": "dict", "default": {}},
    "wait_timeout": {"type": "int", "default": 900},
    "poll_interval": {"type": "int", "default": 10},
    "fail_on_missing": {"type": "bool", "default": True},
}


def status_rows(client: Client) -> list[dict[str, Any]]:
    """The status of every node, in one request."""
    return client.list(resource_path("worker_vm", family="status"))


def seen(names: list[str], rows: list[dict[str, Any]], since: dict[str, str], load: bool) -> list[dict[str, Any]]:
    """What each of the named nodes last reported, from their status alone."""
    by_name = {row["name"]: row for row in rows}
    nodes = []
    for name in names:
        status = by_name.get(name)
        known = {
            "registered": status is not None,
            "status": status,
            "in_contact": in_contact(status, since.get(name)),
            "last_seen": contact_line(name, status),
        }
        nodes.append({**unregistered(name, load), **known})
    return nodes


def join(
    client: Client, rows: list[dict[str, Any]], names: list[str] | None, since: dict[str, str], load: bool
) -> list[dict[str, Any]]:
    """Configuration, status and, where asked for, load of the nodes, joined by the configuration's id."""
    configured = client.list(resource_path("worker_vm"))
    by_id = {row.get("configuration_id"): row for row in rows}
    carried = Load.read(client) if load else None
    # The status names a node's location; before there is one the configuration gives only its URI.
    locations = (
        {}
        if all(node["id"] in by_id for node in configured)
        else {item["resource_uri"]: item["name"] for item in client.list(resource_path("system_location"))}
    )
    joined = {}
    for node in without_secrets(configured):
        status = by_id.get(node["id"])
        joined[node["name"]] = {
            **node,
            "system_location": status["system_location"] if status else locations.get(node["system_location"]),
            "registered": True,
            "status": status,
            "in_contact": in_contact(status, since.get(node["name"])),
            "last_seen": contact_line(node["name"], status),
        }
        if carried:
            joined[node["name"]] |= {
                "conferences": carried.conferences(node),
                "participants": carried.participants(node),
            }
    return [joined.get(name) or unregistered(name, load) for name in (sorted(joined) if names is None else names)]


def unregistered(name: str, load: bool) -> dict[str, Any]:
    """The entry of a node that the platform does not know."""
    entry = {
        "name": name,
        "registered": False,
        "status": None,
        "in_contact": False,
        "last_seen": contact_line(name, None),
    }
    return {**entry, "conferences": 0, "participants": 0} if load else entry


def chosen(node: dict[str, Any], params: dict[str, Any]) -> bool:
    """Whether a node passes the filters."""
    if not node["registered"]:
        return params["wait"] is not None
    locations, kind = params["system_location"], params["node_type"]
    return (not locations or node["system_location"] in locations) and (not kind or node["node_type"] == kind)


def look(client: Client, params: dict[str, Any], check: bool) -> dict[str, Any]:
    """One look: the result, complete or not. A round of waiting costs one request; the join comes with the last."""
    names, since, load = params["name"], params["since"], params["load"]
    for name, value in since.items():
        try:
            moment(value or "2000-01-01")
        except (TypeError, ValueError):
            raise PexipError(f"since: {name}: {value!r} is not a last_updated of the platform") from None
    rows = status_rows(client)
    waited_for = seen(names, rows, since, load) if params["wait"] and not check else []
    missing = [node for node in waited_for if not node["in_contact"]]
    if missing:
        return {
            "complete": False,
            "nodes": waited_for,
            "waiting_for": f"{len(missing)} of {len(names)} Conferencing Nodes to be in contact",
            "progress": [node["last_seen"] for node in missing],
            "remedy": "Check that UDP 500 and ESP are allowed between these nodes and the Management Node, "
            "and that their instances run.",
        }
    nodes = join(client, rows, names, since, load)
    return {"complete": True, "nodes": [node for node in nodes if chosen(node, params)]}


def main() -> None:
    """Entry point of the module."""
    module = InfinityModule(OPTIONS, required_by={"wait": ["name"]})
    try:
        client = module.client()
        result = look(client, module.params, module.check) if client else {"nodes": [], "complete": True}
    except PexipError as error:
        module.fail(error)
    module.exit(changed=False, **result)


if __name__ == "__main__":
    main()
