# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight rules about the platform: which instances are its own, and how its locations are filled."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ansible_collections.pexip.infinity.plugins.plugin_utils.preflight_plan import Plan, listed, tag

COMFORTABLE_FLEET = 30  # guide, "Recommended instance types": its advice holds for deployments of up to 30 nodes


def instances(plan: Plan) -> Iterator[str]:
    """One instance a node, one Management Node of a host name in an account."""
    for node in plan.nodes:
        own = plan.own_instances(node)
        if len(own) > 1:
            yield (
                f"{node['name']}: instances {listed(i['instance_id'] for i in own)} all carry the tags of this node: "
                "terminate or re-tag all but the one whose address is the node's"
            )
    managers = plan.managers() if plan.management else []
    if len(managers) > 1:
        yield (
            f"{plan.management['name']}: {len(managers)} instances say that they are the Management Node "
            f"{plan.platform_hostname} ({listed(i['instance_id'] for i in managers)}): another platform has this host "
            "name; give each platform its own pexip_hostname"
        )
    for manager in managers:
        if plan.given and plan.given not in (manager.get("private_ip_address"), manager.get("public_ip_address")):
            yield (
                f"{plan.management['name']}: another platform in the account has a Management Node with the host name "
                f"{plan.platform_hostname} (instance {manager['instance_id']} in {manager.get('vpc_id')}), and pexip_host "
                f"is {plan.given}: give this platform's Management Node another pexip_hostname"
            )


def same_instance(plan: Plan) -> Iterator[str]:
    """An instance that carries a host's tags and is not what is known of the host may be another platform's."""
    for host in plan.hosts:
        registered = None if host is plan.management else plan.registered.get(host["name"])
        for instance in plan.own_instances(host):
            address, place = instance.get("private_ip_address"), instance.get("subnet_id")
            if plan.subnet(host) and place != host["subnet_id"]:
                known = (
                    f"is in the subnet {place} of {instance.get('vpc_id')}, and pexip_subnet_id is {host['subnet_id']}"
                )
            elif host.get("private_ip") and address != host["private_ip"]:
                known = f"has the address {address}, and pexip_private_ip is {host['private_ip']}"
            elif registered and address != registered["address"]:
                known = f"has the address {address}, and the platform's node of this name has {registered['address']}"
            else:
                continue
            yield (
                f"{host['name']}: the instance {instance['instance_id']} with its tags {known}: another platform may have "
                f"the host name {plan.platform_hostname}, then give this one another pexip_hostname; otherwise correct "
                "the variable, or the instance's tags"
            )


def orphans(plan: Plan) -> Iterator[str]:
    """Our nodes are launched when their Management Node is there; nodes of a platform without one are not ours."""
    strangers = _nodes_instances(plan)
    if plan.management and not plan.given and plan.to_launch(plan.management) and strangers:
        yield (
            f"{plan.management['name']}: {listed(strangers)} carry the tags of a platform {plan.platform_hostname}, which "
            "has no Management Node yet: another platform has this host name, or they are left of one that is gone; give "
            "this one another pexip_hostname, or terminate them"
        )


def unknown_instances(plan: Plan) -> Iterator[str]:
    """Instances with our platform's tags that are nobody's: another platform's, or left of a run that ended half-way."""
    if plan.platform:
        addresses = {node["address"] for node in plan.registered.values()}
        names = {*plan.registered, *(node["name"] for node in plan.nodes)}
        strangers = _nodes_instances(plan, lambda name, address: name not in names and address not in addresses)
        if strangers:
            yield (
                f"{listed(strangers)} carry the tags of the platform {plan.platform_hostname}, and neither the platform nor "
                "the inventory has them: terminate what is left over; if they are another platform's, it has this host name"
            )


def _nodes_instances(plan: Plan, chosen=lambda name, address: True) -> list[str]:
    """Names and ids of instances that carry our platform's tags for a Conferencing Node."""
    return [
        f"{tag(i, 'pexip-infinity-node')} ({i['instance_id']})"
        for i in plan.namesakes
        if tag(i, "pexip-infinity-role") != "management"
        and chosen(tag(i, "pexip-infinity-node"), i.get("private_ip_address"))
    ]


