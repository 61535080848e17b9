# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight rules: each reads a plan and yields sentences that name object, field, value and remedy.

Sources are the deployment guide's sections (named at each rule) and the lengths that the management API enforces.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ansible.errors import AnsibleFilterError
from ansible_collections.pexip.infinity.plugins.filter.images import pexip_image
from ansible_collections.pexip.infinity.plugins.filter.images import wanted as version_wanted
from ansible_collections.pexip.infinity.plugins.filter.versions import version_defaults
from ansible_collections.pexip.infinity.plugins.module_utils.addressing import address_problem
from ansible_collections.pexip.infinity.plugins.plugin_utils.preflight_plan import Plan

NAME_LENGTH = 32  # API fact: worker_vm.name
HOSTNAME_LENGTH = 63  # API fact: worker_vm.hostname
DOMAIN_LENGTH = 192  # API fact: worker_vm.domain
COMFORTABLE_FLEET = 30  # guide, "Recommended instance types": its advice holds for deployments of up to 30 nodes
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")

# What a host cannot be deployed without.
HOST_NEEDS = ("subnet_id", "key_name", "domain")
MANAGER_NEEDS = (*HOST_NEEDS, "private_key_file")
NODE_NEEDS = (*HOST_NEEDS, "location")


def listed(names: Iterable[str], nothing: str = "none") -> str:
    """Names in one line, sorted, each once."""
    return ", ".join(sorted({str(name) for name in names})) or nothing


def fqdn(host: dict) -> str:
    """Host name and domain in lower case, as DNS compares them."""
    return f"{host.get('hostname') or ''}.{host.get('domain') or ''}".lower()


def required_variables(plan: Plan) -> Iterator[str]:
    """Guide, "Assumptions and prerequisites"; a node made without a password cannot be reached (API fact)."""
    if plan.deployment not in ("private", "public", "hybrid"):
        yield f"pexip_deployment {plan.deployment!r} is not a deployment option: give private, public or hybrid"
    if not plan.version:
        yield "pexip_version is not given: give the platform's version, such as 11.0.0"
    if not plan.management:
        yield "The group pexip_management is empty: put the Management Node's host into it"
    for host in plan.hosts:
        manager = host is plan.management
        for field in MANAGER_NEEDS if manager else NODE_NEEDS:
            if not host.get(field):
                yield f"{host['name']}: pexip_{field} is not given: set it for this host, its group or all"
        registered = bool(plan.platform) if manager else host["name"] in plan.registered
        secrets = ("admin_password", "password") if manager else ("node_password",)
        for secret in [s for s in secrets if not registered and not host["secrets"][f"pexip_{s}"]]:
            yield f"{host['name']}: pexip_{secret} is not given or empty: the node cannot be set up without it"


def legal_names(plan: Plan) -> Iterator[str]:
    """Lengths as the management API enforces them; labels as DNS has them."""
    for host in plan.hosts:
        name, hostname, domain = host["name"], host["hostname"], host.get("domain") or ""
        if host is not plan.management and len(name) > NAME_LENGTH:
            yield f"{name}: the name has {len(name)} characters, the platform takes {NAME_LENGTH}: give a shorter one"
        if len(hostname) > HOSTNAME_LENGTH or not LABEL.fullmatch(hostname):
            yield (
                f"{name}: hostname {hostname!r} is not a host name: give 1 to {HOSTNAME_LENGTH} letters, digits and "
                "inner hyphens, without a domain"
            )
        labels = domain.split(".")
        if len(domain) > DOMAIN_LENGTH:
            yield (
                f"{name}: pexip_domain {domain!r} has {len(domain)} characters, the platform takes {DOMAIN_LENGTH}: "
                "give a shorter one"
            )
        elif domain and not all(LABEL.fullmatch(label) and len(label) <= HOSTNAME_LENGTH for label in labels):
            yield f"{name}: pexip_domain {domain!r} is not a domain: give one such as example.com"


def unique_names(plan: Plan) -> Iterator[str]:
    """Names, host names and requested addresses, among the inventory's hosts and against the platform's nodes."""
    for title, key in (
        ("the name", lambda host: host["name"]),
        ("the host name", fqdn),
        ("pexip_private_ip", lambda host: host.get("private_ip")),
    ):
        holders = defaultdict(list)
        for host in plan.hosts:
            if key(host):
                holders[key(host)].append(host["name"])
        for value, names in holders.items():
            if len(names) > 1:
                yield f"{', '.join(names)}: {title} {value} is given {len(names)} times: give each host its own"
    for node in plan.nodes:
        for other in plan.registered.values():
            if other["name"] != node["name"] and fqdn(other) == fqdn(node):
                yield (
                    f"{node['name']}: the host name {fqdn(node)} is that of the platform's node {other['name']}: "
                    "give another host name, or give this host that node's name"
                )


def one_region(plan: Plan) -> Iterator[str]:
    """Guide, "Limitations": all instances in one region; one security group means one VPC."""
    regions = defaultdict(list)
    vpcs = defaultdict(list)
    for host in plan.hosts:
        if host.get("region"):
            regions[host["region"]].append(host["name"])
        if plan.subnet(host):
            vpcs[plan.subnet(host)["vpc_id"]].append(host["name"])
    for what, groups in (("pexip_region", regions), ("the VPC of pexip_subnet_id", vpcs)):
        if len(groups) > 1:
            spread = "; ".join(f"{value}: {', '.join(names)}" for value, names in groups.items())
            yield f"{what} differs ({spread}): all instances of a platform go into one region and one VPC"


