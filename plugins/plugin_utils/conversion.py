# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conversion between always-on and overflow nodes: what differs from the inventory's groups, and what forbids it.

Source: the guide's "Deployment guidelines and additional information" on converting nodes, both ways. Pure: the role
fetches, this decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .node_instance import CONVERTING, NODE, OURS, TAG, Instance, candidates, identity_problems, tags

OVERFLOW, ALWAYS_ON = "overflow", "always-on"


@dataclass(frozen=True)
class Wanted:
    """What the inventory asks of a node: see the filter ``wanted_hosts``."""

    name: str
    overflow: bool
    location: str | None = None
    public_address: str = "none"

    @property
    def kind(self) -> str:
        """Its kind in the guide's words."""
        return OVERFLOW if self.overflow else ALWAYS_ON


@dataclass(frozen=True)
class Found:
    """What the account and the platform hold.

    ``platform`` is the Management Node's host name in the inventory and so in our tags, ``host_name`` the one that the
    platform itself goes by, which bursting looks for. ``overflow`` maps primary to overflow locations. ``nodes`` as
    ``pexip_node_info`` returns them, ``instances`` as ``ec2_instance_info`` lists them, ``elastic`` the account's Elastic
    IP addresses, ``locations`` the names of all system locations, ``floor`` a number of HD connections.
    """

    platform: str
    host_name: str
    nodes: list[dict[str, Any]]
    instances: list[Instance]
    locations: list[str]
    adopt: bool = False
    force: bool = False
    floor: int = 0
    overflow: Mapping[str, str] = field(default_factory=dict)
    elastic: list[str] = field(default_factory=list)
    by_name: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {node["name"]: node for node in self.nodes})

    def candidates(self, name: str) -> list[Instance]:
        """The instances that may be a node's."""
        address = self.by_name.get(name, {}).get("address")
        return candidates(self.instances, name, self.platform, address, self.adopt)

    def tag(self, name: str) -> str | None:
        """The value of a node's tag ``pexip-cloud``; None without tag or instance."""
        for instance in self.candidates(name):
            if TAG in tags(instance):
                return tags(instance)[TAG]
        return None


def plans(wanted: list[Wanted], chosen: list[str], found: Found) -> list[dict[str, Any]]:
    """What each chosen node needs, in their order.

    Each plan holds ``name``, ``to`` (overflow or always-on), ``location``, ``steps`` (words, empty when the node is what
    it should be), ``does`` (how it is taken out of service), ``loses_address`` (whether its static NAT address will not be
    its instance's any more), ``instance`` (null when there is none), ``address`` and ``problems`` (sentences).

    :param wanted: every node of the inventory, so that a location's later occupants are known under a limit
    :param chosen: names of the nodes of this batch
    """
    fleet = {node.name: node for node in wanted}
    result = [_plan(fleet[name], found) for name in chosen]
    for plan in [plan for plan in result if plan["steps"] and not plan["problems"]]:
        plan["problems"].extend(_mixing(fleet[plan["name"]], fleet, found))
    leaving, below = _floor(result, found)
    for plan in [plan for plan in result if plan["name"] in leaving]:
        plan["problems"].extend(below)
    return result


def _plan(node: Wanted, found: Found) -> dict[str, Any]:
    current = found.by_name.get(node.name)
    instances = found.candidates(node.name)
    instance = instances[0] if len(instances) == 1 else None
    problems = list(identity_problems(node.name, found.platform, current, instances, found.adopt))
    steps = [] if problems else list(_steps(node, current, instance, found))
    loses_address = bool(steps) and _loses_address(node, current, instance, found)
    if steps:
        problems.extend(_place(node, current, found))
    if loses_address:
        steps.append(f"clear the static NAT address {current['static_nat_address']}")
    return {
        "name": node.name,
        "to": node.kind,
        "location": node.location,
        "address": (current or {}).get("address"),
        "instance": instance,
        "steps": steps,
        "does": list(_leaving_service(instance)) if steps else [],
        "loses_address": loses_address,
        "problems": problems,
    }


def _leaving_service(instance: Instance) -> Iterator[str]:
    """What taking a node out of service does, in the words of the role node_maintenance, whose tasks do it."""
    if NODE not in tags(instance):
        yield "adopt"
    if TAG in tags(instance):
        yield "untag"
    yield "maintain"


