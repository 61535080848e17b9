# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of dynamic bursting (guide, "Dynamic bursting to the AWS cloud"), as pure functions over the API's answers."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any

from .client import PexipError
from .converge import listing
from .node import in_contact, moment, newest_report

TAG_NAME = "pexip-cloud"  # guide: always; its value is the Management Node's host name
APPROACHING = 2  # guide, "Viewing cloud bursting status": approaching at the threshold plus two
OK, NEAR, REACHED = "ok", "approaching threshold", "bursting threshold reached"
ON, OFF = ("pending", "running"), ("stopping", "stopped")  # EC2's words for instances that can serve, now or later
SEE_TAGS = (
    f"Check that bursting is enabled and that the instances are tagged {TAG_NAME} with the Management Node's host name."
)
# The guide's two status issues. Which status resource tells them is in no fact, so alarms are known by the words.
ISSUE = re.compile(
    r"was found, but no corresponding Conferencing Node|Not authorized to perform an operation on", re.IGNORECASE
)
SUBJECT = re.compile(r"cloud.?bursting", re.IGNORECASE)


def threshold_of(value: int | str, capacity: int) -> int:
    """A bursting threshold as a number of HD calls; ``15%`` is that share of ``capacity``, rounded up.

    ``capacity`` is what the always-on nodes can host: 15% of 80 HD calls are 12, as in the guide. Raises ValueError for
    a value that is neither a whole number nor a percentage, and for a result below 1.
    """
    text = str(value).strip()
    share = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", text)
    if isinstance(value, bool) or not (share or re.fullmatch(r"\d+", text)):
        raise ValueError(f"{value!r} is neither a number of HD calls nor a percentage such as 15%")
    threshold = math.ceil(Fraction(share[1]) * capacity / 100) if share else int(text)
    if threshold < 1:
        of = f" of {capacity} HD calls" if share else ""
        raise ValueError(f"{text}{of} is a threshold of {threshold}, and the least is 1")
    return threshold


def location_state(free: int | None, threshold: int | None) -> str | None:
    """What the status page says of a location with so many available HD connections; None where one is not known."""
    if free is None or threshold is None:
        return None
    if free <= threshold:
        return REACHED
    return NEAR if free <= threshold + APPROACHING else OK


def cloud_field(row: dict[str, Any], name: str) -> Any:
    """A field of a ``cloud_node`` row by the last part of its name; older platforms have it as ``aws_*`` alone."""
    return row[f"cloud_{name}"] if f"cloud_{name}" in row else row.get(f"aws_{name}")


def overflow_nodes(rows: list[dict[str, Any]], statuses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The cloud overflow nodes, by name: ``cloud_node`` rows joined with the nodes' status (``worker_vm``).

    A tagged instance without a Conferencing Node has a null ``name`` and ``configuration_id``. ``in_contact`` means that
    it runs and has reported since it was launched. ``running_minutes`` is reckoned by the platform's own times alone.
    """
    by_id = {status.get("configuration_id"): status for status in statuses}
    now = newest_report(statuses)
    nodes = []
    for row in rows:
        key, launch = row.get("workervm_configuration_id"), cloud_field(row, "instance_launch_time")
        status = by_id.get(key) if key is not None else None
        state = cloud_field(row, "instance_state")
        running = state == "running"
        capacity = row.get("max_hd_calls")
        nodes.append(
            {
                "name": row.get("workervm_configuration_name"),
                "location": row.get("workervm_configuration_location_name"),
                "instance_id": cloud_field(row, "instance_id"),
                "instance_name": cloud_field(row, "instance_name"),
                "address": cloud_field(row, "instance_ip"),
                "state": state,
                "launch_time": launch,
                "running_minutes": minutes_between(launch, now) if running else None,
                "media_load": row.get("media_load"),
                # A node that is stopped may have no capacity there; its status holds what it last reported.
                "max_hd_calls": (status or {}).get("max_hd_calls") if capacity is None else capacity,
                "maintenance_mode": bool((status or {}).get("maintenance_mode")),
                "in_contact": running and in_contact(status, launch),
                "configuration_id": key,
            }
        )
    return sorted(nodes, key=lambda node: (node["name"] is None, str(node["name"]), str(node["instance_id"])))


def minutes_between(launch: str | None, now: datetime | None) -> int | None:
    """Whole minutes from a launch until now, never below zero; None where either is not known."""
    if not launch or now is None:
        return None
    return max(0, int((now - moment(launch)).total_seconds() // 60))


def issues(nodes: list[dict[str, Any]], alarms: list[dict[str, Any]]) -> list[str]:
    """The issues of the status page: what the alarms say of bursting, and tagged instances without a Conferencing Node."""
    said = [
        str(alarm.get("details") or alarm.get("name"))
        for alarm in alarms
        if SUBJECT.search(str(alarm.get("name"))) or ISSUE.search(str(alarm.get("details")))
    ]
    said += [
        f"Instance {node['instance_name'] or node['instance_id']} (with IP {node['address']}) was found, "
        "but no corresponding Conferencing Node has been configured"
        for node in nodes
        if node["configuration_id"] is None
    ]
    unique = {sentence.rstrip(". "): sentence for sentence in reversed(said)}
    return sorted(unique.values())


@dataclass(frozen=True)
class Snapshot:
    """What of a platform tells about bursting: the API's answers, by resource; an empty platform without arguments."""

    settings: dict[str, Any] = field(default_factory=dict)
    managers: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    cloud_nodes: list[dict[str, Any]] = field(default_factory=list)
    monitored: list[dict[str, Any]] = field(default_factory=list)
    overflow: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)


