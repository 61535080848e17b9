# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Preflight rules about what the inventory says by itself: what is missing, malformed or given twice."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from ansible.errors import AnsibleFilterError
from ansible_collections.pexip.infinity.plugins.filter.fleet import SECRETS
from ansible_collections.pexip.infinity.plugins.filter.security_rules import open_cidrs
from ansible_collections.pexip.infinity.plugins.plugin_utils.preflight_plan import Plan, fqdn

NAME_LENGTH = 32  # API fact: worker_vm.name
HOSTNAME_LENGTH = 63  # API fact: worker_vm.hostname
SHORTEST_MANAGER = 3  # API fact: the installation takes a hostname of 3 characters and more; a node's has no minimum
DOMAIN_LENGTH = 192  # API fact: worker_vm.domain
LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")

# What a host cannot be deployed without.
HOST_NEEDS = ("subnet_id", "key_name", "domain")
NODE_NEEDS = (*HOST_NEEDS, "location")
SERVERS = ("dns_servers", "ntp_servers")


def undefined_variables(plan: Plan) -> Iterator[str]:
    """Variables that refer to what is not defined. Secrets count where they are needed."""
    holders = defaultdict(list)
    for host in plan.hosts:
        for field, why in host["undefined"].items():
            if field not in SECRETS or field in _secrets(plan, host):
                holders[why].append(host["name"])
    for why, names in holders.items():
        yield (
            f"{', '.join(names)}: {why}: define it, for instance in a vault file beside the inventory or given with "
            "-e @FILE"
        )


def required_variables(plan: Plan) -> Iterator[str]:
    """Guide, "Assumptions and prerequisites"; a node made without a password cannot be reached (API fact)."""
    if plan.deployment not in ("private", "public", "hybrid"):
        yield f"pexip_deployment {plan.deployment!r} is not a deployment option: give private, public or hybrid"
    if not plan.version:
        yield "pexip_version is not given: give the platform's version, such as 11.0.0"
    if not plan.management:
        yield (
            "The group pexip_management is empty: put the Management Node's host into it or, where this is a slice of an "
            "inventory, give pexip_hostname and pexip_host (or PEXIP_HOST) to all hosts"
        )
    for host in plan.hosts:
        for field in HOST_NEEDS if host is plan.management else NODE_NEEDS:
            if not host.get(field) and field not in host["undefined"]:
                yield f"{host['name']}: pexip_{field} is not given: set it for this host, its group or all"
        for secret in _secrets(plan, host):
            if not host["secrets"][f"pexip_{secret}"] and secret not in host["undefined"]:
                yield f"{host['name']}: pexip_{secret} is not given or empty: the node cannot be set up without it"


def _secrets(plan: Plan, host: dict) -> tuple[str, ...]:
    """What a host's installation or registration asks for; the Management Node's role wants it again in each run."""
    if host is plan.management:
        return ("admin_password", "password") if plan.deploys else ()
    return () if host["name"] in plan.registered else ("node_password",)


def login_key(plan: Plan) -> Iterator[str]:
    """Guide, "Deploying a Management Node", step 13: the first login is by the instance's key pair, and by it alone."""
    manager = plan.deploys
    if manager and not (plan.installed or plan.ssh_agent or manager.get("private_key_file")):
        yield (
            f"{manager['name']}: pexip_private_key_file is not given and no ssh agent is running: the first login works "
            f"only if ~/.ssh/config or a standard key has the private half of the key pair {manager.get('key_name')}"
        )


def legal_names(plan: Plan) -> Iterator[str]:
    """Lengths as the management API enforces them; labels as DNS has them."""
    for host in plan.hosts:
        name, hostname, domain = host["name"], host["hostname"], host.get("domain") or ""
        manager = host is plan.management
        if not manager and len(name) > NAME_LENGTH:
            yield f"{name}: the name has {len(name)} characters, the platform takes {NAME_LENGTH}: give a shorter one"
        shortest = SHORTEST_MANAGER if manager else 1
        if not shortest <= len(hostname) <= HOSTNAME_LENGTH or not LABEL.fullmatch(hostname):
            yield (
                f"{name}: hostname {hostname!r} is not a host name: give {shortest} to {HOSTNAME_LENGTH} letters, "
                "digits and inner hyphens, without a domain"
            )
        if len(domain) > DOMAIN_LENGTH:
            yield (
                f"{name}: pexip_domain {domain!r} has {len(domain)} characters, the platform takes {DOMAIN_LENGTH}: "
                "give a shorter one"
            )
        elif domain and not _is_name(domain):
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


def name_servers(plan: Plan) -> Iterator[str]:
    """Guide, "Deploying a Management Node", step 14: the installation asks for DNS servers and for NTP servers."""
    if manager := plan.deploys:
        for field in SERVERS:
            yield from _malformed(f"{manager['name']}: pexip_{field}", field, manager.get(field))
            if not manager.get(field):
                yield (
                    f"{manager['name']}: pexip_{field} is not given: the installation asks for servers, and those that "
                    "it offers are reachable only from a node with a public address; give some that this node reaches"
                )
    if plan.management and plan.setup:
        for field in SERVERS:
            yield from _malformed(f"{plan.management['name']}: pexip_{field}", field, plan.setup[field])


def declared_locations(plan: Plan) -> Iterator[str]:
    """A location without DNS and NTP servers gives nodes that synchronize and yet do not work."""
    for location in (plan.setup or {}).get("locations") or []:
        for field in SERVERS:
            own = location.get(field)
            yield from _malformed(f"The location {location['name']}: {field}", field, own)
            if not (plan.setup[field] if own is None else own):
                yield (
                    f"The location {location['name']} has no {field}: its nodes would synchronize and yet not work: set "
                    f"pexip_{field}, or the location's own {field}"
                )


def management_stations(plan: Plan) -> Iterator[str]:
    """Guide, "Configuring AWS security groups": SSH, ICMP and the upload port are for the management stations alone."""
    if not plan.setup:
        return
    cidrs = plan.setup["management_cidrs"]
    if not cidrs:
        yield (
            "pexip_management_cidrs is not given: give the addresses of the management stations, for instance "
            "192.0.2.10/32; nobody else may use SSH and the upload port"
        )
    try:
        internet = open_cidrs(_items(cidrs))
    except AnsibleFilterError as error:
        yield f"pexip_management_cidrs: {error}"
        return
    if internet and not plan.setup["open_to_all"]:
        yield (
            f"pexip_management_cidrs: {', '.join(internet)} is the whole internet: give the addresses of the management "
            "stations, for instance 192.0.2.10/32 (or set pexip_force: true)"
        )


def _items(value: str | Iterable[str] | None) -> list[str]:
    """A list, also where it was given as one text with commas, as on a command line."""
    return [item.strip() for item in value.split(",")] if isinstance(value, str) else list(value or [])


def _is_name(text: str) -> bool:
    return all(LABEL.fullmatch(label) and len(label) <= HOSTNAME_LENGTH for label in text.split("."))


def _malformed(where: str, field: str, servers: str | Iterable[str] | None) -> Iterator[str]:
    """DNS servers are addresses, NTP servers addresses or names (API facts: dns_server, ntp_server)."""
    for server in map(str, _items(servers) if servers else []):
        try:
            ipaddress.ip_address(server)
        except ValueError:
            # What has digits and dots alone was meant as an address.
            if field == "dns_servers":
                yield f"{where}: {server!r} is not an IP address: give the address of each DNS server"
            elif not _is_name(server) or not re.search(r"[A-Za-z]", server):
                yield f"{where}: {server!r} is neither an IP address nor a host name: give one of them"