def _steps(node: Wanted, current: Mapping, instance: Mapping, found: Found) -> Iterator[str]:
    """What is left to do. The order in which it is done is the role's."""
    if not node.overflow and TAG in tags(instance):
        yield f"take the tag {TAG} away"
    if node.location and current["system_location"] != node.location:
        yield f"move to {node.location}"
    if bool(current["enable_distributed_database"]) == node.overflow:
        yield f"distributed database {'off' if node.overflow else 'on'}"
    if node.overflow and tags(instance).get(TAG) != found.host_name:
        yield f"stop and tag {TAG}: {found.host_name}"
    if current.get("maintenance_mode") and str(current.get("maintenance_mode_reason") or "").startswith(CONVERTING):
        yield "finish the conversion that was begun"


def _loses_address(node: Wanted, current: Mapping, instance: Mapping, found: Found) -> bool:
    """Guide, "Reinstating": an address that was assigned to a running instance is another one's after the next start."""
    public = instance.get("public_ip_address")
    assigned = bool(public) and public not in found.elastic
    return node.overflow and assigned and current.get("static_nat_address") == public


def _place(node: Wanted, current: Mapping, found: Found) -> Iterator[str]:
    """The location that it goes to, the address that an overflow node may have, and whether it may be touched now."""
    if not node.location:
        yield f"{node.name}: pexip_location is not given: name the system location that it goes to"
    elif node.location not in found.locations:
        yield (
            f"{node.name}: pexip_location {node.location} does not exist on the platform; there are: "
            f"{', '.join(sorted(found.locations))}"
        )
    elif found.overflow and node.overflow != (node.location in found.overflow.values()):
        there = ", ".join(sorted(set(found.overflow.values())))
        yield (
            f"{node.name} becomes {node.kind}, and pexip_location {node.location} is "
            f"{'no overflow location' if node.overflow else 'an overflow location'}: give it another one "
            f"(pexip_overflow has these overflow locations: {there})"
        )
    reason = str(current.get("maintenance_mode_reason") or "")
    if current.get("maintenance_mode") and not reason.startswith(OURS):
        yield (
            f"{node.name} is in maintenance mode, which somebody else set ({reason or 'no reason given'}): it would be "
            "left in it and host nothing; take it out of maintenance mode first"
        )
    if node.overflow and node.public_address == "dynamic" and not found.force:
        yield (
            f"{node.name}: pexip_public_address is dynamic: the platform starts and stops overflow nodes by itself, and "
            "their static NAT address would then be another one's: use elastic or none, or set pexip_force: true"
        )


def _mixing(node: Wanted, fleet: Mapping[str, Wanted], found: Found) -> Iterator[str]:
    """Guide, "Deployment guidelines": always-on and overflow nodes do not share a location."""
    for other in found.nodes:
        if other["name"] == node.name:
            continue
        member = fleet.get(other["name"])
        location = (member.location if member and member.location else None) or other["system_location"]
        overflow = member.overflow if member else found.tag(other["name"]) == found.host_name
        if location == node.location and overflow != node.overflow:
            yield (
                f"{node.name}: pexip_location {node.location} is also that of the "
                f"{OVERFLOW if overflow else ALWAYS_ON} node {other['name']}, and {node.name} becomes {node.kind}: "
                "always-on and overflow nodes go into different locations"
            )


def _floor(result: list[dict[str, Any]], found: Found) -> tuple[set[str], list[str]]:
    """Which always-on nodes in service this batch takes out, and what forbids it.

    Every node with a step goes into maintenance mode, those that come back to the same capacity, too.
    """
    serving = {
        node["name"]: int((node.get("status") or {}).get("max_hd_calls") or 0)
        for node in found.nodes
        if node.get("in_contact")
        and not node.get("maintenance_mode")
        and node.get("node_type", "CONFERENCING") == "CONFERENCING"
        and found.tag(node["name"]) is None
    }
    leaving = {plan["name"] for plan in result if plan["steps"]} & serving.keys()
    left = sum(capacity for name, capacity in serving.items() if name not in leaving)
    if not leaving or left >= found.floor:
        return leaving, []
    return leaving, [
        f"node_conversion_floor is {found.floor} HD connections: without {', '.join(sorted(leaving))} the always-on "
        f"nodes in service have {left} of {sum(serving.values())}: convert fewer at a time (pexip_serial), bring "
        "other nodes into service first, or lower the floor"
    ]
