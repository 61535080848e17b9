# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left to do to stop, start or remove Conferencing Nodes, or to correct their static NAT address, and what forbids it.

Source: the guide's "Managing AWS instances". Pure: the roles fetch and act, this decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.node import silent

from .node_instance import (
    CONVERTING,
    GOING,
    NODE,
    OURS,
    PLATFORM,
    TAG,
    Instance,
    at_address,
    candidates,
    identity_problems,
    instance_problems,
    networks,
    own,
    power,
    tags,
)

STOP, START, RESTART, REFRESH, REMOVE = "stop", "start", "restart", "refresh_static_nat", "remove"
AWAKE = ("pending", "running")
UNDER_WAY = (f"{OURS}restarting", f"{OURS}starting")
Steps = Iterator[tuple[str, str]]  # what the role looks for, and the same in words


@dataclass(frozen=True)
class Wanted:
    """What the inventory says of a node.

    ``public_address`` is none, dynamic or elastic; ``adopt`` says whether an instance without our tags may be the node's, by
    its address. ``floor_nodes`` and ``floor_hd`` (HD connections) are what its location keeps in service without it.
    """

    name: str
    overflow: bool = False
    public_address: str = "none"
    adopt: bool = False
    floor_nodes: int = 1
    floor_hd: int = 0


@dataclass(frozen=True)
class Found:
    """What the account and the platform hold.

    ``platform`` is the Management Node's host name in the inventory and so in our tags, ``host_name`` the one that the
    platform itself goes by. ``nodes`` as ``pexip_node_info`` returns them, ``instances`` as ``ec2_instance_info`` and
    ``addresses`` as ``ec2_eip_info`` list them, ``overflow`` maps primary to overflow locations. ``stopped`` names nodes that
    are to be taken for stopped already: in check mode a restart stops nothing before it says what its start would do.
    """

    platform: str
    host_name: str
    nodes: list[dict[str, Any]]
    instances: list[Instance]
    addresses: list[dict[str, Any]] = field(default_factory=list)
    overflow: Mapping[str, str] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    by_name: dict[str, dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {node["name"]: node for node in self.nodes})

    def candidates(self, name: str, adopt: bool) -> list[Instance]:
        """The live instances that may be a node's."""
        address = self.by_name.get(name, {}).get("address")
        found = candidates(self.instances, name, self.platform, address, adopt)
        if name not in self.stopped:
            return found
        kept = [{key: value for key, value in tags(instance).items() if key != TAG} for instance in found]
        asleep = {"state": {"name": "stopped"}}
        return [{**instance, **asleep, "tags": left} for instance, left in zip(found, kept, strict=True)]

    def node(self, name: str) -> dict[str, Any] | None:
        """A node's configuration and status; None where it is not registered."""
        node = self.by_name.get(name)
        if node is None or name not in self.stopped or node.get("maintenance_mode"):
            return node
        return {**node, "maintenance_mode": True, "maintenance_mode_reason": OURS}

    def releases(self, name: str) -> list[dict[str, Any]]:
        """The Elastic IP addresses that carry a node's tags."""
        ours = {NODE: name, PLATFORM: self.platform}
        return [
            address
            for address in self.addresses
            if all((address.get("tags") or {}).get(key) == value for key, value in ours.items())
        ]

    @property
    def reports(self) -> list[dict[str, Any]]:
        """What the nodes last reported."""
        return [node["status"] for node in self.nodes if node.get("status")]

    def serving(self) -> dict[str, dict[str, int]]:
        """HD connections of the always-on nodes in service, by location and name.

        In service is a node that hosts conferences, is in contact, not in maintenance mode, and not stopped. Overflow nodes
        come and go, so they are nothing to count on.
        """
        rows = self.reports
        result: dict[str, dict[str, int]] = {}
        for node in self.nodes:
            status = node.get("status") or {}
            name = node["name"]
            # To count touches nothing, so its address is enough. One of ours that was terminated has taken the node with it,
            # whatever that last reported.
            machine = next(iter(self.candidates(name, adopt=True) or own(self.instances, name, self.platform)), None)
            if (
                node.get("in_contact")
                and not silent(status, rows)
                and not node.get("maintenance_mode")
                and node.get("node_type", "CONFERENCING") == "CONFERENCING"
                and power(machine) in ("", "running")
                and TAG not in tags(machine)
            ):
                result.setdefault(node["system_location"], {})[name] = int(status.get("max_hd_calls") or 0)
        return result


