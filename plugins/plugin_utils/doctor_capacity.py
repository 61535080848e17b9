# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor on capacity: which location overflows where, the threshold, licences, and what is left to start."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_case import Case, capacity, count, listed, number
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_findings import INFORMATION, LOGS, finding

Finding = dict[str, Any]

ADVISED = (10, 20)  # percent of the always-on capacity; guide, "Manually starting an overflow node"
CONFERENCE_NODES = 3  # guide, "Deployment guidelines": more than three advise a second overflow location


def overflow_locations(case: Case) -> Iterator[Finding]:
    """Guide, step 5: bursting applies to the primary overflow location alone."""
    for name, target in case.overflow.items():
        location = case.location.get(name)
        if location is None:
            remedy = f"make it, or name one of these: {listed(case.location)}"
            yield finding(
                "overflow-location-missing",
                name,
                f"{name}: pexip_overflow names a location that does not exist: {remedy}",
            )
        elif target not in case.location:
            remedy = f"make it, or name one of these: {listed(case.location)}"
            message = f"{name}: pexip_overflow names {target}, which does not exist: {remedy}"
            yield finding("overflow-location-missing", name, message)
        elif location["primary"] != target:
            yield from _not_primary(location, target)
    if not case.overflow:
        yield from _by_looks(case)


def _not_primary(location: Mapping, target: str) -> Iterator[Finding]:
    """A location whose primary overflow location is not the one that the inventory's map names."""
    name, primary, secondary = location["name"], location["primary"], location["secondary"]
    mend = None
    if not primary:
        settings = {"overflow_location1": target, **({"clear": ["overflow_location2"]} if secondary == target else {})}
        mend = {"kind": "location", "name": name, "settings": settings}
    held = f"is {primary}, which is not overwritten unasked" if primary else "is empty"
    if secondary == target:
        yield finding(
            "overflow-location-secondary-only",
            name,
            f"{name}: {target} is only its overflow_location2, and the secondary overflow location never bursts; "
            f"overflow_location1 {held}: make {target} the primary one",
            mend=mend,
        )
    else:
        yield finding(
            "overflow-location-missing",
            name,
            f"{name}: overflow_location1 {held}: set it to {target}, as pexip_overflow says",
            mend=mend,
        )


def _by_looks(case: Case) -> Iterator[Finding]:
    """Without the inventory's map: overflow locations that nobody overflows to, or only as the secondary one."""
    for name, location in case.location.items():
        if location["secondary"] in case.overflow_locations and location["primary"] not in case.overflow_locations:
            yield finding(
                "overflow-location-secondary-only",
                name,
                f"{name}: {location['secondary']} is only its overflow_location2, and the secondary overflow location never "
                f"bursts (overflow_location1 is {location['primary'] or 'empty'}): make {location['secondary']} the primary one",
            )
    primaries = {location["primary"] for location in case.location.values()}
    for name in case.overflow_locations:
        if name not in primaries:
            yield finding(
                "overflow-location-missing",
                name,
                f"{name} holds overflow nodes and is no location's overflow_location1, so nothing ever starts them: make it the "
                "primary overflow location of the locations that are to burst",
            )


def location_servers(case: Case) -> Iterator[Finding]:
    """A location without DNS and NTP servers gives nodes that synchronise and yet do not work."""
    for name in case.overflow_locations:
        location = case.location.get(name) or {}
        empty = [field for field in ("dns_servers", "ntp_servers") if field in location and not location[field]]
        if empty:
            message = (
                f"{name}: {' and '.join(empty)} is empty, so its nodes would synchronise and yet not work: add servers"
            )
            yield finding("location-servers", name, message)


