# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight's rules about the AWS account: a case for each rule and message."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.tests.unit.plugins.filter.plans import (
    changed,
    image,
    instance,
    interface,
    judged,
    manager_instance,
    platform,
    refuses,
    registered,
    several,
    warns,
)

AUTO_ASSIGNED = changed("found.subnets.0.map_public_ip_on_launch", True)
NODES_RUN = [instance("i-1", "conf01"), instance("i-2", "conf02", subnet="subnet-b", address="10.0.16.9")]

ERRORS = {
    "two regions": (
        changed("nodes.1.region", "eu-north-1"),
        "pexip_region differs (eu-west-1: manager, conf01; eu-north-1: conf02)",
    ),
    "a host without a region": (
        changed("nodes.1.region", None),
        "pexip_region differs (eu-west-1: manager, conf01; not given: conf02)",
    ),
    "two VPCs": (
        changed("found.subnets.1.vpc_id", "vpc-2"),
        "the VPC of pexip_subnet_id differs (vpc-1: manager, conf01; vpc-2: conf02)",
    ),
    "security groups for another VPC": (
        changed("setup.vpc_id", "vpc-2"),
        "node_security_group_vpc_id vpc-2 is not the VPC of pexip_subnet_id, vpc-1",
    ),
    "no such subnet": (
        changed("nodes.1.subnet_id", "subnet-x"),
        "conf02: pexip_subnet_id subnet-x does not exist in the region eu-west-1",
    ),
    "no such key pair": (
        changed("nodes.1.key_name", "other"),
        "conf02: pexip_key_name other does not exist in the region eu-west-1: create or import it, or name one of these: lab-key",
    ),
    "no such image": (
        changed("found.images", [image("Management"), image("Conferencing", "10.2.0")]),
        "conf01, conf02: pexip_version 11.0.0: No image of a Conferencing Node, version 11.0.0",
    ),
    "image of a look-alike": (
        changed("found.images", [image("Management", owner="1"), image("Conferencing")]),
        "manager: pexip_version 11.0.0: No image of a Management Node",
    ),
    "another version than the platform's": (
        changed("found.platform", platform(version="10.2.0")),
        "pexip_version 11.0.0 is not the version of the Management Node, 10.2.0",
    ),
    "no image of the platform's own version": (
        several(
            changed("version", "11"),
            changed("found.platform", platform(version="11.0.0")),
            changed("found.images", [image("Management", "11.0.0"), image("Conferencing", "11.1.0")]),
        ),
        "conf01, conf02: pexip_version 11: No image of a Conferencing Node, version 11.0.0",
    ),
    "no image for the nodes of the Management Node that comes": (
        several(
            changed("version", "11"),
            changed("found.images", [image("Management", "11.1.0"), image("Conferencing", "11.0.0")]),
        ),
        "conf01, conf02: pexip_version 11: No image of a Conferencing Node, version 11.1.0",
    ),
    "type not offered": (
        changed("found.offered.zone-b", ["m4.large", "c5.2xlarge"]),
        "conf02: pexip_instance_types c4.2xlarge: the availability zone zone-b offers none of them",
    ),
    "default type not offered": (
        several(changed("management.instance_types", None), changed("found.offered.zone-a", ["c4.2xlarge"])),
        "manager: pexip_instance_types m4.large, m3.large: the availability zone zone-a offers none of them",
    ),
    "address outside the subnet": (
        changed("nodes.0.private_ip", "10.0.16.20"),
        "conf01: pexip_private_ip 10.0.16.20: address 10.0.16.20 is outside the subnet 10.0.0.0/20",
    ),
    "address reserved": (
        changed("nodes.0.private_ip", "10.0.0.3"),
        "conf01: pexip_private_ip 10.0.0.3: address 10.0.0.3 is reserved by AWS",
    ),
    "no address": (changed("nodes.0.private_ip", "ten"), "conf01: pexip_private_ip ten: address 'ten' is not an IPv4"),
    "manager's address reserved": (
        changed("management.private_ip", "10.0.15.255"),
        "manager: pexip_private_ip 10.0.15.255: address 10.0.15.255 is reserved",
    ),
    "address in use by an instance": (
        several(
            changed("nodes.0.private_ip", "10.0.0.20"),
            changed("found.interfaces", [interface("10.0.0.20", "i-stranger")]),
        ),
        "conf01: pexip_private_ip 10.0.0.20 is in use by instance i-stranger: ask for a free address (or set pexip_adopt",
    ),
    "address in use by an interface": (
        several(changed("nodes.0.private_ip", "10.0.0.20"), changed("found.interfaces", [interface("10.0.0.20")])),
        "conf01: pexip_private_ip 10.0.0.20 is in use by network interface eni-1: ask for a free address",
    ),
    "an instance to adopt is another node's": (
        several(
            changed("adopt", True),
            changed("management.private_ip", "10.0.0.20"),
            changed("found.instances", [instance("i-1", "conf07", platform="other", address="10.0.0.20")]),
            changed("found.interfaces", [interface("10.0.0.20", "i-1")]),
        ),
        "manager: pexip_private_ip 10.0.0.20 is in use by instance i-1, the node conf07 of the platform other: ask for",
    ),
    "address of another registered node": (
        several(changed("nodes.0.private_ip", "10.0.0.50"), changed("found.platform", platform(registered("old")))),
        "conf01: pexip_private_ip 10.0.0.50 is the address of the platform's node old",
    ),
    "another address than the registered one": (
        several(changed("nodes.0.private_ip", "10.0.0.60"), changed("found.platform", platform(registered("conf01")))),
        "conf01: pexip_private_ip 10.0.0.60: the platform's node of this name has the address 10.0.0.50",
    ),
    "unknown public address": (
        changed("nodes.0.public_address", "yes"),
        "conf01: pexip_public_address 'yes': give none",
    ),
    "public in a private deployment": (
        changed("nodes.0.public_address", "elastic"),
        "conf01: pexip_public_address elastic in a private deployment",
    ),
    "private in a public deployment": (
        several(changed("deployment", "public"), changed("nodes.0.public_address", "elastic")),
        "conf02: pexip_public_address none in a public deployment",
    ),
    "a node that its subnet makes public": (
        AUTO_ASSIGNED,
        "conf01: pexip_public_address none, and the subnet subnet-a gives every new instance a public address",
    ),
    "a Management Node that its subnet makes public": (
        AUTO_ASSIGNED,
        "manager: pexip_public_address none, and the subnet subnet-a gives every new instance a public address",
    ),
    "dynamic address on an overflow node": (
        several(
            changed("deployment", "hybrid"),
            changed("nodes.0.public_address", "dynamic"),
            changed("nodes.0.overflow", True),
        ),
        "conf01: pexip_public_address dynamic on an overflow node",
    ),
}