@dataclass(frozen=True)
class Case:
    """One node: what is wanted of it, and what was found of it."""

    wanted: Wanted
    found: Found
    node: dict[str, Any] | None
    instances: list[Instance]

    @property
    def name(self) -> str:
        """The node's name."""
        return self.wanted.name

    @property
    def instance(self) -> Instance | None:
        """Its instance, where there is no doubt."""
        return self.instances[0] if len(self.instances) == 1 else None

    @property
    def reason(self) -> str | None:
        """The reason of its maintenance mode; None where it is in none."""
        if not (self.node or {}).get("maintenance_mode"):
            return None
        return str((self.node or {}).get("maintenance_mode_reason") or "")

    @property
    def ours(self) -> bool:
        """Whether one of our playbooks has it in maintenance mode."""
        return (self.reason or "").startswith(OURS)

    @property
    def reserved(self) -> bool:
        """Whether somebody else has it in maintenance mode."""
        return self.reason is not None and not self.ours

    @property
    def stale_nat(self) -> bool:
        """Whether its instance runs and has another public address than the node's static NAT address."""
        if self.wanted.public_address == "none" or power(self.instance) != "running":
            return False
        public = (self.instance or {}).get("public_ip_address")
        return bool(public) and public != (self.node or {}).get("static_nat_address")


def plans(job: str, wanted: list[Wanted], found: Found) -> list[dict[str, Any]]:
    """What each node of a batch needs, in their order; raises ValueError for an unknown job.

    Each plan holds ``name``, ``location``, ``instance`` (null when there is none), ``power`` (its state), ``does`` (what
    the role does, as words of its own), ``steps`` (the same for people), ``reserved`` (whether somebody else has the node in
    maintenance mode), ``releases`` (Elastic IP addresses to release) and ``problems`` (sentences). Nodes are taken out in
    their order while their location's floor holds.

    :param job: stop, start, restart, refresh_static_nat or remove; a restart is judged here as if each node were the only one,
        and has no step where a node is stopped on purpose
    """
    if job not in JOBS:
        raise ValueError(f"no job {job!r}; there are {', '.join(JOBS)}")
    result = [_plan(job, node, found) for node in wanted]
    if job in FLOORS:
        _hold_floor(FLOORS[job], wanted, result, found, one_by_one=job == RESTART)
    return result


def _plan(job: str, wanted: Wanted, found: Found) -> dict[str, Any]:
    problems_of, steps_of = JOBS[job]
    case = Case(wanted, found, found.node(wanted.name), found.candidates(wanted.name, wanted.adopt))
    problems = list(problems_of(case))
    steps = {} if problems else dict(steps_of(case))
    return {
        "name": case.name,
        "location": (case.node or {}).get("system_location"),
        "instance": case.instance,
        "power": power(case.instance),
        "does": list(steps),
        "steps": list(steps.values()),
        "reserved": case.reserved,
        "releases": [address["public_ip"] for address in found.releases(case.name)] if "release" in steps else [],
        "problems": problems,
    }


def _identity(case: Case) -> Iterator[str]:
    yield from identity_problems(case.name, case.found.platform, case.node, case.instances, case.wanted.adopt)
    if (case.reason or "").startswith(CONVERTING):
        yield f"{case.name} is half-way in a conversion: finish that first (playbook pexip.infinity.convert_nodes)"


def _adopting(case: Case) -> Steps:
    if NODE not in tags(case.instance):
        yield "adopt", "tag the instance as the node's"


def _leaving_service(case: Case) -> Steps:
    """Until a node hosts nothing: bursting must not start a deaf node, so its tag goes first."""
    yield from _adopting(case)
    if TAG in tags(case.instance):
        yield "untag", f"take the tag {TAG} away"
    if power(case.instance) in AWAKE:
        yield "maintain", "maintenance mode, wait until it carries no conference"
    elif case.reason is None:
        yield "maintain", "maintenance mode"


def _stop(case: Case) -> Steps:
    yield from _leaving_service(case)
    if power(case.instance) != "stopped":
        yield "stop", "stop the instance"


def _restart(case: Case) -> Steps:
    """A node that is stopped, and not by a restart that was killed, is to stay so."""
    if power(case.instance) in AWAKE or (case.reason or "") in UNDER_WAY:
        yield "restart", "stop the instance and start it"


def _start_problems(case: Case) -> Iterator[str]:
    yield from _identity(case)
    if case.node is None or case.instance is None:
        return
    location, there = case.node["system_location"], sorted(set(case.found.overflow.values()))
    convert = "convert it first (playbook pexip.infinity.convert_nodes)"
    if not case.wanted.overflow and TAG in tags(case.instance):
        yield (
            f"{case.name} is an overflow node (its instance is tagged {TAG}), which the platform starts by itself, and the "
            f"inventory has it as an always-on one: {convert}, or put it into the group pexip_overflow"
        )
    if case.wanted.overflow and case.node.get("enable_distributed_database"):
        yield (
            f"{case.name} is in the group pexip_overflow, and on the platform an always-on node "
            f"(enable_distributed_database is on): {convert}"
        )
    elif case.wanted.overflow and there and location not in there:
        yield (
            f"{case.name} is in the group pexip_overflow, and its system location {location} is none of the overflow "
            f"locations of pexip_overflow ({', '.join(there)}): {convert}"
        )