def conference_spread(case: Case) -> Iterator[Finding]:
    """Guide, "Deployment guidelines": a second overflow location where a conference needs more than three overflow nodes."""
    if len(case.overflow_locations) > 1:
        return
    advice = "make a second overflow location and let half of the primary locations overflow to it"
    names = {node["name"]: node["name"] for node in case.overflow_nodes}
    names.update({node["address"]: node["name"] for node in case.overflow_nodes if node.get("address")})
    spread: dict[str, set[str]] = defaultdict(set)
    for shard in case.shards:
        if shard.get("node") in names:
            spread[shard.get("conference") or ""].add(names[shard["node"]])
    for conference, nodes in spread.items():
        if len(nodes) > CONFERENCE_NODES:
            message = (
                f"{conference}: the conference is on {count(len(nodes), 'overflow node')} ({listed(nodes)}): {advice}"
            )
            yield finding("many-overflow-nodes", conference, message)
    for location in case.overflow_locations:
        size = len([node for node in case.overflow_nodes if node.get("system_location") == location])
        if case.expected_nodes > CONFERENCE_NODES:
            message = f"{location}: {case.expected_nodes} overflow nodes are expected for a single conference: {advice}"
            yield finding("many-overflow-nodes", location, message)
        elif not case.expected_nodes and size > CONFERENCE_NODES:
            yield finding(
                "many-overflow-nodes",
                location,
                f"{location} holds {count(size, 'overflow node')}: if you expect a single conference to need more than "
                f"{CONFERENCE_NODES} of them, {advice}",
                severity=INFORMATION,
            )


def threshold(case: Case) -> Iterator[Finding]:
    """Guide, "Manually starting an overflow node": 10 to 20 percent of the always-on capacity (12 of 80 HD calls)."""
    total, value = case.always_on_capacity, case.threshold
    if not case.enabled or not total:
        return
    low, high = math.floor(total * ADVISED[0] / 100), math.ceil(total * ADVISED[1] / 100)
    if not max(low, 1) <= value <= high:
        effect = (
            "nodes start late, and calls may be rejected meanwhile"
            if value < low
            else "nodes start early and cost more"
        )
        yield finding(
            "threshold-unadvised",
            "Global settings",
            f"Global settings: bursting_threshold is {value}, {value * 100 / total:.0f} % of the always-on capacity of {total} HD "
            f"connections, so {effect}: the guide advises {ADVISED[0]} to {ADVISED[1]} %, here {max(low, 1)} to {high}",
        )
        return
    for name in case.primary_locations:
        own = sum(capacity(node) for node in case.nodes_in(name) if node in case.always_on_nodes)
        if own and value >= own:
            yield finding(
                "threshold-unadvised",
                name,
                f"{name}: bursting_threshold {value} is not below the location's capacity of {own} HD connections, so any call "
                "there starts an overflow node: lower the threshold, or add always-on capacity",
            )


def licences(case: Case) -> Iterator[Finding]:
    """Guide, "Deployment guidelines": licences for the peak, overflow nodes included."""
    total = case.licences.get("port_total")
    peak = sum(capacity(node) for node in case.nodes)
    if total is not None and peak and total < peak:
        yield finding(
            "licences-few",
            "Licences",
            f"Licences: port_total is {total}, and all nodes together carry {peak} HD connections: calls beyond {total} are "
            "rejected however many nodes run; add licences, or know that the peak is lower",
        )


def reached(case: Case) -> Iterator[Finding]:
    """What keeps a location at its threshold from bursting."""
    for row in case.bursting.get("locations") or []:
        free = row.get("free_hd_calls")
        if free is None or free > case.threshold:
            continue
        name, target = row["name"], row.get("overflow_location")
        at = f"{name}: {count(int(free), 'HD connection')} left, the bursting threshold is {case.threshold}"
        if not number(row.get("media_load")):
            yield finding(
                "no-media-load",
                name,
                f"{at}, and there is no media load, so no overflow node is started; this is intended",
            )
            continue
        pool = [node for node in case.cloud_nodes if node.get("location") == target and node.get("name")]
        spare = [
            n for n in pool if n.get("state") in ("stopped", "stopping", "pending") and not n.get("maintenance_mode")
        ]
        roomy = next((o for o in case.bursting.get("overflow_locations") or [] if o.get("name") == target), {})
        if not spare and number(roomy.get("free_hd_calls")) <= case.threshold:
            yield finding(
                "overflow-exhausted",
                name,
                f"{at}, and {target} has no node left to start ({count(len(pool), 'node')} there): calls beyond the capacity are "
                f"rejected; add overflow nodes to the inventory; {LOGS}",
            )


CHECKS = (overflow_locations, location_servers, conference_spread, threshold, licences, reached)