def view(seen: Snapshot) -> dict[str, Any]:
    """What Status > Cloud Bursting shows, in its words; the shape is that of pexip_bursting_info's return value."""
    manager = next((row for row in seen.managers if row.get("primary")), next(iter(seen.managers), {}))
    threshold = seen.settings.get("bursting_threshold")
    nodes = overflow_nodes(seen.cloud_nodes, seen.statuses)
    figures = ("name", "media_load", "free_hd_calls", "max_hd_calls")
    return {
        "enabled": bool(seen.settings.get("bursting_enabled")),
        "provider": seen.settings.get("cloud_provider"),
        "threshold": threshold,
        "min_lifetime": seen.settings.get("bursting_min_lifetime"),
        "tag_name": TAG_NAME,
        "tag_value": manager.get("hostname"),
        "management_node": manager.get("name"),
        "locations": [
            {
                **{name: row.get(name) for name in figures},
                "overflow_location": overflow_name(row.get("overflow_location"), seen.overflow),
                "state": location_state(row.get("free_hd_calls"), threshold),
            }
            for row in sorted(seen.monitored, key=lambda row: str(row.get("name")))
        ],
        "overflow_locations": [
            {name: row.get(name) for name in figures}
            for row in sorted(seen.overflow, key=lambda row: str(row.get("name")))
        ],
        "nodes": nodes,
        "issues": issues(nodes, seen.alarms),
    }


def overflow_name(reference: Any, overflow: list[dict[str, Any]]) -> str | None:
    """The name of the overflow location that a monitored location refers to, by URI or as a whole object."""
    if isinstance(reference, dict):
        return reference.get("name")
    return next((row["name"] for row in overflow if row.get("resource_uri") == reference), reference)


@dataclass(frozen=True)
class Choice:
    """The overflow nodes that shall be available, those that run included, and a sentence that says why these."""

    nodes: list[dict[str, Any]]
    explanation: str

    @property
    def off(self) -> list[dict[str, Any]]:
        """Those that have to be started."""
        return [node for node in self.nodes if node["state"] not in ON]


def can_serve(node: dict[str, Any]) -> bool:
    """Whether a node can host new conferences, now or once it is started."""
    return node["configuration_id"] is not None and not node["maintenance_mode"] and node["state"] in (*ON, *OFF)


def nodes_by_name(nodes: list[dict[str, Any]], names: list[str], registered: list[str]) -> Choice:
    """The nodes with these names or instance ids; ``registered`` are the names of all Conferencing Nodes, for the error.

    Raises PexipError for a name that is none of these, and for an instance that cannot become an available node.
    """
    chosen = []
    for name in dict.fromkeys(names):
        node = next((node for node in nodes if name in (node["name"], node["instance_id"])), None)
        if node is None:
            where = " It is a Conferencing Node, but the platform does not list it." if name in registered else ""
            existing = [node["name"] or node["instance_id"] for node in nodes]
            raise PexipError(
                f"name: there is no cloud overflow node {name!r}.{where} {listing(name, existing)} {SEE_TAGS}"
            )
        if node["configuration_id"] is None:
            raise PexipError(
                f"name: the instance {node['instance_id']} (with IP {node['address']}) has no Conferencing Node: "
                f"register one, or take its tag {TAG_NAME} away"
            )
        if node["state"] not in (*ON, *OFF):
            raise PexipError(
                f"name: the instance {node['instance_id']} of {node['name']} is {node['state']} and cannot start"
            )
        if node not in chosen:
            chosen.append(node)
    return Choice(chosen, sentence(f"{named(chosen)} asked for by name", running(chosen)))


