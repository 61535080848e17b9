# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role node_security_group, judged by what EC2 then says (guide, "Configuring AWS security groups")."""

from __future__ import annotations

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


@pytest.fixture(scope="module")
def lab(lab_factory):
    """One account for all tests of this file; each has groups of its own names."""
    with lab_factory() as lab:
        yield lab


@pytest.fixture
def make(lab, play):
    """Runs the role with some variables."""
    return lambda check=False, **variables: play(lab, ROLE, check=check, extra_vars=variables)


def group(lab, name: str) -> dict:
    """The security group of that name."""
    (found,) = lab.ec2().describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    return found


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


def test_one_group_has_the_guides_table_and_a_second_run_changes_nothing(lab, make):
    names = {"nodes": "all-nodes"}
    lab.requests(reset=True)
    plan = make(check=True, pexip_security_groups=names).succeeded()
    assert plan.changed == 1 and lab.writes() == 0

    made = make(pexip_security_groups=names, pexip_tags={"owner": "video team"}).succeeded()
    assert made.changed == 2
    found = group(lab, "all-nodes")
    assert rules(found["IpPermissions"]) == control(lab, found["GroupId"]) | MEDIA
    assert rules(found["IpPermissionsEgress"]) == {("-1", None, None, EVERYBODY)}
    assert {tag["Key"]: tag["Value"] for tag in found["Tags"]} == {
        "owner": "video team",
        "pexip-infinity-platform": "manager",
    }

    lab.requests(reset=True)
    make(pexip_security_groups=names).unchanged()
    make(check=True, pexip_security_groups=names).unchanged()
    assert lab.writes() == 0
    assert "owner" in {tag["Key"] for tag in group(lab, "all-nodes")["Tags"]}, "tags are never taken away"


def test_a_separate_management_group_has_no_media_and_each_allows_the_other(lab, make):
    names = {"nodes": "two-nodes", "management": "two-manager"}
    make(pexip_security_groups=names).succeeded()
    nodes, manager = group(lab, "two-nodes"), group(lab, "two-manager")
    both = control(lab, nodes["GroupId"], manager["GroupId"])
    assert rules(manager["IpPermissions"]) == both
    assert rules(nodes["IpPermissions"]) == both | MEDIA
    make(pexip_security_groups=names).unchanged()


def test_what_is_asked_for_is_added_and_what_is_no_longer_declared_is_taken_away(lab, make):
    names = {"nodes": "drift"}
    more = {
        "node_security_group_sip_udp": True,
        "node_security_group_port_profile": "current",
        "pexip_peer_cidrs": ["10.0.0.0/8"],
        "node_security_group_additional_rules": [
            {"proto": "tcp", "ports": ["4001"], "cidr_ip": ["192.0.2.0/24"], "rule_desc": "Monitoring"}
        ],
    }
    make(pexip_security_groups=names, **more).succeeded()
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
    make(pexip_security_groups=names, **more).unchanged()

    assert make(pexip_security_groups=names).succeeded().changed == 1
    assert rules(group(lab, "drift")["IpPermissions"]) == guide


def test_from_a_group_that_was_made_by_hand_nothing_is_taken(lab, make):
    ec2 = lab.ec2()
    vpc = ec2.describe_subnets(SubnetIds=[lab.env["LAB_SUBNET_A"]])["Subnets"][0]["VpcId"]
    by_hand = ec2.create_security_group(GroupName="by-hand", Description="made by hand", VpcId=vpc)["GroupId"]
    own = {"IpProtocol": "tcp", "FromPort": 9100, "ToPort": 9100, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=by_hand, IpPermissions=[own])

    make(pexip_security_groups={"nodes": "by-hand"}).succeeded()
    found = group(lab, "by-hand")
    assert rules(found["IpPermissions"]) == control(lab, by_hand) | MEDIA | {("tcp", 9100, 9100, "198.51.100.0/24")}
    assert "pexip-infinity-platform" not in {tag["Key"] for tag in found.get("Tags", [])}
    make(pexip_security_groups={"nodes": "by-hand"}).unchanged()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"pexip_management_cidrs": ["0.0.0.0/0"]}, "pexip_management_cidrs must name the networks"),
        ({"pexip_management_cidrs": []}, "an empty list does not"),
        ({"node_security_group_sip_upd": True}, "did you mean node_security_group_sip_udp?"),
        ({"node_security_group_subnet_ids": []}, "set pexip_subnet_id"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(lab, make, variables, message):
    lab.requests(reset=True)
    run = make(pexip_security_groups={"nodes": "refused"}, **variables).failed()
    assert message in " ".join(run.failures)
    assert lab.writes() == 0


def test_the_whole_internet_may_manage_when_forced(lab, make):
    forced = {"pexip_management_cidrs": [EVERYBODY], "pexip_force": True}
    make(pexip_security_groups={"nodes": "forced"}, **forced).succeeded()
    assert ("icmp", -1, -1, EVERYBODY) in rules(group(lab, "forced")["IpPermissions"])


def test_the_groups_of_another_platform_are_left_alone(lab, make):
    make(pexip_security_groups={"nodes": "theirs"}, pexip_hostname="emea").succeeded()
    lab.requests(reset=True)
    run = make(pexip_security_groups={"nodes": "theirs"}, pexip_hostname="apac").failed()
    assert "Of another platform than apac" in " ".join(run.failures) and "of emea" in " ".join(run.failures)
    assert lab.writes() == 0
