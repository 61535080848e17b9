# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""enable_bursting and start_overflow_nodes, judged by what AWS and the platform then say.

The tests of this file share one lab and go on from one another, in the order in which they stand: a platform with
always-on nodes in EC2 (London, Oslo) and on premises (HQ) learns to burst into two overflow locations, is disturbed, and
unlearns it again.
"""

from __future__ import annotations

import contextlib
import copy
import json
import sqlite3

import pytest
from pexip_lab.testing import until

CONFIGURATION = "/api/admin/configuration/v1"
USER, POLICY = "pexip-manager", "pexip-bursting-manager"
OVERFLOW = {"London": "AWS burst", "Oslo": "AWS burst", "HQ": "AWS burst 2"}
BURST = {"burst01": {"pexip_location": "AWS burst"}, "burst02": {"pexip_location": "AWS burst 2"}}
OURS = {"pexip-infinity-platform": "manager"}
DOCUMENT = {  # guide, "Configuring an AWS user and policy for controlling overflow nodes"
    "Version": "2012-10-17",
    "Statement": [
        {"Action": ["ec2:Describe*"], "Effect": "Allow", "Resource": "*"},
        {
            "Action": ["ec2:StartInstances", "ec2:StopInstances"],
            "Effect": "Allow",
            "Resource": "*",
            "Condition": {"StringEquals": {"ec2:ResourceTag/pexip-cloud": "manager"}},
        },
    ],
}


@pytest.fixture(scope="module")
def lab(lab_factory):
    with lab_factory(seed="nodes") as lab:
        yield lab


@pytest.fixture(scope="module")
def hosts(lab):
    """The lab's inventory with two overflow nodes and the map to two overflow locations. Idle nodes run on for days."""
    inventory = copy.deepcopy(lab.inventory)
    inventory["all"]["children"]["pexip_nodes"]["children"]["pexip_overflow"]["hosts"] = copy.deepcopy(BURST)
    inventory["all"]["vars"].update(
        pexip_overflow=OVERFLOW,
        pexip_bursting_threshold="15%",
        pexip_bursting_min_lifetime=6000,
        pexip_tags={"Team": "video"},
    )
    return inventory


@pytest.fixture(scope="module")
def enable(lab, hosts, module_play):
    """Runs the playbook; each run counts its own writes."""

    def run(*args: str, inventory: dict | None = None, **options):
        lab.requests(reset=True)
        return module_play(lab, "enable_bursting", *args, inventory=inventory or hosts, **options)

    return run


def objects(lab, path: str) -> list[dict]:
    return lab.api(f"{path}/?limit=0")["objects"]


def settings(lab) -> dict:
    return lab.api(f"{CONFIGURATION}/global/1/")


def locations(lab) -> dict[str, dict]:
    return {row["name"]: row for row in objects(lab, f"{CONFIGURATION}/system_location")}


def overflows(lab) -> dict[str, str | None]:
    """The primary overflow location of each location, by name."""
    found = locations(lab)
    names = {row["resource_uri"]: name for name, row in found.items()}
    return {name: names.get(row["overflow_location1"]) for name, row in found.items()}


def nodes(lab) -> dict[str, dict]:
    return {row["name"]: row for row in objects(lab, f"{CONFIGURATION}/worker_vm")}


def instances(lab) -> dict[str, dict]:
    """The live instances by name, with their tags as a dictionary."""
    found = [i for r in lab.ec2().describe_instances()["Reservations"] for i in r["Instances"]]
    live = [
        i | {"Tags": {t["Key"]: t["Value"] for t in i["Tags"]}} for i in found if i["State"]["Name"] != "terminated"
    ]
    return {i["Tags"]["Name"]: i for i in live}


def power(lab) -> dict[str, str]:
    """The states of the overflow nodes' instances."""
    return {name: instances(lab)[name]["State"]["Name"] for name in BURST}


def keys(lab, user: str = USER) -> list[str]:
    return [key["AccessKeyId"] for key in lab.iam().list_access_keys(UserName=user)["AccessKeyMetadata"]]


def users(lab) -> list[str]:
    return [user["UserName"] for user in lab.iam().list_users()["Users"]]


def policies(lab) -> dict[str, str]:
    """Customer managed policies, name to ARN."""
    return {policy["PolicyName"]: policy["Arn"] for policy in lab.iam().list_policies(Scope="Local")["Policies"]}


def attached(lab) -> set[str]:
    return {policy["PolicyName"] for policy in lab.iam().list_attached_user_policies(UserName=USER)["AttachedPolicies"]}


