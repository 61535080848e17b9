# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role node_security_group, judged by what EC2 then says (guide, "Configuring AWS security groups").

Each case is a platform of its own, an inventory host, so that one run makes the groups of all of them.
"""

from __future__ import annotations

import copy

import pytest

EVERYBODY, STATION = "0.0.0.0/0", "127.0.0.1/32"
ROLE = [
    {
        "name": "Security groups",
        "hosts": "pexip_management",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Make the security groups",
                "ansible.builtin.include_role": {"name": "pexip.infinity.node_security_group"},
            }
        ],
    }
]


DRIFT = {
    "node_security_group_sip_udp": True,
    "node_security_group_port_profile": "current",
    "pexip_peer_cidrs": ["10.0.0.0/8"],
    "node_security_group_additional_rules": [
        {"proto": "tcp", "ports": ["4001"], "cidr_ip": ["192.0.2.0/24"], "rule_desc": "Monitoring"}
    ],
}
# Its groups have the names of the host.
CASES = {
    "whole": {"pexip_tags": {"owner": "video team"}},
    "separate": {"pexip_security_groups": {"nodes": "separate", "management": "separate-manager"}},
    "drift": DRIFT,
    "by-hand": {},
    "forced": {"pexip_management_cidrs": [EVERYBODY], "pexip_force": True},
}
REFUSED = {
    "everybody": ({"pexip_management_cidrs": [EVERYBODY]}, "pexip_management_cidrs must name the networks"),
    "nobody": ({"pexip_management_cidrs": []}, "an empty list does not"),
    "typo": ({"node_security_group_sip_upd": True}, "did you mean node_security_group_sip_udp?"),
    "nowhere": ({"node_security_group_subnet_ids": []}, "set pexip_subnet_id"),
    "thief": ({"pexip_security_groups": {"nodes": "whole"}}, "Of another platform than thief"),
}


@pytest.fixture(scope="module")
def lab(lab_factory):
    """One account for all tests of this file."""
    with lab_factory() as lab:
        yield lab


@pytest.fixture(scope="module")
def make(lab, module_play):
    """Runs the role for cases."""

    def run(cases: dict[str, dict], check: bool = False):
        inventory = copy.deepcopy(lab.inventory)
        hosts = {name: {"pexip_security_groups": {"nodes": name}, **given} for name, given in cases.items()}
        inventory["all"]["children"]["pexip_management"]["hosts"] = hosts
        return module_play(lab, ROLE, check=check, inventory=inventory)

    return run


@pytest.fixture(scope="module")
def by_hand(lab) -> str:
    """A group that somebody has made, with a rule of his own."""
    ec2 = lab.ec2()
    vpc = ec2.describe_subnets(SubnetIds=[lab.env["LAB_SUBNET_A"]])["Subnets"][0]["VpcId"]
    group_id = ec2.create_security_group(GroupName="by-hand", Description="made by hand", VpcId=vpc)["GroupId"]
    own = {"IpProtocol": "tcp", "FromPort": 9100, "ToPort": 9100, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=[own])
    return group_id


@pytest.fixture(scope="module")
def made(lab, make, by_hand):
    """The run that makes all groups."""
    return make(CASES).succeeded()


def group(lab, name: str) -> dict:
    """The security group of that name."""
    (found,) = lab.ec2().describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    return found


def tags(group: dict) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in group.get("Tags", [])}


def rules(permissions: list[dict]) -> set[tuple]:
    """Rules as (protocol, first port, last port, source)."""
    return {
        (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"), source)
        for rule in permissions
        for source in (
            *(found["CidrIp"] for found in rule.get("IpRanges", [])),
            *(found["CidrIpv6"] for found in rule.get("Ipv6Ranges", [])),
            *(found["GroupId"] for found in rule.get("UserIdGroupPairs", [])),
        )
    }


def control(lab, *groups: str) -> set[tuple]:
    """The guide's rows that every node has. The lab's machines listen on other ports than 22 and 443."""
    ssh, api = lab.network.ssh_port, lab.network.api_port
    backplane = {row for group_id in groups for row in (("udp", 500, 500, group_id), ("50", None, None, group_id))}
    return backplane | {
        ("tcp", ssh, ssh, STATION),
        ("tcp", api, api, EVERYBODY),
        ("tcp", 8443, 8443, STATION),
        ("icmp", -1, -1, STATION),
    }


MEDIA = {
    ("tcp", 1720, 1720, EVERYBODY),
    ("tcp", 5060, 5060, EVERYBODY),
    ("tcp", 5061, 5061, EVERYBODY),
    ("tcp", 33000, 49999, EVERYBODY),
    ("udp", 40000, 49999, EVERYBODY),
    ("udp", 1719, 1719, EVERYBODY),
}


ALL_OUTBOUND = {("-1", None, None, EVERYBODY), ("-1", None, None, "::/0")}


def test_check_says_what_it_would_make_and_writes_nothing(lab, make):
    lab.requests(reset=True)
    assert make({"planned": {}}, check=True).succeeded().changed == 1
    assert lab.writes() == 0


def test_one_group_has_the_guides_table(lab, made):
    assert made.stats["whole"]["changed"] == 2
    found = group(lab, "whole")
    assert rules(found["IpPermissions"]) == control(lab, found["GroupId"]) | MEDIA
    assert rules(found["IpPermissionsEgress"]) == ALL_OUTBOUND
    assert tags(found) == {"owner": "video team", "pexip-infinity-platform": "whole"}


def test_a_separate_management_group_has_no_media_and_each_allows_the_other(lab, made):
    nodes, manager = group(lab, "separate"), group(lab, "separate-manager")
    both = control(lab, nodes["GroupId"], manager["GroupId"])
    assert rules(manager["IpPermissions"]) == both
    assert rules(nodes["IpPermissions"]) == both | MEDIA
    assert rules(manager["IpPermissionsEgress"]) == rules(nodes["IpPermissionsEgress"]) == ALL_OUTBOUND


def test_from_a_group_that_was_made_by_hand_nothing_is_taken(lab, made, by_hand):
    found = group(lab, "by-hand")
    own = ("tcp", 9100, 9100, "198.51.100.0/24")
    assert rules(found["IpPermissions"]) == control(lab, by_hand) | MEDIA | {own}
    assert rules(found["IpPermissionsEgress"]) == ALL_OUTBOUND
    assert "pexip-infinity-platform" not in tags(found)


def test_the_whole_internet_may_manage_when_forced(lab, made):
    assert ("icmp", -1, -1, EVERYBODY) in rules(group(lab, "forced")["IpPermissions"])


def test_a_second_run_changes_nothing_and_takes_no_tag_away(lab, make, made):
    lab.requests(reset=True)
    make({**CASES, "whole": {}}).unchanged()
    make({"whole": {}}, check=True).unchanged()
    assert lab.writes() == 0
    assert "owner" in tags(group(lab, "whole"))


def test_what_is_asked_for_is_added_and_what_is_no_longer_declared_is_taken_away(lab, make, made):
    found = group(lab, "drift")
    guide = control(lab, found["GroupId"]) | MEDIA
    assert rules(found["IpPermissions"]) - guide == {
        ("udp", 5060, 5060, EVERYBODY),
        ("tcp", 80, 80, EVERYBODY),
        ("udp", 33000, 39999, EVERYBODY),
        ("udp", 500, 500, "10.0.0.0/8"),
        ("50", None, None, "10.0.0.0/8"),
        ("tcp", 4001, 4001, "192.0.2.0/24"),
    }
    assert make({"drift": {}}).succeeded().changed == 1
    assert rules(group(lab, "drift")["IpPermissions"]) == guide


def test_bad_input_and_the_groups_of_another_platform_are_refused(lab, make, made):
    lab.requests(reset=True)
    run = make({name: variables for name, (variables, message) in REFUSED.items()}).failed()
    for name, (_variables, message) in REFUSED.items():
        (failure,) = [e["result"]["msg"] for e in run.events if e["status"] == "failed" and e["host"] == name]
        assert message in failure
    assert lab.writes() == 0
