# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the doctor of cloud bursting reads: the snapshots of AWS and of the platform, and the inventory, indexed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

from ansible_collections.pexip.infinity.plugins.filter.images import numbers, parse

TAG = "pexip-cloud"
NODE_TAG, PLATFORM_TAG, ROLE_TAG = "pexip-infinity-node", "pexip-infinity-platform", "pexip-infinity-role"
LIVE = ("pending", "running", "stopping", "stopped")
OURS = "pexip.infinity: "  # a maintenance mode whose reason begins so is the collection's own
OVERFLOW, ALWAYS_ON = "overflow", "always-on"


def tag(instance: Mapping, key: str) -> str | None:
    """One tag of an instance, None when it does not carry it."""
    return (instance.get("tags") or {}).get(key)


def state(instance: Mapping) -> str:
    """The state of an instance, as EC2 names it."""
    return (instance.get("state") or {}).get("name") or ""


def number(value: Any) -> float:
    """A figure of the platform; null counts as nothing."""
    return float(value or 0)


def listed(names: Iterable[Any]) -> str:
    """Names in one line, sorted, each once."""
    return ", ".join(sorted({str(name) for name in names}))


def count(amount: int, noun: str) -> str:
    """A number with its noun: ``1 node``, ``2 nodes``."""
    return f"{amount} {noun}{'' if amount == 1 else 's'}"


