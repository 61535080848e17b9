# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight rules about the AWS account: where instances go, what they are made from, which addresses they get."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ansible.errors import AnsibleFilterError
from ansible_collections.pexip.infinity.plugins.filter.images import pexip_image, version_problem
from ansible_collections.pexip.infinity.plugins.filter.versions import version_defaults
from ansible_collections.pexip.infinity.plugins.module_utils.addressing import address_problem
from ansible_collections.pexip.infinity.plugins.plugin_utils.preflight_plan import Plan, listed, tag


def one_region(plan: Plan) -> Iterator[str]:
    """Guide, "Limitations": all instances in one region; one security group means one VPC."""
    regions = defaultdict(list)
    vpcs = defaultdict(list)
    for host in plan.hosts:
        regions[host.get("region") or "not given"].append(host["name"])
        if plan.subnet(host):
            vpcs[plan.subnet(host)["vpc_id"]].append(host["name"])
    for what, groups in (("pexip_region", regions), ("the VPC of pexip_subnet_id", vpcs)):
        if len(groups) > 1:
            spread = "; ".join(f"{value}: {', '.join(names)}" for value, names in groups.items())
            yield f"{what} differs ({spread}): all instances of a platform go into one region and one VPC"


def security_groups_vpc(plan: Plan) -> Iterator[str]:
    """An instance takes security groups of its own VPC alone."""
    wanted = (plan.setup or {}).get("vpc_id")
    vpcs = {plan.subnet(host)["vpc_id"] for host in plan.hosts if plan.subnet(host)}
    if wanted and vpcs and wanted not in vpcs:
        yield (
            f"node_security_group_vpc_id {wanted} is not the VPC of pexip_subnet_id, {listed(vpcs)}, whose instances take "
            "security groups of their own VPC alone: leave it out, or name that one"
        )


def prerequisites(plan: Plan) -> Iterator[str]:
    """Guide, "Assumptions and prerequisites": subnet and key pair exist."""
    regions = {host["region"] for host in plan.hosts if host.get("region")}
    if len(regions) > 1:
        return  # only one region was looked into
    where = f"in the region {listed(regions)}" if regions else "in this region"
    keys = {key["key_name"] for key in plan.found.get("key_pairs") or []}
    missing = defaultdict(list)
    for host in plan.hosts:
        if host.get("subnet_id") and not plan.subnet(host):
            missing["pexip_subnet_id", host["subnet_id"], "create the subnet or name an existing one"].append(host)
        if host.get("key_name") and host["key_name"] not in keys:
            remedy = f"create or import it, or name one of these: {listed(keys)}"
            missing["pexip_key_name", host["key_name"], remedy].append(host)
    for (field, value, remedy), hosts in missing.items():
        yield f"{', '.join(h['name'] for h in hosts)}: {field} {value} does not exist {where}: {remedy}"


def images(plan: Plan) -> Iterator[str]:
    """The images of those nodes that have no instance yet, and a version that is the platform's own."""
    if not plan.version:
        return
    running = (plan.platform or {}).get("version") or ""
    if problem := version_problem(plan.version, running):
        yield problem
        return
    for kind, hosts in (
        ("management", [h for h in plan.hosts if h is plan.management]),
        ("conferencing", plan.nodes),
    ):
        names = [h["name"] for h in hosts if plan.to_launch(h) and not h.get("image_id")]
        if not names:
            continue
        try:
            image = pexip_image(plan.found.get("images") or [], kind, plan.version, running=running)
        except AnsibleFilterError as error:
            yield f"{', '.join(names)}: pexip_version {plan.version}: {str(error).rstrip('.')}"
        else:
            running = running or image["version"]  # what a Management Node that comes will run


def instance_types(plan: Plan) -> Iterator[str]:
    """At least one of a host's instance types is to be had in its subnet's availability zone."""
    offered = plan.found.get("offered") or {}
    unavailable = defaultdict(list)
    for host in plan.hosts:
        kind = "management" if host is plan.management else "conferencing"
        types = tuple(host.get("instance_types") or version_defaults(plan.version or "11")[f"{kind}_instance_types"])
        zone = (plan.subnet(host) or {}).get("availability_zone")
        if zone in offered and types and plan.to_launch(host) and not set(types) & set(offered[zone]):
            unavailable[types, zone].append(host["name"])
    for (types, zone), names in unavailable.items():
        yield (
            f"{', '.join(names)}: pexip_instance_types {', '.join(types)}: the availability zone {zone} offers none of "
            "them: add a type that it offers, or take a subnet in another zone"
        )