def secret(lab) -> str:
    """The secret access key that the platform holds, which it tells nobody: read from its disk."""
    manager = instances(lab)["manager"]["InstanceId"]
    database = lab.files.directory / "machines" / manager / "platform.sqlite3"
    with contextlib.closing(sqlite3.connect(database)) as disk:
        ((value,),) = disk.execute("select aws_secret_key from pexip_global").fetchall()
    return value


def rows(run, task: str) -> list[str]:
    """The lines of a table that a run showed."""
    return run.results(task)[-1]["msg"]


@pytest.fixture(scope="module")
def enabled(lab, enable):
    """A check of an account that knows nothing of bursting, then the first run."""
    runs = {"check": enable(check=True), "writes of the check": lab.writes()}
    runs["first"] = enable().succeeded()
    runs["key"] = settings(lab)["aws_access_key"]
    return runs


def test_check_tells_all_and_writes_nothing(enabled):
    check = enabled["check"].succeeded()
    assert enabled["writes of the check"] == 0
    told = " ".join(rows(check, "Tell what would be done"))
    for part in (
        "make or change",
        f"IAM policy {POLICY}",
        f"IAM user {USER}",
        f"access key {USER} make and give to the platform",
        "instance burst02 stop, then tag pexip-cloud: manager",
        "enable bursting",
        "location HQ set overflow_location1",
    ):
        assert part in " ".join(told.split())


@pytest.mark.parametrize("name", sorted(set(OVERFLOW.values())))
def test_the_overflow_locations_are_there_with_servers(lab, enabled, name):
    made, london = locations(lab)[name], locations(lab)["London"]
    for servers in ("dns_servers", "ntp_servers"):
        assert made[servers] and made[servers] == london[servers]


def test_the_aws_user_has_the_guides_policy_and_one_key_which_the_platform_holds(lab, enabled):
    iam = lab.iam()
    arn = policies(lab)[POLICY]
    assert attached(lab) == {POLICY}
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    assert iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"] == DOCUMENT
    tags = {tag["Key"]: tag["Value"] for tag in iam.list_user_tags(UserName=USER)["Tags"]}
    assert tags == {**OURS, "Team": "video"}
    assert keys(lab) == [settings(lab)["aws_access_key"]]


def test_the_secret_is_in_no_output(lab, enabled):
    assert len(secret(lab)) == 40
    assert secret(lab) not in enabled["first"].output


def test_the_nodes_are_the_platforms_to_start(lab, enabled):
    assert power(lab) == {"burst01": "stopped", "burst02": "stopped"}
    for name in BURST:
        tags = instances(lab)[name]["Tags"]
        assert tags == {
            "Name": name,
            "Team": "video",
            **OURS,
            "pexip-infinity-node": name,
            "pexip-infinity-role": "conferencing",
            "pexip-cloud": "manager",
        }
        node = nodes(lab)[name]
        assert node["system_location"] == locations(lab)[BURST[name]["pexip_location"]]["resource_uri"]
        assert (node["enable_distributed_database"], node["maintenance_mode"]) == (False, False)
    assert nodes(lab)["conf01"]["enable_distributed_database"] is True
    assert "pexip-cloud" not in instances(lab)["conf01"]["Tags"]