class Case:
    """The facts of the filter ``bursting_findings``, with the look-ups that several checks share."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        platform, wanted = facts.get("platform") or {}, facts.get("wanted") or {}
        self.bursting: Mapping[str, Any] = platform.get("bursting") or {}
        self.nodes: list[dict] = list(platform.get("nodes") or [])
        self.locations: list[dict] = list(platform.get("locations") or [])
        self.settings: Mapping[str, Any] = platform.get("settings") or {}
        self.management: Mapping[str, Any] = platform.get("management") or {}
        self.licences: Mapping[str, Any] = platform.get("licences") or {}
        self.shards: list[dict] = list(platform.get("shards") or [])
        self.aws: Mapping[str, Any] = facts.get("aws") or {}
        self.overflow: dict[str, str] = dict(wanted.get("overflow") or {})
        self.hosts: dict[str, dict] = {host["name"]: host for host in wanted.get("nodes") or []}
        self.adopt: bool = bool(wanted.get("adopt"))
        self.expected_nodes: int = int(wanted.get("overflow_nodes_per_conference") or 0)

    # The platform

    @property
    def enabled(self) -> bool:
        """Whether bursting is on."""
        return bool(self.settings.get("bursting_enabled", self.bursting.get("enabled")))

    @property
    def host_name(self) -> str:
        """The Management Node's host name, which is the value of the tag."""
        return self.management.get("hostname") or self.bursting.get("tag_value") or ""

    @property
    def threshold(self) -> int:
        """The bursting threshold, HD connections."""
        return int(number(self.settings.get("bursting_threshold", self.bursting.get("threshold"))))

    @property
    def min_lifetime(self) -> int:
        """Minutes that an overflow node runs at least; the guide's 50 where the platform does not say."""
        return int(number(self.settings.get("bursting_min_lifetime", self.bursting.get("min_lifetime")))) or 50

    @property
    def access_key(self) -> str:
        """The access key ID that the platform holds."""
        return self.settings.get("aws_access_key") or ""

    @property
    def cloud_nodes(self) -> list[dict]:
        """The rows of the page Status > Cloud Bursting, Cloud overflow nodes."""
        return list(self.bursting.get("nodes") or [])

    @property
    def issues(self) -> list[str]:
        """What the platform itself says is wrong."""
        return list(self.bursting.get("issues") or [])

    def cloud_node(self, node: Mapping) -> dict:
        """A node's row on that page, empty when it has none."""
        own = self.instance(node)
        ids = {own["instance_id"]} if own else set()
        rows = (r for r in self.cloud_nodes if r.get("name") == node["name"] or r.get("instance_id") in ids)
        return next(rows, {})

    @cached_property
    def _names(self) -> dict[str, str]:
        return {str(location.get("resource_uri")): location["name"] for location in self.locations}

    def location_name(self, reference: Any) -> str | None:
        """The name of a location that is referred to by URI, by name, or as the object itself."""
        if isinstance(reference, Mapping):
            return reference.get("name") or self._names.get(str(reference.get("resource_uri")))
        return self._names.get(str(reference), reference) if reference else None

    @cached_property
    def location(self) -> dict[str, dict]:
        """The locations by name, with the names of their overflow locations as ``primary`` and ``secondary``."""
        return {
            location["name"]: {
                **location,
                "primary": self.location_name(location.get("overflow_location1")),
                "secondary": self.location_name(location.get("overflow_location2")),
            }
            for location in self.locations
        }

    def nodes_in(self, location: str) -> list[dict]:
        """The nodes of a location."""
        return [node for node in self.nodes if node.get("system_location") == location]

    # AWS

    @property
    def region(self) -> str:
        """The region of the platform's instances."""
        return self.aws.get("region") or ""

    @cached_property
    def instances(self) -> list[dict]:
        """The live instances; those on their way to termination do not count."""
        return [instance for instance in self.aws.get("instances") or [] if state(instance) in LIVE]

    def image(self, instance: Mapping) -> dict | None:
        """Kind, version and build of the Pexip image that an instance was launched from, None for any other."""
        name = (self.aws.get("images") or {}).get(instance.get("image_id"))
        return parse({"image_id": instance.get("image_id"), "name": name}) if name else None

    @cached_property
    def manager(self) -> dict | None:
        """The Management Node's own instance, None when it is not in EC2."""
        address = self.management.get("address")
        at = [i for i in self.instances if address and i.get("private_ip_address") == address]
        ours = [i for i in at if tag(i, ROLE_TAG) == "management" and tag(i, PLATFORM_TAG) == self.host_name]
        found = ours or at
        return found[0] if len(found) == 1 else None

    @property
    def home(self) -> str:
        """The region of the Management Node, where the platform looks for instances."""
        return (self.region_of(self.manager) if self.manager else "") or self.region

    def candidates(self, node: Mapping) -> list[dict]:
        """The instances that may be a node's: one by our tags, else those with its address that are nobody else's."""
        own = [i for i in self.instances if self.ours(i) and tag(i, NODE_TAG) == node["name"]]
        at = [i for i in self.instances if node.get("address") and i.get("private_ip_address") == node["address"]]
        if own:
            return [i for i in own if i in at] or own
        # Another VPC may use the same addresses, on premises too: what looks like a node goes, and the platform's own first.
        found = [
            i for i in at if tag(i, PLATFORM_TAG) is None and (node["name"] in self.hosts or self._looks_like_a_node(i))
        ]
        for preferred in (
            [i for i in found if tag(i, TAG) == self.host_name],
            [i for i in found if self.manager and i.get("vpc_id") == self.manager.get("vpc_id")],
        ):
            if len(found) > 1 and preferred:
                found = preferred
        return found

    def _looks_like_a_node(self, instance: Mapping) -> bool:
        image = self.image(instance)
        near = bool(self.manager) and instance.get("vpc_id") == self.manager.get("vpc_id")
        return near or tag(instance, TAG) is not None or bool(image) and image["kind"] == "conferencing"

    def instance(self, node: Mapping) -> dict | None:
        """A node's instance, None when there is none or several might be it."""
        found = self.candidates(node)
        return found[0] if len(found) == 1 else None

    @cached_property
    def pairs(self) -> list[tuple[dict, dict]]:
        """Every node with its instance."""
        return [(node, instance) for node in self.nodes if (instance := self.instance(node))]

    def ours(self, instance: Mapping) -> bool:
        """Whether an instance carries our tags for this platform."""
        return tag(instance, PLATFORM_TAG) == self.host_name and bool(self.host_name)

    def may_touch(self, instance: Mapping) -> bool:
        """Whether an instance may be mended: it carries our tags, or is to be adopted by its address."""
        return self.ours(instance) or self.adopt

    def region_of(self, instance: Mapping) -> str:
        """The region of an instance's zone: ``eu-west-1`` of ``eu-west-1a`` and of the local zone ``eu-west-1-lon-1a``."""
        zone = (instance.get("placement") or {}).get("availability_zone") or ""
        found = re.match(r"[a-z]+(-[a-z]+)+-\d+", zone)
        return found[0] if found else zone

    # What a node and a location are for

    @cached_property
    def overflow_locations(self) -> list[str]:
        """The locations that hold overflow nodes: by the inventory's map, else by what the platform and AWS show."""
        if self.overflow:
            return list(dict.fromkeys(self.overflow.values()))
        tagged = {node["name"] for node, instance in self.pairs if tag(instance, TAG) is not None}
        referred = {
            named for location in self.location.values() for named in (location["primary"], location["secondary"])
        }
        found = []
        for location in self.location:
            inside = {node["name"] for node in self.nodes_in(location)}
            if inside & tagged and (location in referred or inside <= tagged):
                found.append(location)
        return found

    @property
    def primary_locations(self) -> list[str]:
        """The locations that overflow to those, or should."""
        if self.overflow:
            return list(self.overflow)
        return [name for name, location in self.location.items() if location["primary"] in self.overflow_locations]

    def kind(self, node: Mapping) -> str:
        """Always-on or overflow: by the inventory's groups, else by the node's location, else by its tag."""
        if node["name"] in self.hosts:
            return OVERFLOW if self.hosts[node["name"]].get("overflow") else ALWAYS_ON
        if node.get("system_location") in self.overflow_locations:
            return OVERFLOW
        instance = self.instance(node)
        return OVERFLOW if instance and tag(instance, TAG) == self.host_name else ALWAYS_ON

    @cached_property
    def overflow_nodes(self) -> list[dict]:
        """The overflow nodes."""
        return [node for node in self.nodes if self.kind(node) == OVERFLOW]

    @cached_property
    def always_on_nodes(self) -> list[dict]:
        """The other nodes."""
        return [node for node in self.nodes if self.kind(node) == ALWAYS_ON]

    def converting(self, node: Mapping) -> bool:
        """Whether one of our playbooks has the node in maintenance mode, as it does while it converts it."""
        return bool(node.get("maintenance_mode")) and str(node.get("maintenance_mode_reason") or "").startswith(OURS)

    @cached_property
    def always_on_capacity(self) -> int:
        """HD connections of the primary locations' always-on nodes; without any such location, of all of them."""
        found = [n for n in self.always_on_nodes if n.get("system_location") in self.primary_locations]
        return sum(capacity(node) for node in found or self.always_on_nodes)

    def version(self, node: Mapping) -> str | None:
        """A node's version: what it last reported, else that of its instance's image; None when neither is known."""
        reported = (node.get("status") or {}).get("version")
        instance = None if reported else self.instance(node)
        image = self.image(instance) if instance else None
        return reported or (image["version"] if image else None)


def capacity(node: Mapping) -> int:
    """HD connections that a node can carry, 0 before it has reported in."""
    return int(number((node.get("status") or {}).get("max_hd_calls")))


def version_numbers(text: str | None) -> tuple[int, ...] | None:
    """``11.0.0 (26902.0.0)`` as numbers that compare, build left out; None for what is no version."""
    first = (text or "").split(" ")[0]
    return numbers(first) if first and all(part.isdigit() for part in first.split(".")) else None
