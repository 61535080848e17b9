# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan that the preflight rules read: what is wanted and what was found, indexed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

LIVE = ("pending", "running", "stopping", "stopped")


class Plan:
    """A preflight plan (see the filter ``preflight``) with the look-ups that several rules share."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        self.deployment: str = plan.get("deployment") or ""
        self.version: str = str(plan.get("version") or "")
        self.force: bool = bool(plan.get("force"))
        self.adopt: bool = bool(plan.get("adopt"))
        self.ssh_agent: bool = bool(plan.get("ssh_agent"))
        self.management: dict | None = plan.get("management") or None
        self.nodes: list[dict] = list(plan.get("nodes") or [])
        self.locations: list[str] = list(plan.get("locations") or [])
        self.setup: Mapping[str, Any] | None = plan.get("setup") or None
        self.found: Mapping[str, Any] = plan.get("found") or {}

    @property
    def given(self) -> str:
        """The address of an existing Management Node, so that none is launched; empty when there is none."""
        return (self.management or {}).get("host") or ""

    @property
    def platform_hostname(self) -> str:
        """The Management Node's host name, by which our instances name their platform."""
        return self.management["hostname"] if self.management else ""

    @cached_property
    def hosts(self) -> list[dict]:
        """Every host that has or will have an instance: the Management Node, unless it is given, and all nodes."""
        managers = [self.management] if self.management and not self.given else []
        return managers + self.nodes

    @property
    def deploys(self) -> dict | None:
        """The Management Node that this play sees to; None when it is given, and in a play of the nodes."""
        return self.management if self.management and self.setup and not self.given else None

    @property
    def installed(self) -> bool:
        """Whether the Management Node answers, or was installed and is stopped: only then is its certificate known."""
        return bool(self.platform) or any(tag(i, "pexip-infinity-tls-fingerprint") for i in self.managers())

    @cached_property
    def subnets(self) -> dict[str, dict]:
        """The subnets found, by id."""
        return {subnet["subnet_id"]: subnet for subnet in self.found.get("subnets") or []}

    def subnet(self, host: Mapping) -> dict | None:
        """The subnet that a host asks for, if it exists."""
        return self.subnets.get(host.get("subnet_id") or "")

    @cached_property
    def instances(self) -> dict[str, dict]:
        """Instances that exist, by id: those on their way to termination do not count."""
        return {i["instance_id"]: i for i in self.found.get("instances") or [] if i["state"]["name"] in LIVE}

    @cached_property
    def namesakes(self) -> list[dict]:
        """Live instances whose tags name our platform, or another one with the same host name."""
        return [i for i in self.instances.values() if tag(i, "pexip-infinity-platform") == self.platform_hostname]

    def managers(self) -> list[dict]:
        """Live instances that say they are the Management Node of a platform with our host name."""
        return [i for i in self.namesakes if tag(i, "pexip-infinity-role") == "management"]

    def own_instances(self, host: Mapping) -> list[dict]:
        """Live instances that carry our tags for a host."""
        if host is self.management:
            return self.managers()
        return [i for i in self.namesakes if tag(i, "pexip-infinity-node") == host["name"]]

    def to_launch(self, host: Mapping) -> bool:
        """Whether a host has no instance yet (one that will be adopted counts as its instance)."""
        return not self.own_instances(host) and not self.adoptable(host)

    def adoptable(self, host: Mapping) -> bool:
        """Whether an instance that is nobody's has the host's address, and it is to be taken over."""
        address = host.get("private_ip") or (self.registered.get(host["name"]) or {}).get("address")
        place = (host.get("subnet_id"), address)
        return self.adopt and any(
            (i.get("subnet_id"), i.get("private_ip_address")) == place and not tag(i, "pexip-infinity-node")
            for i in self.instances.values()
        )

    @cached_property
    def platform(self) -> Mapping | None:
        """What the platform holds, None when there is none yet."""
        return self.found.get("platform")

    @cached_property
    def registered(self) -> dict[str, dict]:
        """The platform's Conferencing Nodes by name."""
        return {node["name"]: node for node in (self.platform or {}).get("nodes") or []}

    @cached_property
    def existing_locations(self) -> dict[str, dict]:
        """The platform's system locations by name."""
        return {location["name"]: location for location in (self.platform or {}).get("locations") or []}


def tag(instance: Mapping, key: str) -> str | None:
    """One tag of an instance, None when it does not carry it."""
    return (instance.get("tags") or {}).get(key)


def listed(names: Iterable[str], nothing: str = "none") -> str:
    """Names in one line, sorted, each once."""
    return ", ".join(sorted({str(name) for name in names})) or nothing


def fqdn(host: Mapping) -> str:
    """Host name and domain in lower case, as DNS compares them."""
    return f"{host.get('hostname') or ''}.{host.get('domain') or ''}".lower()
