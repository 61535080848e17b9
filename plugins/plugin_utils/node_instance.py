# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which instance is a node's, and what forbids to touch it (DESIGN rule: its tags are ours, its address is the node's)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

TAG = "pexip-cloud"  # guide, "AWS tag name"
OURS = "pexip.infinity: "  # how the reason of a maintenance mode of ours begins
CONVERTING = f"{OURS}converting"  # how a conversion that was killed is known
NODE, PLATFORM = "pexip-infinity-node", "pexip-infinity-platform"
GOING = ("shutting-down", "terminated")  # such an instance is nobody's any more

Instance = Mapping[str, Any]


def power(instance: Instance | None) -> str:
    """An instance's state; empty without one."""
    return ((instance or {}).get("state") or {}).get("name") or ""


def tags(instance: Instance | None) -> Mapping[str, str]:
    """An instance's tags."""
    return (instance or {}).get("tags") or {}


def own(instances: Iterable[Instance], name: str, platform: str) -> list[Instance]:
    """The instances that carry the tags of a node of ours, those that are being terminated, too."""
    ours = {NODE: name, PLATFORM: platform}
    return [instance for instance in instances if all(tags(instance).get(key) == value for key, value in ours.items())]


def networks(instances: Iterable[Instance], platform: str) -> set[str]:
    """The VPCs that a platform's tagged instances are in; one that is terminated is in none any more."""
    return {
        instance["vpc_id"]
        for instance in instances
        if tags(instance).get(PLATFORM) == platform and instance.get("vpc_id")
    }


def at_address(instances: Iterable[Instance], address: str | None, platform: str) -> list[Instance]:
    """The live instances of no node that have an address; in the platform's networks, as others may have the same address."""
    known = list(instances)
    where = networks(known, platform)
    return [
        instance
        for instance in known
        if address
        and instance.get("private_ip_address") == address
        and NODE not in tags(instance)
        and power(instance) not in GOING
        and (not where or instance.get("vpc_id") in where)
    ]


def candidates(
    instances: Iterable[Instance], name: str, platform: str, address: str | None, adopt: bool
) -> list[Instance]:
    """The instances that may be a node's: the live ones with our tags, else, to be adopted, those with its address."""
    known = list(instances)
    live = [instance for instance in own(known, name, platform) if power(instance) not in GOING]
    return live or (at_address(known, address, platform) if adopt else [])


def identity_problems(
    name: str, platform: str, node: Mapping[str, Any] | None, found: list[Instance], adopt: bool
) -> Iterator[str]:
    """A node is only touched when it is registered and exactly one instance of ours has its address.

    :param node: its configuration on the platform; None where it is not registered
    :param found: as `candidates` gives them
    """
    if node is None:
        yield (
            f"{name} is not registered on the platform {platform}: onboard it first "
            "(playbook pexip.infinity.onboard_nodes)"
        )
    elif not found:
        hint = "" if adopt else "; set pexip_adopt: true if it was set up by hand and has the node's address"
        yield f"{name}: no EC2 instance carries its tags ({NODE}: {name}, {PLATFORM}: {platform}){hint}"
    else:
        yield from instance_problems(name, node, found)


def instance_problems(name: str, node: Mapping[str, Any] | None, found: list[Instance]) -> Iterator[str]:
    """What forbids to touch the instances that may be a node's; without a node its address is not asked for."""
    if len(found) > 1:
        ids = ", ".join(sorted(instance["instance_id"] for instance in found))
        yield f"{name}: the instances {ids} may all be this node: terminate or re-tag all but one"
    elif found and node is not None and found[0].get("private_ip_address") != node["address"]:
        yield (
            f"{name}: its instance {found[0]['instance_id']} has the private address "
            f"{found[0].get('private_ip_address')}, and the node is registered with {node['address']}: "
            "the instance is not touched; correct its tags, or remove the node and onboard it again"
        )
