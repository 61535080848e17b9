# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight filter: one case for each rule and message, all told in one go."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.pexip.infinity.plugins.filter.fleet import wanted_hosts
from ansible_collections.pexip.infinity.plugins.filter.preflight import preflight

REGION = "eu-west-1"
SECRETS = {"pexip_node_password": True, "pexip_admin_password": True, "pexip_password": True}
PEXIP = "686087431763"


def host(name, **values):
    return {
        "name": name,
        "hostname": name,
        "domain": "example.com",
        "region": REGION,
        "subnet_id": "subnet-a",
        "key_name": "lab-key",
        "private_key_file": "/keys/lab",
        "private_ip": None,
        "public_address": "none",
        "location": "London",
        "instance_types": ["c4.2xlarge"],
        "dns_servers": ["10.0.0.2"],
        "ntp_servers": ["10.0.0.2"],
        "secrets": dict(SECRETS),
        "overflow": False,
        **values,
    }


def instance(
    ident, node=None, role="conferencing", platform="manager", vpc="vpc-1", address="10.0.0.9", state="running"
):
    tags = (
        {"pexip-infinity-node": node, "pexip-infinity-platform": platform, "pexip-infinity-role": role} if node else {}
    )
    return {
        "instance_id": ident,
        "tags": tags,
        "vpc_id": vpc,
        "private_ip_address": address,
        "state": {"name": state},
    }


def interface(address, holder=None):
    found = {"private_ip_address": address, "subnet_id": "subnet-a", "network_interface_id": "eni-1"}
    return {**found, "attachment": {"instance_id": holder}} if holder else found


def image(kind, version="11.0.0", owner=PEXIP):
    name = f"Pexip Infinity {kind} Node {version} (build 26902.0.0)"
    return {"image_id": f"ami-{kind}-{version}", "name": name, "owner_id": owner}


def registered(name, address="10.0.0.50", **values):
    node = {"name": name, "hostname": name, "domain": "example.com", "address": address, "system_location": "London"}
    return {**node, "static_nat_address": None, **values}


def platform(*nodes, locations=(), version="11.0.0"):
    return {"nodes": list(nodes), "locations": list(locations), "version": version}


def good_plan():
    """A private platform in an empty account, with nothing to object to."""
    return {
        "deployment": "private",
        "version": "11.0.0",
        "force": False,
        "adopt": False,
        "management": host("manager", instance_types=["m4.large"], location=None),
        "nodes": [host("conf01"), host("conf02", subnet_id="subnet-b", location="Oslo")],
        "locations": ["London", "Oslo"],
        "found": {
            "subnets": [
                {"subnet_id": "subnet-a", "cidr_block": "10.0.0.0/20", "vpc_id": "vpc-1", "availability_zone": "a"},
                {"subnet_id": "subnet-b", "cidr_block": "10.0.16.0/20", "vpc_id": "vpc-1", "availability_zone": "b"},
            ],
            "key_pairs": [{"key_name": "lab-key"}],
            "images": [image("Management"), image("Conferencing")],
            "instances": [],
            "interfaces": [],
            "offered": ["m4.large", "c4.2xlarge"],
            "platform": None,
        },
    }


def changed(path, value):
    """A change to the good plan: ``nodes.0.location`` and the new value."""

    def apply(plan):
        *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        for step in parents:
            plan = plan[step]
        plan[last] = value

    return apply


def several(*changes):
    def apply(plan):
        for change in changes:
            change(plan)

    return apply


