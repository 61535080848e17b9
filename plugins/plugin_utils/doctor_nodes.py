# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor on nodes: where they are, how they are set, whether they answer, whether they should be off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_case import (
    ALWAYS_ON,
    OVERFLOW,
    Case,
    count,
    listed,
    number,
    state,
    version_numbers,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_findings import (
    CONVERT,
    ENABLE,
    LOGS,
    START,
    WARNING,
    finding,
)

Finding = dict[str, Any]

START_MINUTES = 10  # the guide's 5 minutes until a started node is available, and as much again
FINISHING = {"converting": CONVERT, "being set up": ENABLE}  # by the reason of a maintenance mode of ours
STOP_MINUTES = 5  # how long an idle node may take to be stopped after its minimum lifetime


def locations(case: Case) -> Iterator[Finding]:
    """A node is in the location that the inventory names, and an overflow node in an overflow location."""
    for node in case.nodes:
        host, now = case.hosts.get(node["name"]), node.get("system_location")
        if not host or case.converting(node):
            continue
        kind, wanted = case.kind(node), host.get("location")
        bursting = now in case.overflow_locations
        if case.overflow_locations and bursting != (kind == OVERFLOW):
            what = "is a bursting location" if bursting else "is not a bursting location"
            to = f"to {wanted}" if wanted and wanted != now else "to where its group belongs"
            yield finding(
                "location-wrong",
                node["name"],
                f"{node['name']} is an {kind} node by its inventory group, and its location {now} {what}: convert it, which "
                f"moves it {to} when it carries no conference",
            )
        elif wanted and wanted != now:
            yield finding(
                "location-wrong",
                node["name"],
                f"{node['name']}: system_location is {now}, pexip_location of the inventory is {wanted}: move the one or change "
                "the other",
                severity=WARNING,
            )


def mixing(case: Case) -> Iterator[Finding]:
    """Guide, "Deployment guidelines": primary and bursting nodes are not mixed in one location."""
    for location in case.location:
        overflow = [node["name"] for node in case.nodes_in(location) if case.kind(node) == OVERFLOW]
        always_on = [node["name"] for node in case.nodes_in(location) if case.kind(node) == ALWAYS_ON]
        if overflow and always_on:
            yield finding(
                "location-mixed",
                location,
                f"{location} holds always-on ({listed(always_on)}) and overflow nodes ({listed(overflow)}): move the ones or the "
                "others to a location of their own",
            )


def distributed_database(case: Case) -> Iterator[Finding]:
    """Guide, "Enable distributed database": disabled for every node that is not expected to be always available."""
    for node in case.nodes:
        value, kind = node.get("enable_distributed_database"), case.kind(node)
        if value is None or case.converting(node):
            continue
        if kind == OVERFLOW and value:
            # One that still serves an always-on location keeps it until it is converted.
            placed = node.get("system_location") in case.overflow_locations
            off = {"kind": "node", "name": node["name"], "settings": {"enable_distributed_database": False}}
            yield finding(
                "distributed-database",
                node["name"],
                f"{node['name']}: enable_distributed_database is true on an overflow node, which is stopped most of the time: "
                + ("set it to false" if placed else "convert the node, which sets it to false"),
                mend=off if placed else None,
                playbook=None if placed else CONVERT,
            )
        elif kind == ALWAYS_ON and not value and node["name"] in case.hosts:
            yield finding(
                "distributed-database",
                node["name"],
                f"{node['name']}: enable_distributed_database is false on an always-on node, as if it were an overflow node: set "
                "it to true, once it stays on",
                severity=WARNING,
                playbook=CONVERT,
            )