def _start(case: Case) -> Steps:
    yield from _adopting(case)
    yield from _start_overflow(case) if case.wanted.overflow else _start_always_on(case)


def _start_overflow(case: Case) -> Steps:
    """The platform starts it. Untagged until it has left maintenance mode, or bursting might start a deaf node."""
    if case.stale_nat:
        yield "nat", _nat(case)
    if case.ours:
        yield "leave", "leave maintenance mode"
    if tags(case.instance).get(TAG) != case.found.host_name and not case.reserved:
        yield "tag", f"tag {TAG}: {case.found.host_name}"


def _start_always_on(case: Case) -> Steps:
    """In maintenance mode until the rest is right, which is also how a run that was killed is known."""
    asleep = power(case.instance) not in AWAKE
    if asleep and case.reason is None:
        yield "maintain", "maintenance mode until it has reported in"
    if asleep:
        yield "start", "start the instance"
    if asleep or case.ours or power(case.instance) == "pending":
        yield "contact", "wait until it reports in"
    if case.stale_nat:
        yield "nat", _nat(case)
    elif case.wanted.public_address != "none" and power(case.instance) != "running":
        yield "nat", "static NAT address, where the public address has changed"
    if case.ours or (asleep and case.reason is None):
        yield "leave", "leave maintenance mode"


def _nat(case: Case) -> str:
    public, now = (case.instance or {})["public_ip_address"], (case.node or {}).get("static_nat_address")
    return f"static NAT address {public} instead of {now or 'none'}"


def _refresh_problems(case: Case) -> Iterator[str]:
    if case.wanted.public_address == "none":
        return
    yield from identity_problems(case.name, case.found.platform, case.node, case.instances, case.wanted.adopt)
    if power(case.instance) == "running" and not (case.instance or {}).get("public_ip_address"):
        remedy = (
            "run the playbook pexip.infinity.onboard_nodes, which gives it one"
            if case.wanted.public_address == "elastic"
            else "AWS gives one at the start of an instance that was launched with one; set pexip_public_address: none or elastic"
        )
        yield (
            f"{case.name}: pexip_public_address is {case.wanted.public_address}, and its instance "
            f"{(case.instance or {})['instance_id']} has no public address: {remedy}"
        )


def _refresh(case: Case) -> Steps:
    if case.stale_nat:
        yield "nat", _nat(case)


def _remove_problems(case: Case) -> Iterator[str]:
    """What forbids to remove it; an instance or a node that is gone already does not."""
    yield from instance_problems(case.name, case.node, case.instances)
    if case.node is not None and not case.instances:
        yield from _not_gone(case)
    if case.node is not None and case.instance is not None and NODE not in tags(case.instance):
        yield from _adopted_to_be_terminated(case)
    if case.node is None and case.instance is not None:
        address = case.instance.get("private_ip_address")
        for other in [node for node in case.found.nodes if node["address"] == address]:
            yield (
                f"{case.name}: its instance {case.instance['instance_id']} has the address {address} of the node "
                f"{other['name']}: correct the instance's tags"
            )
    mine = [instance["instance_id"] for instance in own(case.found.instances, case.name, case.found.platform)]
    for address in case.found.releases(case.name):
        user = address.get("instance_id") or (
            address.get("network_interface_id") if address.get("association_id") else None
        )
        if (user or None) not in [None, *mine]:
            yield (
                f"{case.name}: the Elastic IP address {address['public_ip']} carries its tags and is in use by {user}: "
                f"disassociate it, or take its tags {NODE} and {PLATFORM} away"
            )


def _adopted_to_be_terminated(case: Case) -> Iterator[str]:
    """An address is no proof that an instance is the node's: another network of the account may have the same one."""
    instance, node = case.instance or {}, case.node or {}
    found = f"{case.name}: the instance {instance['instance_id']} in {instance.get('vpc_id')} has its address and not its tags"
    if not networks(case.found.instances, case.found.platform):
        yield (
            f"{found}, and no instance of the region has the tag {PLATFORM}: {case.found.platform}, which would say in which "
            f"VPC the platform is: if it is the node's, give it the tags {NODE}: {case.name} and {PLATFORM}: "
            f"{case.found.platform}, then run this again"
        )
    elif power(instance) == "running" and silent(node.get("status"), case.found.reports):
        yield (
            f"{found}; it runs, and the node has not reported in for long, so it may be another's: if it is the node's, give "
            f"it the tags {NODE}: {case.name} and {PLATFORM}: {case.found.platform}, then run this again"
        )


