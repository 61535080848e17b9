# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight's rules about the platform and its rivals: a case for each rule and message."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.tests.unit.plugins.filter.plans import (
    changed,
    instance,
    judged,
    manager_instance,
    platform,
    refuses,
    registered,
    several,
    warns,
)

HYBRID = several(changed("deployment", "hybrid"), changed("management.host", "192.0.2.1"))

ERRORS = {
    "two instances of a node": (
        changed(
            "found.instances",
            [manager_instance(), instance("i-1", "conf01"), instance("i-2", "conf01", state="stopped")],
        ),
        "conf01: instances i-1, i-2 all carry the tags of this node",
    ),
    "two Management Nodes": (
        changed("found.instances", [manager_instance("i-m"), manager_instance("i-n")]),
        "manager: 2 instances say that they are the Management Node manager (i-m, i-n)",
    ),
    "another platform in another VPC": (
        changed("found.instances", [manager_instance(subnet="subnet-z", vpc="vpc-9")]),
        "manager: the instance i-m with its tags is in the subnet subnet-z of vpc-9, and pexip_subnet_id is subnet-a",
    ),
    "another platform in the same VPC": (
        changed("found.instances", [manager_instance(subnet="subnet-b")]),
        "manager: the instance i-m with its tags is in the subnet subnet-b of vpc-1, and pexip_subnet_id is subnet-a: "
        "another platform may have the host name manager",
    ),
    "another platform in the same subnet": (
        several(changed("management.private_ip", "10.0.0.20"), changed("found.instances", [manager_instance()])),
        "manager: the instance i-m with its tags has the address 10.0.0.9, and pexip_private_ip is 10.0.0.20",
    ),
    "another platform's node in another VPC": (
        changed("found.instances", [manager_instance(), instance("i-1", "conf01", subnet="subnet-z", vpc="vpc-9")]),
        "conf01: the instance i-1 with its tags is in the subnet subnet-z of vpc-9",
    ),
    "another platform's node of a registered node's name": (
        several(
            HYBRID,
            changed("found.instances", [instance("i-1", "conf01", address="10.0.0.9")]),
            changed("found.platform", platform(registered("conf01", address="10.0.0.50"))),
        ),
        "conf01: the instance i-1 with its tags has the address 10.0.0.9, and the platform's node of this name has 10.0.0.50",
    ),
    "nodes that are older than their Management Node": (
        changed("found.instances", [instance("i-1", "conf01"), instance("i-8", "conf08")]),
        "manager: conf01 (i-1), conf08 (i-8) carry the tags of a platform manager, which has no Management Node yet",
    ),
    "another platform than the one given": (
        several(HYBRID, changed("found.instances", [manager_instance()])),
        "has a Management Node with the host name manager (instance i-m in vpc-1), and pexip_host is 192.0.2.1",
    ),
    "a given Management Node of another name": (
        several(HYBRID, changed("found.platform", platform(hostname="pexmgr"))),
        "manager: pexip_hostname is manager, and the Management Node that answers says that it is pexmgr",
    ),
    "a found Management Node of another domain": (
        several(changed("found.instances", [manager_instance()]), changed("found.platform", platform(domain="a.org"))),
        "manager: pexip_domain is example.com, and the Management Node that answers says that it is a.org",
    ),
    "unknown location": (
        several(
            changed("nodes.0.location", "Lisbon"),
            changed("found.platform", platform(locations=[{"name": "HQ", "dns_servers": ["a"], "ntp_servers": ["b"]}])),
        ),
        "conf01: pexip_location Lisbon does not exist and is not in pexip_locations: declare it, or name one of these: HQ, London, Oslo",
    ),
    "private and public in one location": (
        several(
            changed("deployment", "hybrid"),
            changed("nodes.0.public_address", "elastic"),
            changed("nodes.1.location", "London"),
        ),
        "The location London would hold private (conf02) and public nodes (conf01)",
    ),
    "private beside a registered public node": (
        changed("found.platform", platform(registered("old", static_nat_address="198.51.100.7"))),
        "The location London would hold private (conf01) and public nodes (old)",
    ),
    "existing location without servers": (
        several(
            changed("locations", ["Oslo"]),
            changed(
                "found.platform", platform(locations=[{"name": "London", "dns_servers": [], "ntp_servers": ["n"]}])
            ),
        ),
        "The location London has no dns_servers: its nodes would not work",
    ),
}

WARNINGS = {
    "instances that nobody knows": (
        several(
            HYBRID,
            changed("found.instances", [instance("i-8", "conf08"), instance("i-1", "conf01")]),
            changed("found.platform", platform()),
        ),
        "conf08 (i-8) carry the tags of the platform manager, and neither the platform nor the inventory has them",
    ),
    "two zones": (
        changed("nodes.1.location", "London"),
        "The location London spans availability zones (zone-a: conf01; zone-b: conf02)",
    ),
    "more than 30 nodes": (
        changed("found.platform", platform(*[registered(f"old{n}", f"10.0.1.{n}") for n in range(29)])),
        "The platform would have 31 Conferencing Nodes",
    ),
    "always-on and overflow together": (
        several(changed("nodes.1.overflow", True), changed("nodes.1.location", "London")),
        "The location London would hold always-on (conf01) and overflow nodes (conf02)",
    ),
}

SILENT = {
    "a terminated instance does not count": changed(
        "found.instances",
        [manager_instance(), instance("i-1", "conf01"), instance("i-2", "conf01", state="terminated")],
    ),
    "an instance of another platform does not count": changed(
        "found.instances", [manager_instance(), instance("i-1", "conf01"), instance("i-2", "conf01", platform="other")]
    ),
    "a node that was launched and not registered": several(
        HYBRID, changed("found.instances", [instance("i-1", "conf01")]), changed("found.platform", platform())
    ),
    "a registered node that is not in the inventory": several(
        HYBRID,
        changed("found.instances", [instance("i-8", "conf08", address="10.0.0.8")]),
        changed("found.platform", platform(registered("conf08", address="10.0.0.8"))),
    ),
    "a given Management Node in EC2": several(
        changed("deployment", "hybrid"),
        changed("management.host", "10.0.0.9"),
        changed("found.instances", [manager_instance(subnet="subnet-z", vpc="vpc-9")]),
    ),
    "a given Management Node in another domain": several(
        HYBRID, changed("found.platform", platform(hostname="MANAGER", domain="corp.example.com"))
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    refuses(ERRORS, case)


@pytest.mark.parametrize("case", WARNINGS)
def test_warning(case):
    warns(WARNINGS, case)


@pytest.mark.parametrize("case", SILENT)
def test_nothing_to_say(case):
    assert judged(SILENT[case]) == {"errors": [], "warnings": []}