def addresses(plan: Plan) -> Iterator[str]:
    """Guide, "Primary IP": a requested address lies in its subnet, is not reserved by AWS, and is free."""
    for host in plan.hosts:
        name, address, subnet = host["name"], host.get("private_ip"), plan.subnet(host)
        if not address:
            continue
        problem = address_problem(address, subnet["cidr_block"]) if subnet else None
        if problem:
            yield f"{name}: pexip_private_ip {address}: {problem}"
            continue
        yield from _taken(plan, host, address, (subnet or {}).get("subnet_id"))
        registered = plan.registered.get(name)
        if host is not plan.management and registered and registered["address"] != address:
            yield (
                f"{name}: pexip_private_ip {address}: the platform's node of this name has the address "
                f"{registered['address']}, which cannot be changed: ask for that one, or remove the node first"
            )


def _taken(plan: Plan, host: dict, address: str, subnet_id: str | None) -> Iterator[str]:
    """Who else has a requested address: a network interface in the subnet, or another node of the platform."""
    own = {i["instance_id"] for i in plan.own_instances(host)}
    for interface in plan.found.get("interfaces") or []:
        if interface.get("private_ip_address") != address or interface.get("subnet_id") != subnet_id:
            continue
        holder = (interface.get("attachment") or {}).get("instance_id")
        node = tag(plan.instances.get(holder) or {}, "pexip-infinity-node")
        if holder in own or (holder and plan.adopt and not node):
            continue
        what = f"instance {holder}" if holder else f"network interface {interface['network_interface_id']}"
        if node:
            what += f", the node {node} of the platform {tag(plan.instances[holder], 'pexip-infinity-platform')}"
        hint = " (or set pexip_adopt: true to take that instance over)" if holder and not node else ""
        yield f"{host['name']}: pexip_private_ip {address} is in use by {what}: ask for a free address{hint}"
    for other in plan.registered.values():
        if other["name"] != host["name"] and other["address"] == address:
            yield (
                f"{host['name']}: pexip_private_ip {address} is the address of the platform's node {other['name']}: "
                "ask for a free address"
            )


def public_addresses(plan: Plan) -> Iterator[str]:
    """Guide, "Deployment options": who has a public address in a private, public and hybrid cloud."""
    for host in plan.hosts:
        public = host["public_address"]
        if public not in ("none", "dynamic", "elastic"):
            yield f"{host['name']}: pexip_public_address {public!r}: give none, dynamic or elastic"
        elif plan.deployment == "private" and public != "none":
            yield (
                f"{host['name']}: pexip_public_address {public} in a private deployment: set it to none, or "
                "pexip_deployment to public or hybrid"
            )
        elif plan.deployment == "public" and public == "none" and host is not plan.management:
            yield (
                f"{host['name']}: pexip_public_address none in a public deployment, where each node has a public "
                "address: set it to elastic or dynamic, or pexip_deployment to private or hybrid"
            )
        # ec2_instance cannot ask for a launch without: it sends AssociatePublicIpAddress only when it is true.
        elif public == "none" and plan.to_launch(host) and (plan.subnet(host) or {}).get("map_public_ip_on_launch"):
            yield (
                f"{host['name']}: pexip_public_address none, and the subnet {host['subnet_id']} gives every new instance "
                "a public address: take another subnet, switch its auto-assignment off, or ask for a public address"
            )
        if host.get("overflow") and public == "dynamic" and not plan.force:
            yield (
                f"{host['name']}: pexip_public_address dynamic on an overflow node: the address changes whenever the "
                "platform starts the node, and its static NAT address would be wrong; set it to elastic or none "
                "(or pexip_force: true)"
            )


def unwanted_public_addresses(plan: Plan) -> Iterator[str]:
    """An instance keeps the kind of public address that it was launched with."""
    for host in plan.hosts:
        for instance in plan.own_instances(host):
            if host["public_address"] == "none" and instance.get("public_ip_address"):
                yield (
                    f"{host['name']}: pexip_public_address none, and its instance {instance['instance_id']} has the "
                    f"public address {instance['public_ip_address']}: it stays, and nothing here uses it"
                )