def _not_gone(case: Case) -> Iterator[str]:
    """Whether the instance of a node is gone, and not only without our tags or elsewhere."""
    node = case.node or {}
    by_hand = [
        instance["instance_id"] for instance in at_address(case.found.instances, node["address"], case.found.platform)
    ]
    others = [
        f"{instance['instance_id']} ({NODE}: {tags(instance)[NODE]}, {PLATFORM}: {tags(instance).get(PLATFORM, 'none')})"
        for instance in case.found.instances
        if instance.get("private_ip_address") == node["address"]
        and NODE in tags(instance)
        and power(instance) not in GOING
    ]
    status, rows = node.get("status") or {}, case.found.reports
    if others:
        yield (
            f"{case.name}: no EC2 instance carries its tags ({NODE}: {case.name}, {PLATFORM}: {case.found.platform}), and "
            f"{', '.join(others)} has its address {node['address']}: give the Management Node's host name (pexip_hostname) "
            "that the tag has, or correct the instance's tags"
        )
    elif by_hand:
        yield (
            f"{case.name}: the instance {', '.join(by_hand)} has its address {node['address']} and not its tags: set "
            "pexip_adopt: true if it is the node's, to have it terminated, too"
        )
    # An instance of ours that was terminated, as long as EC2 shows it, explains why the node still seems to report in.
    elif not silent(status, rows) and not own(case.found.instances, case.name, case.found.platform):
        yield (
            f"{case.name}: no EC2 instance carries its tags ({NODE}: {case.name}, {PLATFORM}: {case.found.platform}), and yet "
            f"it has just reported in (last_updated {status['last_updated']}): it runs elsewhere, and is not removed here; if "
            "its instance was terminated a moment ago, run again in 5 minutes. (Where no node of the platform reports in any "
            "more, there is nothing to compare with: delete the node with the module pexip_node, state: absent)"
        )


def _remove(case: Case) -> Steps:
    if case.instance is not None:
        yield from _leaving_service(case) if case.node else _adopting(case)
    if case.node is not None:
        yield "delete", "delete the node"
    if case.instance is not None:
        yield "terminate", f"terminate the instance {case.instance['instance_id']}"
    going = [
        instance
        for instance in own(case.found.instances, case.name, case.found.platform)
        if power(instance) == GOING[0]
    ]
    if case.instance is not None or going:
        yield "await", "wait until it is terminated"
    if released := case.found.releases(case.name):
        yield "release", f"release {', '.join(address['public_ip'] for address in released)}"


def _hold_floor(role: str, wanted: list[Wanted], result: list[dict[str, Any]], found: Found, one_by_one: bool) -> None:
    """Refuses the nodes without which their location would fall below the floor, the highest that one of them gives.

    :param one_by_one: whether each is back in service before the next one leaves it
    """
    serving = found.serving()
    floors: dict[str, tuple[int, int]] = {}
    for node, plan in zip(wanted, result, strict=True):
        nodes, hd = floors.get(plan["location"], (0, 0))
        floors[plan["location"]] = max(nodes, node.floor_nodes), max(hd, node.floor_hd)
    for plan in result:
        floor_nodes, floor_hd = floors[plan["location"]]
        left = dict(serving.get(plan["location"], {}))
        if plan["problems"] or left.pop(plan["name"], None) is None:
            continue
        if len(left) >= floor_nodes and sum(left.values()) >= floor_hd:
            if not one_by_one:
                serving[plan["location"]] = left
            continue
        there = ", ".join(sorted(left)) or "none"
        plan.update(does=[], steps=[], releases=[])
        plan["problems"].append(
            f"{plan['name']}: without it {plan['location']} has {len(left)} always-on nodes in service ({there}) with "
            f"{sum(left.values())} HD connections, and {role}_floor_nodes is {floor_nodes}, {role}_floor_hd "
            f"{floor_hd}: take fewer nodes out at a time, bring others into service first, or lower the floor"
        )


#: What forbids a job, and what it does.
JOBS: dict[str, tuple[Callable[[Case], Iterator[str]], Callable[[Case], Steps]]] = {
    STOP: (_identity, _stop),
    START: (_start_problems, _start),
    RESTART: (_start_problems, _restart),
    REFRESH: (_refresh_problems, _refresh),
    REMOVE: (_remove_problems, _remove),
}
#: The roles whose variables set the floor, by the jobs that take nodes out of service.
FLOORS = {STOP: "node_maintenance", RESTART: "node_maintenance", REMOVE: "node_removal"}