ERRORS = {
    "deployment option": (changed("deployment", "cloud"), "pexip_deployment 'cloud' is not a deployment option"),
    "version missing": (changed("version", None), "pexip_version is not given"),
    "no management host": (changed("management", None), "The group pexip_management is empty"),
    "variable missing": (changed("nodes.0.key_name", None), "conf01: pexip_key_name is not given"),
    "key file missing": (changed("management.private_key_file", None), "manager: pexip_private_key_file is not given"),
    "location missing": (changed("nodes.1.location", None), "conf02: pexip_location is not given"),
    "node password missing": (
        changed("nodes.0.secrets.pexip_node_password", False),
        "conf01: pexip_node_password is not given or empty",
    ),
    "admin password missing": (
        changed("management.secrets.pexip_admin_password", False),
        "manager: pexip_admin_password is not given or empty",
    ),
    "name too long": (
        several(changed("nodes.0.name", "n" * 33), changed("nodes.0.hostname", "conf01")),
        f"{'n' * 33}: the name has 33 characters, the platform takes 32",
    ),
    "hostname too long": (changed("nodes.0.hostname", "h" * 64), f"hostname '{'h' * 64}' is not a host name"),
    "hostname illegal": (changed("nodes.0.hostname", "conf_01"), "conf01: hostname 'conf_01' is not a host name"),
    "manager's hostname illegal": (changed("management.hostname", "-m"), "manager: hostname '-m' is not a host name"),
    "domain too long": (
        changed("nodes.0.domain", ".".join(["d" * 60] * 4)),
        "has 243 characters, the platform takes 192",
    ),
    "domain illegal": (changed("nodes.0.domain", "example..com"), "pexip_domain 'example..com' is not a domain"),
    "name twice": (changed("nodes.1.name", "conf01"), "conf01, conf01: the name conf01 is given 2 times"),
    "hostname twice": (
        changed("nodes.1.hostname", "CONF01"),
        "conf01, conf02: the host name conf01.example.com is given 2 times",
    ),
    "hostname of the manager": (
        changed("nodes.1.hostname", "manager"),
        "manager, conf02: the host name manager.example.com is given 2 times",
    ),
    "address twice": (
        several(
            changed("nodes.0.private_ip", "10.0.0.20"),
            changed("nodes.1.private_ip", "10.0.0.20"),
            changed("nodes.1.subnet_id", "subnet-a"),
        ),
        "conf01, conf02: pexip_private_ip 10.0.0.20 is given 2 times",
    ),
    "hostname of another registered node": (
        changed("found.platform", platform(registered("old", hostname="conf01"))),
        "conf01: the host name conf01.example.com is that of the platform's node old",
    ),
    "two regions": (
        changed("nodes.1.region", "eu-north-1"),
        "pexip_region differs (eu-west-1: manager, conf01; eu-north-1: conf02)",
    ),
    "two VPCs": (
        changed("found.subnets.1.vpc_id", "vpc-2"),
        "the VPC of pexip_subnet_id differs (vpc-1: manager, conf01; vpc-2: conf02)",
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
    "type not offered": (
        changed("found.offered", ["m4.large", "c5.2xlarge"]),
        "conf01, conf02: pexip_instance_types c4.2xlarge: the region offers none of them",
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
    "address of another registered node": (
        several(changed("nodes.0.private_ip", "10.0.0.50"), changed("found.platform", platform(registered("old")))),
        "conf01: pexip_private_ip 10.0.0.50 is the address of the platform's node old",
    ),
    "another address than the registered one": (
        several(changed("nodes.0.private_ip", "10.0.0.60"), changed("found.platform", platform(registered("conf01")))),
        "conf01: pexip_private_ip 10.0.0.60: the platform's node of this name has the address 10.0.0.50",
    ),
    "two instances of a node": (
        changed("found.instances", [instance("i-1", "conf01"), instance("i-2", "conf01", state="stopped")]),
        "conf01: instances i-1, i-2 all carry the tags of this node",
    ),
    "another platform in another VPC": (
        changed("found.instances", [instance("i-m", "manager", role="management", vpc="vpc-9")]),
        "another platform in the account has a Management Node with the host name manager (instance i-m in vpc-9, not in vpc-1)",
    ),
    "two Management Nodes": (
        changed(
            "found.instances",
            [instance("i-m", "manager", role="management"), instance("i-n", "manager", role="management")],
        ),
        "manager: 2 instances say that they are the Management Node manager (i-m, i-n)",
    ),
    "another platform than the one given": (
        several(
            changed("management.given", "192.0.2.1"),
            changed("found.instances", [instance("i-m", "manager", role="management")]),
        ),
        "has a Management Node with the host name manager (instance i-m in vpc-1), and pexip_host is 192.0.2.1",
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
    "dynamic address on an overflow node": (
        several(
            changed("deployment", "hybrid"),
            changed("nodes.0.public_address", "dynamic"),
            changed("nodes.0.overflow", True),
        ),
        "conf01: pexip_public_address dynamic on an overflow node",
    ),
    "default DNS servers": (changed("management.dns_servers", []), "manager: pexip_dns_servers is not given"),
    "default NTP servers": (changed("management.ntp_servers", None), "manager: pexip_ntp_servers is not given"),
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
    "location without servers": (
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
    "two zones": (
        changed("nodes.1.location", "London"),
        "The location London spans availability zones (a: conf01; b: conf02)",
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

FINE = {
    "an empty account": several(),
    "its own instance has the address": several(
        changed("nodes.0.private_ip", "10.0.0.20"),
        changed("found.instances", [instance("i-1", "conf01", address="10.0.0.20")]),
        changed("found.interfaces", [interface("10.0.0.20", "i-1")]),
    ),
    "an instance to adopt has the address": several(
        changed("adopt", True),
        changed("nodes.0.private_ip", "10.0.0.20"),
        changed("found.instances", [instance("i-1", address="10.0.0.20")]),
        changed("found.interfaces", [interface("10.0.0.20", "i-1")]),
    ),
    "an adopted instance is found by its tags and by its address": several(
        changed("adopt", True),
        changed("nodes.0.private_ip", "10.0.0.20"),
        changed("found.instances", [instance("i-1", "conf01", address="10.0.0.20")] * 2),
        changed("found.interfaces", [interface("10.0.0.20", "i-1")]),
    ),
    "no image is needed where all instances exist": several(
        changed("found.images", []),
        changed(
            "found.instances",
            [instance("i-m", "manager", role="management"), instance("i-1", "conf01"), instance("i-2", "conf02")],
        ),
    ),
    "a terminated instance does not count": changed(
        "found.instances",
        [instance("i-1", "conf01"), instance("i-2", "conf01", state="terminated")],
    ),
    "an instance of another platform does not count": changed(
        "found.instances", [instance("i-1", "conf01"), instance("i-2", "conf01", platform="other")]
    ),
    "a registered node needs no password": several(
        changed("nodes.0.secrets.pexip_node_password", False), changed("found.platform", platform(registered("conf01")))
    ),
    "a public Management Node may keep the defaults": several(
        changed("deployment", "public"),
        changed("management.public_address", "elastic"),
        changed("management.dns_servers", None),
        changed("nodes.0.public_address", "elastic"),
        changed("nodes.1.public_address", "dynamic"),
    ),
    "a given Management Node needs no prerequisites of its own": several(
        changed("deployment", "hybrid"),
        changed("management", host("manager", given="192.0.2.1", subnet_id=None, key_name=None, dns_servers=None)),
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
    "offered types not asked for": changed("found.offered", None),
}


def judged(change):
    plan = copy.deepcopy(good_plan())
    change(plan)
    return preflight(plan)


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    change, sentence = ERRORS[case]
    errors = judged(change)["errors"]
    assert any(sentence in error for error in errors), errors


@pytest.mark.parametrize("case", WARNINGS)
def test_warning(case):
    change, sentence = WARNINGS[case]
    verdict = judged(change)
    assert [w for w in verdict["warnings"] if sentence in w], verdict
    assert verdict["errors"] == []


@pytest.mark.parametrize("case", FINE)
def test_nothing_to_object_to(case):
    assert judged(FINE[case])["errors"] == []


def test_a_good_plan_gives_no_warning():
    assert preflight(good_plan()) == {"errors": [], "warnings": []}


def test_all_problems_at_once():
    changes = (changed("nodes.0.private_ip", "10.0.0.1"), changed("nodes.1.location", "Lisbon"), changed("version", ""))
    assert len(judged(several(*changes))["errors"]) == 3


def test_every_error_has_a_remedy():
    for change, _sentence in ERRORS.values():
        for error in judged(change)["errors"]:
            assert ": " in error and len(error) > 40, error


HOSTVARS = {
    "conf01.lab": {
        "pexip_region": REGION,
        "pexip_hostname": "manager",
        "pexip_node_password": "x",
        "pexip_private_ip": "10.0.0.8",
        "conferencing_node_private_ip": "10.0.0.9",
        "group_names": ["pexip_nodes", "pexip_overflow"],
    },
    "manager": {"pexip_hostname": "mgr", "pexip_password": ""},
}


def test_wanted_node():
    (node,) = wanted_hosts(["conf01.lab"], HOSTVARS, "conferencing_node")
    assert node["name"] == "conf01.lab"
    assert node["hostname"] == "conf01"  # pexip_hostname is the Management Node's
    assert node["private_ip"] == "10.0.0.9"
    assert node["region"] == REGION
    assert node["public_address"] == "none"
    assert node["overflow"] is True
    assert node["secrets"]["pexip_node_password"] is True
    assert "x" not in node.values()


def test_wanted_management_node():
    (manager,) = wanted_hosts(["manager"], HOSTVARS, "management_node")
    assert manager["hostname"] == "mgr"
    assert manager["secrets"]["pexip_password"] is False
    assert manager["overflow"] is False