def identity(plan: Plan) -> Iterator[str]:
    """The Management Node that answers is the inventory's: instances and bursting go by its host name."""
    # An existing one's domain may be another than that of the nodes in AWS.
    for field in ("hostname",) if plan.given else ("hostname", "domain"):
        wanted, answered = (plan.management or {}).get(field), (plan.platform or {}).get(field)
        if wanted and answered and wanted.lower() != answered.lower():
            yield (
                f"{plan.management['name']}: pexip_{field} is {wanted}, and the Management Node that answers says that it "
                f"is {answered}: set pexip_{field} to {answered}, or find out whose Management Node that is"
            )


def locations(plan: Plan) -> Iterator[str]:
    """A node's location is declared or exists; private and public nodes are in different ones (guide, hybrid cloud)."""
    known = {*plan.locations, *plan.existing_locations}
    private, public = defaultdict(set), defaultdict(set)
    for node in plan.nodes:
        location = node.get("location")
        if not location:
            continue
        (private if node["public_address"] == "none" else public)[location].add(node["name"])
        if location not in known:
            yield (
                f"{node['name']}: pexip_location {location} does not exist and is not in pexip_locations: declare it, "
                f"or name one of these: {listed(known)}"
            )
    names = {node["name"] for node in plan.nodes}
    for other in plan.registered.values():
        if other["name"] not in names and other.get("system_location"):
            (public if other.get("static_nat_address") else private)[other["system_location"]].add(other["name"])
    for location in sorted({*private} & {*public} & {node.get("location") for node in plan.nodes}):
        yield (
            f"The location {location} would hold private ({listed(private[location])}) and public nodes "
            f"({listed(public[location])}): give the ones or the others another pexip_location"
        )


def existing_locations(plan: Plan) -> Iterator[str]:
    """A location without DNS and NTP servers gives nodes that synchronise and yet do not work."""
    used = {node.get("location") for node in plan.nodes}
    for name, location in plan.existing_locations.items():
        empty = [field for field in ("dns_servers", "ntp_servers") if not location.get(field)]
        if name in used and name not in plan.locations and empty:
            yield (
                f"The location {name} has no {' and no '.join(empty)}: its nodes would not work; add them there, or "
                "declare the location in pexip_locations"
            )


def spread_locations(plan: Plan) -> Iterator[str]:
    """Guide, "Limitations": a system location is equivalent to an availability zone."""
    zones = defaultdict(lambda: defaultdict(list))
    for node in plan.nodes:
        if node.get("location") and plan.subnet(node):
            zones[node["location"]][plan.subnet(node)["availability_zone"]].append(node["name"])
    for location, spread in zones.items():
        if len(spread) > 1:
            where = "; ".join(f"{zone}: {', '.join(names)}" for zone, names in sorted(spread.items()))
            yield f"The location {location} spans availability zones ({where}): a location is one zone in the guide"


def large_fleet(plan: Plan) -> Iterator[str]:
    """Guide, "Recommended instance types": its advice holds for up to 30 Conferencing Nodes."""
    count = len({*plan.registered, *(node["name"] for node in plan.nodes)})
    if count > COMFORTABLE_FLEET:
        yield (
            f"The platform would have {count} Conferencing Nodes: the recommended instance type of the Management Node "
            f"is for up to {COMFORTABLE_FLEET}; choose a larger one"
        )


def mixed_overflow(plan: Plan) -> Iterator[str]:
    """Guide, "Deployment guidelines": always-on and bursting nodes are not mixed in one location."""
    overflow, always_on = defaultdict(list), defaultdict(list)
    for node in plan.nodes:
        (overflow if node.get("overflow") else always_on)[node.get("location")].append(node["name"])
    for location in sorted(name for name in {*overflow} & {*always_on} if name):
        yield (
            f"The location {location} would hold always-on ({listed(always_on[location])}) and overflow nodes "
            f"({listed(overflow[location])}): the guide advises a location of their own for overflow nodes"
        )
