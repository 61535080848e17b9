# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans for the tests of the preflight: a good one, and how to spoil it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from ansible_collections.pexip.infinity.plugins.filter.preflight import preflight

REGION = "eu-west-1"
SECRETS = {"pexip_node_password": True, "pexip_admin_password": True, "pexip_password": True}
PEXIP = "686087431763"

Change = Callable[[dict], None]


def host(name: str, **values: Any) -> dict:
    """What the inventory asks for of a host; by default a private node in subnet-a."""
    return {
        "name": name,
        "hostname": name,
        "domain": "example.com",
        "host": None,
        "region": REGION,
        "subnet_id": "subnet-a",
        "key_name": "lab-key",
        "private_key_file": "/keys/lab",
        "private_ip": None,
        "public_address": "none",
        "location": "London",
        "image_id": None,
        "instance_types": ["c4.2xlarge"],
        "dns_servers": ["10.0.0.2"],
        "ntp_servers": ["10.0.0.2"],
        "secrets": dict(SECRETS),
        "overflow": False,
        "undefined": {},
        **values,
    }


def instance(
    ident: str,
    node: str | None = None,
    role: str = "conferencing",
    platform: str = "manager",
    address: str = "10.0.0.9",
    subnet: str = "subnet-a",
    vpc: str = "vpc-1",
    state: str = "running",
    public: str | None = None,
    **tags: str,
) -> dict:
    """An instance as amazon.aws lists it, with our tags when it is a node's."""
    ours = {"pexip-infinity-node": node, "pexip-infinity-platform": platform, "pexip-infinity-role": role}
    return {
        "instance_id": ident,
        "tags": {**(ours if node else {}), **tags},
        "vpc_id": vpc,
        "subnet_id": subnet,
        "private_ip_address": address,
        "public_ip_address": public,
        "state": {"name": state},
    }


def manager_instance(ident: str = "i-m", **values: Any) -> dict:
    """The Management Node's instance."""
    return instance(ident, "manager", role="management", **values)


def interface(address: str, holder: str | None = None) -> dict:
    """A network interface in subnet-a, of an instance or of nobody's."""
    found = {"private_ip_address": address, "subnet_id": "subnet-a", "network_interface_id": "eni-1"}
    return {**found, "attachment": {"instance_id": holder}} if holder else found


def image(kind: str, version: str = "11.0.0", owner: str = PEXIP) -> dict:
    """A published image."""
    name = f"Pexip Infinity {kind} Node {version} (build 26902.0.0)"
    return {"image_id": f"ami-{kind}-{version}", "name": name, "owner_id": owner}


def registered(name: str, address: str = "10.0.0.50", **values: Any) -> dict:
    """A Conferencing Node as the platform has it."""
    node = {"name": name, "hostname": name, "domain": "example.com", "address": address, "system_location": "London"}
    return {**node, "static_nat_address": None, **values}


def platform(*nodes: dict, locations: tuple | list = (), version: str = "11.0.0", **values: Any) -> dict:
    """What a platform answers."""
    return {
        "nodes": list(nodes),
        "locations": list(locations),
        "version": version,
        "hostname": "manager",
        "domain": "example.com",
        **values,
    }


def subnet(ident: str, cidr: str, zone: str, **values: Any) -> dict:
    """A subnet of the one VPC."""
    found = {"subnet_id": ident, "cidr_block": cidr, "vpc_id": "vpc-1", "availability_zone": zone}
    return {**found, "map_public_ip_on_launch": False, **values}


def good_plan() -> dict:
    """The Management Node's play for a private platform in an empty account, with nothing to object to."""
    return {
        "deployment": "private",
        "version": "11.0.0",
        "force": False,
        "adopt": False,
        "ssh_agent": False,
        "management": host("manager", instance_types=["m4.large"], location=None),
        "nodes": [host("conf01"), host("conf02", subnet_id="subnet-b", location="Oslo")],
        "locations": ["London", "Oslo"],
        "setup": {
            "management_cidrs": ["192.0.2.10/32"],
            "open_to_all": False,
            "dns_servers": ["10.0.0.2"],
            "ntp_servers": ["ntp.example.com"],
            "locations": [{"name": "London"}, {"name": "Oslo", "dns_servers": ["10.0.0.2"], "mtu": 1400}],
        },
        "found": {
            "subnets": [subnet("subnet-a", "10.0.0.0/20", "zone-a"), subnet("subnet-b", "10.0.16.0/20", "zone-b")],
            "key_pairs": [{"key_name": "lab-key"}],
            "images": [image("Management"), image("Conferencing")],
            "instances": [],
            "interfaces": [],
            "offered": {"zone-a": ["m4.large", "c4.2xlarge"], "zone-b": ["c4.2xlarge"]},
            "platform": None,
        },
    }


def changed(path: str, value: Any) -> Change:
    """A change to the good plan: ``nodes.0.location`` and the new value."""

    def apply(plan: dict) -> None:
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in parents:
            plan = plan[step]
        plan[last] = value

    return apply


def several(*changes: Change) -> Change:
    """Changes one after the other; none at all leave the plan good."""

    def apply(plan: dict) -> None:
        for change in changes:
            change(plan)

    return apply


# The play of the nodes, which makes neither security groups nor locations and installs nothing.
NODE_PLAY = changed("setup", None)


def judged(change: Change) -> dict[str, list[str]]:
    """The verdict on the good plan after a change."""
    plan = copy.deepcopy(good_plan())
    change(plan)
    return preflight(plan)


def refuses(cases: dict[str, tuple[Change, str]], case: str) -> None:
    """The case's sentence is among the errors, and each of them has a remedy."""
    change, sentence = cases[case]
    errors = judged(change)["errors"]
    assert any(sentence in error for error in errors), errors
    for error in errors:
        assert ": " in error and len(error) > 40, error


def warns(cases: dict[str, tuple[Change, str]], case: str) -> None:
    """The case's sentence is among the warnings, and nothing is refused."""
    change, sentence = cases[case]
    verdict = judged(change)
    assert [w for w in verdict["warnings"] if sentence in w], verdict
    assert verdict["errors"] == []