def static_nat(case: Case) -> Iterator[Finding]:
    """Guide, "Reinstating a stopped Conferencing Node", step 3: the address of a dynamic instance changes at each start."""
    for node, instance in case.pairs:
        name, configured = node["name"], node.get("static_nat_address") or None
        public = instance.get("public_ip_address") or None
        running = state(instance) == "running"
        given = (case.hosts.get(name) or {}).get("public_address")
        if configured == public or (not running and not public and not configured) or case.converting(node):
            continue
        if public and (configured or given in ("dynamic", "elastic")):
            yield finding(
                "static-nat-stale",
                name,
                f"{name}: static_nat_address is {configured or 'empty'}, the public address of instance "
                f"{instance['instance_id']} is {public}: set it to {public}",
                mend={"kind": "node", "name": name, "settings": {"static_nat_address": public}},
            )
        elif configured and running:
            yield finding(
                "static-nat-stale",
                name,
                f"{name}: static_nat_address is {configured}, and instance {instance['instance_id']} has no public address: "
                "clear it, unless another device translates that address",
                severity=WARNING,
            )
        elif configured and case.kind(node) == OVERFLOW:
            yield finding(
                "static-nat-stale",
                name,
                f"{name}: static_nat_address {configured} belongs to no Elastic IP address of the stopped instance "
                f"{instance['instance_id']}: the platform will start it with another address; give it an Elastic IP address "
                "or none",
                severity=WARNING,
            )


def versions(case: Case) -> Iterator[Finding]:
    """A Conferencing Node runs the Management Node's version; one that was off during an upgrade does not."""
    current = version_numbers(case.management.get("version"))
    for node in case.overflow_nodes if current else []:
        version = case.version(node)
        if version and version_numbers(version) != current:
            yield finding(
                "version-differs",
                node["name"],
                f"{node['name']}: its version is {version}, the Management Node's {case.management['version']}: start it and let it "
                "be upgraded, or deploy it anew",
            )


def contact(case: Case) -> Iterator[Finding]:
    """Guide: about 5 minutes until a started node is available, and for its status to be updated."""
    for node, instance in case.pairs:
        row = case.cloud_node(node)  # it knows whether the node has reported in since it was launched
        if case.kind(node) != OVERFLOW or state(instance) != "running" or row.get("in_contact", node.get("in_contact")):
            continue
        name, minutes = node["name"], row.get("running_minutes")
        if not (node.get("status") or {}).get("last_updated"):
            yield finding(
                "transient",
                name,
                f"{name} has never reported in: a new node takes about 5 minutes after its configuration was uploaded",
                playbook="pexip.infinity.onboard_nodes",
            )
        elif minutes is not None and minutes <= START_MINUTES:
            message = f"{name} was started {count(int(minutes), 'minute')} ago and has not reported in yet; it takes about 5 minutes"
            yield finding("transient", name, message)
        else:
            since = f" for {count(int(minutes), 'minute')}" if minutes is not None else ""
            yield finding(
                "node-silent",
                name,
                f"{name}: instance {instance['instance_id']} runs{since}, and the node does not report in (last_updated "
                f"{node['status']['last_updated']}): let UDP 500 and ESP pass between it and the Management Node; {LOGS}",
            )


def maintenance(case: Case) -> Iterator[Finding]:
    """A node in maintenance mode takes no new conference, so bursting would start a deaf node."""
    for node in case.nodes:
        name, reason = node["name"], node.get("maintenance_mode_reason") or "no reason given"
        if case.converting(node):
            yield finding(
                "transient",
                name,
                f"{name} is in maintenance mode ({reason}): a playbook is at work, was interrupted, or has stopped it; this "
                "finishes it",
                playbook=next((playbook for work, playbook in FINISHING.items() if work in reason), START),
            )
        elif node.get("maintenance_mode") and case.kind(node) == OVERFLOW:
            yield finding(
                "maintenance",
                name,
                f"{name}: maintenance_mode is on ({reason}), so the platform may start the node, and it takes no conference: turn "
                "it off when the work on it is done",
            )


def idle(case: Case) -> Iterator[Finding]:
    """Guide, "Deployment guidelines": an idle overflow node is stopped once it has run for the minimum lifetime."""
    for row in case.cloud_nodes:
        minutes = number(row.get("running_minutes"))
        node = next((node for node in case.overflow_nodes if node["name"] == row.get("name")), None)
        if node is None or row.get("state") != "running" or number(row.get("media_load")):
            continue
        if number(node.get("conferences")) or minutes < case.min_lifetime + STOP_MINUTES:
            continue
        yield finding(
            "idle-overrun",
            row["name"],
            f"{row['name']}: instance {row.get('instance_id')} has been running for {count(int(minutes), 'minute')} without a "
            f"conference, and bursting_min_lifetime is {case.min_lifetime}: the platform should have stopped it; check that it may "
            f"(ec2:StopInstances), or stop the instance; {LOGS}",
        )


CHECKS = (locations, mixing, distributed_database, static_nat, versions, contact, maintenance, idle)
