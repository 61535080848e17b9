# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conferencing Nodes as the hosts of an inventory: what the platform and EC2 say of each, read in a few requests and joined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.client import Client, PexipError, resource_path
from ansible_collections.pexip.infinity.plugins.module_utils.converge import listing
from ansible_collections.pexip.infinity.plugins.module_utils.filters import answered, check_fields, check_names
from ansible_collections.pexip.infinity.plugins.module_utils.masking import without_secrets
from ansible_collections.pexip.infinity.plugins.module_utils.node import in_contact, newest_report, overdue

from .node_instance import NODE, TAG, Instance, at_address, instance_problems, own, power, tags

ALWAYS_ON, OVERFLOW = KINDS = ("always_on", "overflow")
Facts = dict[str, Any]


@dataclass(frozen=True)
class Platform:
    """What the management API says of the nodes; ``locations`` are names by URI."""

    nodes: list[dict[str, Any]]
    statuses: list[dict[str, Any]] = field(default_factory=list)
    cloud_nodes: list[dict[str, Any]] = field(default_factory=list)
    locations: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, client: Client, filters: dict[str, Any], status_filters: dict[str, Any]) -> Platform:
        """Reads it, in three requests for up to 1,000 nodes. With ``status_filters`` only nodes whose status passes are kept.

        Two more, of the schemas, where an answer does not show by itself that its filters took effect, and one of the
        locations for a node that has no status yet, alone in its location. Raises PexipError.
        """
        check_names(filters)
        check_names(status_filters, "status_filters")
        nodes = _filtered(client, "configuration", filters, "filters")
        statuses = _filtered(client, "status", status_filters, "status_filters")
        cloud_nodes = client.list(resource_path("cloud_node", family="status"))
        by_id = {row.get("configuration_id"): row for row in statuses}
        if status_filters:
            nodes = [node for node in nodes if node["id"] in by_id]
        # A status names its node's location, the configuration gives only the URI.
        locations = {
            node["system_location"]: by_id[node["id"]]["system_location"] for node in nodes if node["id"] in by_id
        }
        if any(node["system_location"] not in locations for node in nodes):
            locations = {row["resource_uri"]: row["name"] for row in client.list(resource_path("system_location"))}
        return cls(without_secrets(nodes), statuses, cloud_nodes, locations)


def _filtered(client: Client, family: str, filters: dict[str, Any], option: str) -> list[dict[str, Any]]:
    path = resource_path("worker_vm", family=family)
    try:
        rows = client.list(path, filters)
    except PexipError as error:
        raise error.about(option) if filters and error.status == 400 else error from None
    if not answered(rows, filters):
        check_fields(client, path, "worker_vm", filters, option)
    return rows


class Account:
    """The EC2 instances, to be found by node.

    :param platform: the Management Node's host name, as the instances' tags have it
    """

    def __init__(self, instances: list[Instance], platform: str):
        self._instances = instances
        self._platform = platform
        self._addresses = {instance.get("private_ip_address") for instance in instances}
        self._named: dict[str | None, list[Instance]] = {}
        for instance in instances:
            self._named.setdefault(tags(instance).get(NODE), []).append(instance)

    def instance(self, node: Mapping[str, Any], warn: Callable[[str], None]) -> Instance | None:
        """A node's instance by its tags, else by its private address; None where there is none, or a doubt, which is told."""
        found = own(self._named.get(node["name"], []), node["name"], self._platform)
        if not found and node["address"] in self._addresses:
            found = at_address(self._instances, node["address"], self._platform)
        problems = list(instance_problems(node["name"], node, found))
        for problem in problems:
            warn(problem)
        return found[0] if found and not problems else None


def hosts(platform: Platform, account: Account | None, warn: Callable[[str], None]) -> list[Facts]:
    """The facts of every node, by name; plain values, without secrets, as a cache can keep them."""
    statuses = {row.get("configuration_id"): row for row in platform.statuses}
    cloud = {row.get("workervm_configuration_id") for row in platform.cloud_nodes}
    newest = newest_report(platform.statuses)
    result = []
    for node in sorted(platform.nodes, key=lambda node: node["name"]):
        status = statuses.get(node["id"])
        instance = account.instance(node, warn) if account else None
        facts = {
            "node_id": node["id"],
            "name": node["name"],
            "address": node["address"],
            "fqdn": ".".join(part for part in (node.get("hostname"), node.get("domain")) if part),
            "static_nat_address": node.get("static_nat_address"),
            "location": platform.locations.get(node["system_location"]),
            "node_type": node.get("node_type"),
            "kind": OVERFLOW if bursts(node, instance, cloud) else ALWAYS_ON,
            "maintenance_mode": bool(node.get("maintenance_mode")),
            "maintenance_mode_reason": node.get("maintenance_mode_reason") or "",
            "sync_status": (status or {}).get("sync_status"),
            "last_updated": (status or {}).get("last_updated"),
            "in_contact": in_contact(status) and not overdue(status, newest),
            "node_version": (status or {}).get("version"),
            "configuration": node,
            "status": status or {},
        }
        result.append(facts | (instance_facts(node, instance) if instance else {}))
    return result


def bursts(node: Mapping[str, Any], instance: Instance | None, cloud: Iterable[int | None]) -> bool:
    """Whether a node is an overflow node.

    Either the platform lists it among its cloud nodes, or its instance carries the tag, or its distributed database is
    off, as the guide has it for nodes that are not always available: a node that ``stop_nodes`` took out has no tag.
    """
    return node["id"] in cloud or TAG in tags(instance) or not node.get("enable_distributed_database", True)


def instance_facts(node: Mapping[str, Any], instance: Instance) -> Facts:
    """What EC2 says of a node's instance.

    ``public_address`` is for the roles, which compare the static NAT address with the instance's own: ``none`` where
    the node has none. One that the instance got by itself is Amazon's, and away while it is stopped.
    """
    kind = "dynamic" if instance["public_ip_owner"] in (None, "amazon") else "elastic"
    return {
        "instance_id": instance["instance_id"],
        "instance_type": instance["instance_type"],
        "instance_state": power(instance),
        "instance_tags": dict(tags(instance)),
        "public_ip": instance["public_ip_address"],
        "availability_zone": instance["availability_zone"],
        "region": instance["region"],
        "subnet_id": instance["subnet_id"],
        "public_address": kind if node.get("static_nat_address") else "none",
    }


def named(entries: list[Facts], preferences: list[str]) -> dict[str, Facts]:
    """The entries by inventory name: the first of the preferences, facts or fields of the configuration, that is not empty.

    Raises PexipError for an unknown preference, and for a name that two nodes would share.
    """
    known = {**entries[0]["configuration"], **entries[0]} if entries else {}
    for preference in preferences:
        if entries and preference not in known and not any(preference in entry for entry in entries):
            raise PexipError(
                f"hostnames: {preference!r} is nothing that is known of a node. {listing(preference, list(known))}"
            )
    result: dict[str, Facts] = {}
    for entry in entries:
        values = ({**entry["configuration"], **entry}.get(preference) for preference in preferences)
        name = str(next((value for value in values if value), entry["name"]))
        if name in result:
            raise PexipError(
                f"hostnames: the nodes {result[name]['name']} and {entry['name']} would both be the host {name}: "
                f"put something before {', '.join(preferences)} that tells them apart, such as name"
            )
        result[name] = entry
    return result
