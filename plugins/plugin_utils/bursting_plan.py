# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan that the rules of dynamic bursting read: what is wanted and what was found, with the look-ups they share."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.bursting import TAG_NAME
from ansible_collections.pexip.infinity.plugins.plugin_utils.preflight_plan import tag

SERVERS = ("dns_servers", "ntp_servers")


class BurstingPlan:
    """A plan as the filter ``bursting_problems`` takes it.

    Whether a node is always-on or overflow is said by its inventory group; of a node that the inventory does not have,
    by the tag of the EC2 instance at its address. So a node on another hypervisor is always-on.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.overflow: dict[str, str] = dict(plan.get("overflow") or {})
        self.threshold: Any = plan.get("threshold")
        self.min_lifetime: int = int(plan.get("min_lifetime") or 0)
        self.region: str = plan.get("region") or ""
        self.tag_value: str = plan.get("tag_value") or ""
        self.force: bool = bool(plan.get("force"))
        self.replace: bool = bool(plan.get("replace"))
        self.check: bool = bool(plan.get("check"))
        self.user: Mapping[str, Any] = plan.get("user") or {}
        self.hosts: list[dict] = list(plan.get("hosts") or [])
        self.instances: list[dict] = list(plan.get("instances") or [])
        self.nodes: list[dict] = list(plan.get("nodes") or [])
        self.servers: Mapping[str, list[str]] = plan.get("servers") or {}
        self.declared: dict[str, dict] = {entry["name"]: entry for entry in plan.get("declared") or []}
        self.found: dict[str, dict] = {location["name"]: location for location in plan.get("locations") or []}

    @cached_property
    def overflow_locations(self) -> list[str]:
        """The overflow locations of the map, each once, in its order."""
        return list(dict.fromkeys(self.overflow.values()))

    @cached_property
    def overflow_hosts(self) -> list[dict]:
        """The inventory's overflow nodes."""
        return [host for host in self.hosts if host.get("overflow")]

    @cached_property
    def by_name(self) -> dict[str, dict]:
        """The inventory's nodes by name."""
        return {host["name"]: host for host in self.hosts}

    @cached_property
    def registered(self) -> dict[str, dict]:
        """The platform's nodes by name."""
        return {node["name"]: node for node in self.nodes}

    @cached_property
    def at_address(self) -> dict[str, dict]:
        """The instances by their private address."""
        return {i["private_ip_address"]: i for i in self.instances if i.get("private_ip_address")}

    def is_overflow(self, node: Mapping[str, Any]) -> bool:
        """Whether one of the platform's nodes is an overflow node."""
        host = self.by_name.get(node["name"])
        if host:
            return bool(host.get("overflow"))
        return tag(self.at_address.get(node.get("address") or "", {}), TAG_NAME) == self.tag_value

    def has_instance(self, node: Mapping[str, Any]) -> bool:
        """Whether a node has an instance in the region: by our tag, or at its address."""
        return node.get("address") in self.at_address or any(
            tag(instance, "pexip-infinity-node") == node["name"] for instance in self.instances
        )

    def residents(self, location: str, overflow: bool) -> list[str]:
        """Names of the always-on or of the overflow nodes that are in a location, or will be once they are registered."""
        there = {
            n["name"] for n in self.nodes if n.get("system_location") == location and self.is_overflow(n) == overflow
        }
        coming = {
            host["name"]
            for host in self.hosts
            if host["name"] not in self.registered
            and host.get("location") == location
            and bool(host.get("overflow")) == overflow
        }
        return sorted(there | coming)

    def capacity(self, location: str) -> int:
        """HD calls that the always-on nodes of a location can host together, as they last reported it."""
        return sum(
            (node.get("status") or {}).get("max_hd_calls") or 0
            for node in self.nodes
            if node.get("system_location") == location and not self.is_overflow(node)
        )

    def named(self, reference: str | None) -> str | None:
        """The name of a location that another one refers to by its URI or by its name."""
        for name, location in self.found.items():
            if reference and reference in (name, location.get("resource_uri")):
                return name
        return None

    def wanted_location(self, name: str) -> dict[str, Any]:
        """An overflow location as it has to be: as declared; where nothing is said of servers, those that it has, else the
        platform's.
        """
        entry = dict(self.declared.get(name) or {"name": name})
        for field in SERVERS:
            present = [server["address"] for server in self.found.get(name, {}).get(field) or []]
            if field not in entry:
                inherited = [] if name in self.declared else present
                entry[field] = inherited or list(self.servers.get(field) or [])
        return entry