def every_node(nodes: list[dict[str, Any]]) -> Choice:
    """Every node that can serve. Raises PexipError where there is none at all."""
    if not nodes:
        raise PexipError(f"all: there is no cloud overflow node. {SEE_TAGS}")
    chosen = [node for node in nodes if can_serve(node)]
    return Choice(chosen, sentence(f"all overflow nodes asked for ({named(chosen)})", running(chosen), left_out(nodes)))


def hd_calls_coming(on: list[dict[str, Any]], places: list[dict[str, Any]]) -> int:
    """The HD connections of nodes that are on, and that the figures of their locations do not hold yet.

    A node that has just reported in is for a moment not among them; ``places`` are ``cloud_overflow_location`` rows that
    were read before the nodes, so that none is counted twice.
    """
    figures = {row["name"]: row.get("max_hd_calls") for row in places}
    coming = 0
    for place in {node["location"] for node in on}:
        there = [(node["max_hd_calls"] or 0, node["in_contact"]) for node in on if node["location"] == place]
        not_heard_of = sum(most for most, heard in there if not heard)
        known = figures.get(place)
        coming += not_heard_of if known is None else max(not_heard_of, sum(most for most, _heard in there) - known)
    return coming


def nodes_for_capacity(nodes: list[dict[str, Any]], wanted: int, places: list[dict[str, Any]]) -> Choice:
    """The fewest nodes that bring ``wanted`` free HD connections, with what ``places`` say is free on available nodes.

    ``places`` are rows of ``cloud_overflow_location``. Nodes that are starting count with all that they can host. Of equal
    nodes the first by name is taken; the last one is the smallest that does. Raises PexipError when all nodes together
    cannot bring as many: then nothing is started.
    """
    if not nodes:
        raise PexipError(f"capacity: there is no cloud overflow node. {SEE_TAGS}")
    able = [node for node in nodes if can_serve(node)]
    on = [node for node in able if node["state"] in ON]
    free = sum(row.get("free_hd_calls") or 0 for row in places)
    coming = hd_calls_coming(on, places)
    spare = sorted(
        (node for node in able if node["state"] not in ON),
        key=lambda node: (-(node["max_hd_calls"] or 0), node["state"] != "stopped", str(node["name"])),
    )
    lacking = max(0, wanted - free - coming)
    had = f"{free + coming} on the nodes that run or start"
    if lacking > sum(node["max_hd_calls"] or 0 for node in spare):
        most = free + coming + sum(node["max_hd_calls"] or 0 for node in spare)
        unknown = [node for node in spare if not node["max_hd_calls"]]
        raise PexipError(
            "; ".join(
                [
                    f"capacity: {wanted} free HD connections asked for, and all overflow nodes together bring {most} ({had})",
                    *left_out(nodes),
                    *([f"{named(unknown)} never reported a capacity"] if unknown else []),
                    "nothing was started. Ask for less, or say all: true",
                ]
            )
        )
    added: list[dict[str, Any]] = []
    while (rest := lacking - sum(node["max_hd_calls"] for node in added)) > 0:
        left = [node for node in spare if node not in added]
        # Largest first until one node is enough, and of those the smallest.
        enough = [node for node in left if node["max_hd_calls"] and node["max_hd_calls"] >= rest]
        least = min((node["max_hd_calls"] for node in enough), default=None)
        added.append(next((node for node in enough if node["max_hd_calls"] == least), left[0]))
    bring = ", ".join(f"{node['name']} ({node['max_hd_calls']})" for node in added)
    why = f"the fewest nodes that bring the other {lacking}: {bring}" if added else "nothing has to be started"
    return Choice([*on, *added], sentence(f"{wanted} free HD connections asked for, {had}", [why], left_out(nodes)))


def named(nodes: list[dict[str, Any]]) -> str:
    """Names of nodes in a sentence."""
    return ", ".join(str(node["name"]) for node in nodes) or "none"


def running(nodes: list[dict[str, Any]]) -> list[str]:
    """What to say of the nodes that need no start."""
    on = [node for node in nodes if node["state"] in ON]
    return [f"{named(on)} on already"] if on else []


def left_out(nodes: list[dict[str, Any]]) -> list[str]:
    """What to say of the nodes that are not asked, since they could host nothing."""
    resting = [node for node in nodes if node["configuration_id"] is not None and node["maintenance_mode"]]
    return [f"{named(resting)} left out (maintenance mode)"] if resting else []


def sentence(*parts: str | list[str]) -> str:
    """One sentence of its parts."""
    flat = [item for part in parts for item in ([part] if isinstance(part, str) else part)]
    return f"{'; '.join(flat)}."