def test_settings_and_locations(lab, enabled):
    found = settings(lab)
    capacity = sum(
        row["max_hd_calls"]
        for row in objects(lab, "/api/admin/status/v1/worker_vm")
        if row["system_location"] in OVERFLOW
    )
    assert (found["bursting_enabled"], found["cloud_provider"], found["bursting_min_lifetime"]) == (True, "AWS", 6000)
    assert found["bursting_threshold"] == -(-15 * capacity // 100)
    assert overflows(lab) == {**OVERFLOW, "AWS burst": None, "AWS burst 2": None}


def test_the_platform_sees_its_nodes(lab, enabled):
    lab.clock_advance("1m")
    seen = {
        row["workervm_configuration_name"]: row["cloud_instance_state"]
        for row in objects(lab, "/api/admin/status/v1/cloud_node")
    }
    assert seen == {"burst01": "stopped", "burst02": "stopped"}
    assert not [row for row in objects(lab, "/api/admin/status/v1/alarm") if "burst" in row["name"]]


@pytest.fixture(scope="module")
def started(lab, hosts, enabled, module_play):
    """One overflow node, started for its capacity."""

    def start(**extra):
        return module_play(lab, "start_overflow_nodes", inventory=hosts, extra_vars=extra)

    return {"none": start(), "capacity": start(cloud_bursting_start_capacity=10)}


def test_overflow_nodes_are_started_for_a_capacity(lab, started):
    started["capacity"].succeeded()
    assert power(lab) == {"burst01": "running", "burst02": "stopped"}
    explanation, _titles, node = rows(started["capacity"], "Show the overflow nodes")
    assert explanation.startswith("10 free HD connections asked for")
    assert node.startswith("burst01") and "running" in node


def test_which_nodes_to_start_must_be_said(started):
    (failure,) = started["none"].failed().failures
    assert "exactly one of cloud_bursting_start_names (names)" in failure and failure.endswith("given: none.")


def test_again_changes_nothing_and_leaves_a_node_on_that_the_platform_has_started(lab, enable, started):
    """The tag of somebody else's stays, too, and so does a policy that somebody else attached to the user."""
    instance = instances(lab)["burst01"]["InstanceId"]
    lab.ec2().create_tags(Resources=[instance], Tags=[{"Key": "Owner", "Value": "by hand"}])
    other = lab.iam().create_policy(PolicyName="by-hand", PolicyDocument=json.dumps(DOCUMENT))["Policy"]["Arn"]
    lab.iam().attach_user_policy(UserName=USER, PolicyArn=other)
    enable().unchanged()
    assert lab.writes() == 0
    assert power(lab)["burst01"] == "running"
    assert instances(lab)["burst01"]["Tags"]["Owner"] == "by hand"
    assert attached(lab) == {POLICY, "by-hand"}


def test_check_then_reports_nothing(lab, enable, started):
    check = enable(check=True).unchanged()
    assert lab.writes() == 0
    assert rows(check, "Tell what would be done") == "Nothing would change."


def test_a_killed_run_is_resumed(lab, enable, started):
    """As if runs had died between key and settings, twice, and between stop and tag."""
    iam, before = lab.iam(), keys(lab)
    lab.api(f"{CONFIGURATION}/global/1/", "PATCH", {"aws_access_key": None, "aws_secret_key": None})
    before.append(iam.create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"])
    lab.ec2().delete_tags(Resources=[instances(lab)["burst02"]["InstanceId"]], Tags=[{"Key": "pexip-cloud"}])
    marked = {"maintenance_mode": True, "maintenance_mode_reason": "pexip.infinity: being set up as an overflow node"}
    lab.api(nodes(lab)["burst02"]["resource_uri"], "PATCH", marked)
    enable("--limit", "manager,burst02").succeeded()
    (key,) = keys(lab)
    assert key not in before
    assert settings(lab)["aws_access_key"] == key
    assert instances(lab)["burst02"]["Tags"]["pexip-cloud"] == "manager"
    assert (nodes(lab)["burst02"]["maintenance_mode"], power(lab)["burst02"]) == (False, "stopped")


def test_a_node_whose_state_is_not_to_be_had_takes_no_other_with_it(lab, enable, started):
    identities = {name: instances(lab)[name]["InstanceId"] for name in BURST}
    lab.ec2().stop_instances(InstanceIds=[*identities.values()])
    until(lambda: set(power(lab).values()) == {"stopped"}, "the overflow nodes to be stopped")
    lab.ec2().delete_tags(Resources=[*identities.values()], Tags=[{"Key": "pexip-cloud"}])
    lab.fault_add("unauthorized", "aws", method="DescribeInstances", match=identities["burst01"])
    run = enable("--limit", "manager,burst01,burst02").failed()
    lab.fault_clear()
    (told,) = [message for message in run.failures if message.startswith("burst01")]
    assert f"burst01: the instance {identities['burst01']} has not stopped within" in told and "AuthFailure" in told
    assert [instances(lab)[name]["Tags"].get("pexip-cloud") for name in BURST] == [None, "manager"]
    enable("--limit", "manager,burst01,burst02").succeeded()
    assert instances(lab)["burst01"]["Tags"]["pexip-cloud"] == "manager"
    lab.ec2().start_instances(InstanceIds=[identities["burst01"]])  # as the platform had before


def test_the_key_is_rotated(lab, enable, started):
    (before,) = keys(lab)
    old, rotate = secret(lab), {"cloud_bursting_rotate_key": True}
    check = enable("--limit", "manager", check=True, extra_vars=rotate).succeeded()
    told = " ".join(" ".join(rows(check, "Tell what would be done")).split())
    assert (
        f"access key {USER} make and give to the platform" in told and f"access key {USER} delete the old one" in told
    )
    assert (keys(lab), lab.writes()) == ([before], 0)
    run = enable("--limit", "manager", "-vvvv", extra_vars=rotate).succeeded()
    (key,) = keys(lab)
    assert key != before
    assert settings(lab)["aws_access_key"] == key
    assert secret(lab) not in run.output and secret(lab) != old


def test_credentials_that_exist_are_taken_as_they_are(lab, hosts, enable, started):
    iam, ours = lab.iam(), keys(lab)
    iam.create_user(UserName="by-hand")
    given = iam.create_access_key(UserName="by-hand")["AccessKey"]
    existing = copy.deepcopy(hosts)
    existing["all"]["vars"].update(
        cloud_bursting_access_key=given["AccessKeyId"],
        cloud_bursting_secret_key="{{ lookup('ansible.builtin.env', 'GIVEN_SECRET') }}",
    )
    known = {"GIVEN_SECRET": given["SecretAccessKey"]}
    run = enable("--limit", "manager", "-vvvv", inventory=existing, environment=known).succeeded()
    asked = {name for name in lab.requests() if name.startswith("aws ")}
    assert not [name for name in asked if any(word in name for word in ("User", "Policy", "Policies", "AccessKey"))], (
        asked
    )
    assert settings(lab)["aws_access_key"] == given["AccessKeyId"]
    assert secret(lab) == given["SecretAccessKey"]
    assert secret(lab) not in run.output
    assert keys(lab) == ours
    # They work: without them the role's own user does not take their place unasked.
    (refusal,) = enable("--limit", "manager").failed().failures
    assert f"as the IAM user by-hand with the active access key {given['AccessKeyId']}" in refusal
    assert lab.writes() == 0


def test_all_problems_are_told_before_anything_is_changed(lab, hosts, enable, started):
    lab.api(
        locations(lab)["London"]["resource_uri"],
        "PATCH",
        {"overflow_location1": locations(lab)["Oslo"]["resource_uri"]},
    )
    wrong = copy.deepcopy(hosts)
    wrong["all"]["vars"].update(
        pexip_overflow={"London": "AWS burst", "AWS burst": "HQ", "Oslo": "Oslo", "Lisbon": "New burst"},
        pexip_bursting_threshold=500,
        pexip_bursting_min_lifetime=4,
        pexip_dns_servers=[],
    )
    burst = wrong["all"]["children"]["pexip_nodes"]["children"]["pexip_overflow"]["hosts"]
    burst["burst01"]["pexip_public_address"] = "dynamic"
    burst["burst02"]["pexip_region"] = "us-east-1"
    burst["burst03"] = {"pexip_location": "Paris"}
    # One host alone, and still the verdict is about all of them.
    run = enable("--limit", "burst02", inventory=wrong).failed()
    message = run.failures[0]
    for part in (
        "AWS burst is the overflow location of London and itself a primary location",
        "Oslo is its own overflow location",
        "there is no location Lisbon",
        "burst03: pexip_location Paris of an overflow node is no overflow location",
        "The location HQ would hold always-on (onprem01)",
        "burst02: pexip_region us-east-1",
        "burst01: pexip_public_address dynamic",
        "pexip_bursting_threshold 500 gives 500, which is not below the always-on capacity",
        "pexip_bursting_min_lifetime 4 is too short",
        "The overflow location New burst has no dns_servers",
        "The location London overflows to Oslo, which holds always-on nodes (conf02)",
    ):
        assert part in message
    assert lab.writes() == 0


def test_disabling_takes_back_what_was_made_and_leaves_nodes_alone(lab, enable, started):
    before = (nodes(lab), {name: i["Tags"] for name, i in instances(lab).items()}, overflows(lab))
    off = {"cloud_bursting_state": "absent"}
    check = enable(check=True, extra_vars=off).succeeded()
    told = " ".join(" ".join(rows(check, "Tell what would be done")).split())
    for part in ("disable bursting, clear", f"IAM user {USER} delete with its keys", f"IAM policy {POLICY} delete"):
        assert part in told
    assert lab.writes() == 0
    run = enable(extra_vars=off).succeeded()
    found = settings(lab)
    assert (found["bursting_enabled"], found["aws_access_key"], secret(lab)) == (False, None, None)
    assert USER not in users(lab) and "by-hand" in users(lab)
    assert POLICY not in policies(lab)
    assert (nodes(lab), {name: i["Tags"] for name, i in instances(lab).items()}, overflows(lab)) == before
    assert power(lab) == {"burst01": "running", "burst02": "stopped"}
    assert "burst01" in run.results("Tell which overflow nodes run on")[-1]["msg"]
    enable(extra_vars=off).unchanged()
    assert lab.writes() == 0