def prerequisites(plan: Plan) -> Iterator[str]:
    """Guide, "Assumptions and prerequisites": subnet and key pair exist; the images and types that are needed, too."""
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
    current = (plan.platform or {}).get("version")
    if current and plan.version and not version_wanted(current, plan.version):
        yield (
            f"pexip_version {plan.version} is not the version of the Management Node, {current}: Conferencing Nodes "
            f"run the Management Node's version; set pexip_version to {current}, or upgrade the platform first"
        )
    for kind, hosts in (
        ("management", [h for h in plan.hosts if h is plan.management and plan.to_launch(h)]),
        ("conferencing", [h for h in plan.nodes if plan.to_launch(h)]),
    ):
        if not hosts or not plan.version:
            continue
        try:
            pexip_image(plan.found.get("images") or [], kind, current or plan.version)
        except AnsibleFilterError as error:
            yield f"{', '.join(h['name'] for h in hosts)}: pexip_version {plan.version}: {error}"


def instance_types(plan: Plan) -> Iterator[str]:
    """At least one of a host's instance types is to be had in the region."""
    offered = plan.found.get("offered")
    if offered is None:
        return
    unavailable = defaultdict(list)
    for host in plan.hosts:
        kind = "management" if host is plan.management else "conferencing"
        types = tuple(host.get("instance_types") or version_defaults(plan.version or "11")[f"{kind}_instance_types"])
        if types and plan.to_launch(host) and not set(types) & set(offered):
            unavailable[types].append(host["name"])
    for types, names in unavailable.items():
        yield (
            f"{', '.join(names)}: pexip_instance_types {', '.join(types)}: the region offers none of them: "
            "add a type that it offers"
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
        if holder in own or (holder and plan.adopt):
            continue
        what = f"instance {holder}" if holder else f"network interface {interface['network_interface_id']}"
        hint = " (or set pexip_adopt: true to take that instance over)" if holder else ""
        yield (f"{host['name']}: pexip_private_ip {address} is in use by {what}: ask for a free address{hint}")
    for other in plan.registered.values():
        if other["name"] != host["name"] and other["address"] == address:
            yield (
                f"{host['name']}: pexip_private_ip {address} is the address of the platform's node {other['name']}: "
                "ask for a free address"
            )


def instances(plan: Plan) -> Iterator[str]:
    """One instance a node, one Management Node of a host name in an account."""
    for node in plan.nodes:
        own = plan.own_instances(node)
        if len(own) > 1:
            yield (
                f"{node['name']}: instances {listed(i['instance_id'] for i in own)} all carry the tags of this node: "
                "terminate or re-tag all but the one whose address is the node's"
            )
    if not plan.management:
        return
    managers = plan.managers()
    vpcs = {plan.subnet(host)["vpc_id"] for host in plan.hosts if plan.subnet(host)}
    given = plan.management.get("given")
    for manager in managers:
        known = (manager.get("private_ip_address"), manager.get("public_ip_address"))
        where = f"instance {manager['instance_id']} in {manager.get('vpc_id')}"
        remedy = "give this platform's Management Node another pexip_hostname"
        if given and given not in known:
            yield (
                f"{plan.management['name']}: another platform in the account has a Management Node with the host name "
                f"{plan.platform_hostname} ({where}), and pexip_host is {given}: {remedy}"
            )
        elif not given and vpcs and manager.get("vpc_id") not in vpcs:
            yield (
                f"{plan.management['name']}: another platform in the account has a Management Node with the host name "
                f"{plan.platform_hostname} ({where}, not in {listed(vpcs)}): {remedy}"
            )
    if len(managers) > 1:
        yield (
            f"{plan.management['name']}: {len(managers)} instances say that they are the Management Node "
            f"{plan.platform_hostname} ({listed(i['instance_id'] for i in managers)}): another platform has this host "
            "name; give each platform its own pexip_hostname"
        )


def deployment(plan: Plan) -> Iterator[str]:
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
        if host.get("overflow") and public == "dynamic" and not plan.force:
            yield (
                f"{host['name']}: pexip_public_address dynamic on an overflow node: the address changes whenever the "
                "platform starts the node, and its static NAT address would be wrong; set it to elastic or none "
                "(or pexip_force: true)"
            )


def name_servers(plan: Plan) -> Iterator[str]:
    """Guide, step 14: the wizard's default DNS and NTP servers are reachable only with a public address."""
    manager = plan.management
    if not manager or plan.manager_is_given or plan.platform or manager["public_address"] != "none":
        return
    for field in ("dns_servers", "ntp_servers"):
        if not manager.get(field):
            yield (
                f"{manager['name']}: pexip_{field} is not given: the installation's default servers are reachable only "
                "from a node with a public address; give servers that the private Management Node reaches"
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


def location_servers(plan: Plan) -> Iterator[str]:
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


ERRORS = (
    required_variables,
    legal_names,
    unique_names,
    one_region,
    prerequisites,
    images,
    instance_types,
    addresses,
    instances,
    deployment,
    name_servers,
    locations,
    location_servers,
)
WARNINGS = (spread_locations, large_fleet, mixed_overflow)