WARNINGS = {
    "a private node with a public address": (
        changed("found.instances", [manager_instance(public="192.0.2.9")]),
        "manager: pexip_public_address none, and its instance i-m has the public address 192.0.2.9",
    ),
}

FINE = {
    "its own instance has the address": several(
        changed("nodes.0.private_ip", "10.0.0.20"),
        changed("found.instances", [manager_instance(), instance("i-1", "conf01", address="10.0.0.20")]),
        changed("found.interfaces", [interface("10.0.0.20", "i-1")]),
    ),
    "an instance to adopt has the address": several(
        changed("adopt", True),
        changed("nodes.0.private_ip", "10.0.0.20"),
        changed("found.instances", [instance("i-1", address="10.0.0.20")]),
        changed("found.interfaces", [interface("10.0.0.20", "i-1")]),
        changed("found.offered.zone-a", ["m4.large"]),
    ),
    "an adopted instance is found by its tags and by its address": several(
        changed("adopt", True),
        changed("nodes.0.private_ip", "10.0.0.20"),
        changed("found.instances", [manager_instance(), *[instance("i-1", "conf01", address="10.0.0.20")] * 2]),
        changed("found.interfaces", [interface("10.0.0.20", "i-1")]),
    ),
    "no image, type or private subnet is needed where all instances exist": several(
        AUTO_ASSIGNED,
        changed("found.images", []),
        changed("found.offered", {"zone-a": [], "zone-b": []}),
        changed("found.instances", [manager_instance(), *NODES_RUN]),
    ),
    "an image by its id": several(
        changed("management.image_id", "ami-mine"), changed("found.images", [image("Conferencing")])
    ),
    "no region is the environment's": several(
        changed("management.region", None), changed("nodes.0.region", None), changed("nodes.1.region", None)
    ),
    "public addresses in a subnet that gives them": several(
        AUTO_ASSIGNED,
        changed("deployment", "hybrid"),
        changed("management.public_address", "elastic"),
        changed("nodes.0.public_address", "dynamic"),
    ),
    "a forced dynamic address on an overflow node": several(
        changed("force", True),
        changed("deployment", "hybrid"),
        changed("nodes.0.public_address", "dynamic"),
        changed("nodes.0.overflow", True),
    ),
    "a version of fewer parts": several(
        changed("version", "11"), changed("found.platform", platform(version="11.0.0"))
    ),
    "types of a zone that was not asked for": changed("found.offered", {}),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    refuses(ERRORS, case)


@pytest.mark.parametrize("case", WARNINGS)
def test_warning(case):
    warns(WARNINGS, case)


@pytest.mark.parametrize("case", FINE)
def test_nothing_to_object_to(case):
    assert judged(FINE[case])["errors"] == []
