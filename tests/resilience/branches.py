# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook, with the branches in which it asks AWS for something that the other ones do not.

The first branch of a playbook is its plain run. What is to be mended, taken over or taken back is planted before.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.pexip.infinity.tests.integration.playing import Play, Started
from ansible_collections.pexip.infinity.tests.resilience.scenarios import (
    NO_FLOOR,
    SCENARIOS,
    Scenario,
    nodes_of,
)
from pexip_lab.client import Lab
from pexip_lab.testing import CONFERENCING_IMAGE, MANAGEMENT_IMAGE, until

OURS = "pexip-infinity"
USER = "pexip-manager"
POLICY = "pexip-bursting-manager"
LOOK = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["ec2:Describe*"], "Resource": "*"}]}
)


@dataclass(frozen=True)
class Branch(Scenario):
    """A scenario by what is special about it.

    `plain` is the first one of a playbook. `twin`: the node of which another run launches an instance, too. `hosted`: the
    inventory says where the Management Node is; else it is found by its tags, which is to ask AWS.
    """

    plain: bool = False
    twin: str | None = None
    hosted: bool = False

    def __str__(self) -> str:
        return f"{self.playbook}, {self.name}"

    def start(self, lab: Lab, play: Play, environment: dict[str, str] | None = None, **options: Any) -> Started:
        found_by_tags = {} if self.hosted else {"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": ""}

        def adapt(inventory: dict) -> None:
            self.adapt(inventory)
            for name in found_by_tags:
                inventory["all"]["vars"].pop(name.lower(), None)

        environment = found_by_tags | (environment or {})
        return Scenario.start(replace(self, adapt=adapt, hosted=True), lab, play, environment=environment, **options)

    @contextmanager
    def disturbed(self, lab: Lab) -> Iterator[None]:
        """While the block runs, what happens meanwhile happens."""
        if not self.twin:
            yield
            return
        older = _launch(lab, MANAGEMENT_IMAGE if self.twin == "manager" else CONFERENCING_IMAGE)
        fault = lab.fault_add("delay", "aws", method="RunInstances", when="after", seconds=3)
        told: list[BaseException] = []

        def tag() -> None:
            try:
                marks = _tags(until(lambda: _of(lab, self.twin), f"an instance of {self.twin}", 300))
                lab.ec2().create_tags(Resources=[older], Tags=marks)
            except BaseException as error:  # told by the test's own thread
                told.append(error)

        thread = threading.Thread(target=tag)
        thread.start()
        try:
            yield
        finally:
            thread.join()
            lab.fault_clear(fault)
        assert not told, told


def _branch(name: str, scenario: Scenario, **changes: Any) -> Branch:
    """A scenario as a branch of its playbook."""
    return Branch(**{**vars(scenario), "name": name, **changes})


def _of(lab: Lab, node: str) -> dict[str, Any] | None:
    """The live instance of a node."""
    filters = [
        {"Name": f"tag:{OURS}-node", "Values": [node]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    found = lab.ec2().describe_instances(Filters=filters)["Reservations"]
    return found[0]["Instances"][0] if found else None


def _tags(instance: dict[str, Any]) -> list[dict[str, str]]:
    return [tag for tag in instance["Tags"] if tag["Key"].startswith(OURS)]


def _launch(lab: Lab, image: str, **options: Any) -> str:
    """Launches an instance as somebody else does; its id."""
    given = {"InstanceType": "c4.2xlarge", "KeyName": lab.env["LAB_KEY_NAME"], "SubnetId": lab.env["LAB_SUBNET_A"]}
    named = [{"Name": "group-name", "Values": ["pexip-nodes"]}]
    if groups := lab.ec2().describe_security_groups(Filters=named)["SecurityGroups"]:
        given["SecurityGroupIds"] = [groups[0]["GroupId"]]
    answer = lab.ec2().run_instances(ImageId=image, MinCount=1, MaxCount=1, **given, **options)
    return answer["Instances"][0]["InstanceId"]


def _stop(lab: Lab, instance: str) -> None:
    lab.ec2().stop_instances(InstanceIds=[instance])
    lab.ec2().get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})


def _group(lab: Lab, name: str) -> dict[str, Any]:
    return lab.ec2().describe_security_groups(GroupNames=[name])["SecurityGroups"][0]


# The Management Node: stopped, and its security group not as it should be.
def _drifted(lab: Lab) -> None:
    ec2, group = lab.ec2(), _group(lab, "pexip-nodes")
    for permissions, describe in (
        (group["IpPermissions"], ec2.update_security_group_rule_descriptions_ingress),
        (group["IpPermissionsEgress"], ec2.update_security_group_rule_descriptions_egress),
    ):
        for rule in permissions:
            for source in rule["IpRanges"]:
                source["Description"] = "somebody's"
        describe(GroupId=group["GroupId"], IpPermissions=[rule for rule in permissions if rule["IpRanges"]])
    stray = {"IpProtocol": "tcp", "FromPort": 9100, "ToPort": 9100, "IpRanges": [{"CidrIp": "198.51.100.0/24"}]}
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[stray])
    ec2.authorize_security_group_egress(GroupId=group["GroupId"], IpPermissions=[stray])
    _stop(lab, _of(lab, "manager")["InstanceId"])
    _one_address_too_many(lab)


def _one_address_too_many(lab: Lab) -> None:
    """An answer is lost, the library asks again, and a second Elastic IP address is to be released."""
    lab.fault_add("reset", "aws", method="AllocateAddress", when="after", nth=1)


def _onboarding(lab: Lab) -> None:
    SCENARIOS["onboard_nodes"].prepare(lab)
    _one_address_too_many(lab)


def _drifted_hosts(inventory: dict) -> None:
    inventory["all"]["children"]["pexip_management"]["hosts"]["manager"] = {"pexip_public_address": "elastic"}
    variables = inventory["all"]["vars"]
    variables |= {
        "pexip_deployment": "hybrid",  # the nodes have no public address
        "pexip_security_groups": {"nodes": "pexip-nodes", "management": "pexip-management"},
        "pexip_tags": {"owner": "video team"},
    }


# What was set up by hand, and carries no tag of ours.
def _untagged(lab: Lab, *nodes: str) -> None:
    for node in nodes:
        instance = _of(lab, node)
        lab.ec2().delete_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": tag["Key"]} for tag in _tags(instance)])


def _by_hand(lab: Lab) -> None:
    _untagged(lab, "manager")
    group = _group(lab, "pexip-nodes")
    lab.ec2().delete_tags(Resources=[group["GroupId"]], Tags=[{"Key": f"{OURS}-platform"}])


def _manager_by_hand(inventory: dict) -> None:
    variables = inventory["all"]["vars"]
    inventory["all"]["children"]["pexip_management"]["hosts"]["manager"] = {
        "pexip_private_ip": variables.pop("pexip_host")
    }
    variables |= {"pexip_adopt": True, "pexip_tags": {"owner": "video team"}}


def _node_by_hand(lab: Lab) -> None:
    SCENARIOS["onboard_nodes"].prepare(lab)
    instance = _launch(lab, CONFERENCING_IMAGE, PrivateIpAddress=str(lab.network.subnets[0][60]))
    lab.ec2().get_waiter("instance_running").wait(InstanceIds=[instance], WaiterConfig={"Delay": 1})
    _stop(lab, instance)


def _one_by_hand_one_twice(inventory: dict) -> None:
    """conf01 is at the address of what was launched by hand, of conf02 another run launches an instance."""
    variables, nodes = inventory["all"]["vars"], nodes_of(inventory, "pexip_always_on")
    nodes["conf01"]["pexip_private_ip"] = variables["pexip_host"].rsplit(".", 1)[0] + ".60"
    del nodes["conf03"], nodes["conf04"]
    variables |= {"pexip_adopt": True, "pexip_tags": {"owner": "video team"}}


def _adopting(name: str, *nodes: str) -> dict[str, Any]:
    """Changes to a scenario: these nodes carry no tag of ours at first."""
    scenario = SCENARIOS[name]

    def prepare(lab: Lab) -> None:
        scenario.prepare(lab)
        _untagged(lab, *nodes)

    def adapt(inventory: dict) -> None:
        scenario.adapt(inventory)
        inventory["all"]["vars"]["pexip_adopt"] = True

    return {"prepare": prepare, "adapt": adapt}


# Bursting: what IAM holds beside the plain set-up.
def _tangled(lab: Lab) -> None:
    """The user's policy has another version, a wrong one, and is not attached; there is a second key, a policy of the
    user's own and a group with others; neither user nor policy carries our tag.
    """
    iam, user = lab.iam(), {"UserName": USER}
    arn = _policy(lab)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=LOOK, SetAsDefault=True)
    iam.detach_user_policy(**user, PolicyArn=arn)
    iam.untag_policy(PolicyArn=arn, TagKeys=[f"{OURS}-platform"])
    iam.untag_user(**user, TagKeys=[f"{OURS}-platform"])
    iam.create_access_key(**user)
    iam.put_user_policy(**user, PolicyName="own", PolicyDocument=LOOK)
    group = {"GroupName": "video"}
    iam.create_group(**group)
    iam.put_group_policy(**group, PolicyName="own", PolicyDocument=LOOK)
    video = iam.create_policy(PolicyName="video", PolicyDocument=LOOK)["Policy"]["Arn"]
    iam.attach_group_policy(**group, PolicyArn=video)
    iam.add_user_to_group(**group, **user)


def _all_versions_wrong(lab: Lab) -> None:
    """As many versions as a policy can have."""
    iam, arn = lab.iam(), _policy(lab)
    (right,) = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    for number in range(5):
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=LOOK, SetAsDefault=True)
        if number == 0:
            iam.delete_policy_version(PolicyArn=arn, VersionId=right["VersionId"])


def _policy(lab: Lab) -> str:
    """The ARN of the policy of bursting."""
    found = lab.iam().list_policies(Scope="Local")["Policies"]
    return next(policy["Arn"] for policy in found if policy["PolicyName"] == POLICY)


def _with_a_past(lab: Lab) -> None:
    """The user has a policy of its own besides, and the one that is attached two versions."""
    lab.iam().create_policy_version(PolicyArn=_policy(lab), PolicyDocument=LOOK, SetAsDefault=True)
    lab.iam().put_user_policy(UserName=USER, PolicyName="own", PolicyDocument=LOOK)


def _stopped_by_hand(lab: Lab) -> None:
    _stop(lab, _of(lab, "conf01")["InstanceId"])
    _untagged(lab, "conf01")


def _elastic_overflow(inventory: dict) -> None:
    SCENARIOS["enable_bursting"].adapt(inventory)
    nodes_of(inventory, "pexip_overflow")["burst01"]["pexip_public_address"] = "elastic"
    inventory["all"]["vars"]["pexip_deployment"] = "hybrid"


def _adopt(inventory: dict) -> None:
    inventory["all"]["vars"]["pexip_adopt"] = True


_overflow = ("--limit", "burst01")
_BRANCHES = {
    "deploy_management": [
        _branch("from nothing", SCENARIOS["deploy_management"]),
        _branch(
            "stopped and drifted",
            Scenario("", "deploy_management", "platform", prepare=_drifted, adapt=_drifted_hosts),
        ),
        _branch(
            "set up by hand",
            Scenario(
                "",
                "deploy_management",
                "platform",
                prepare=_by_hand,
                adapt=_manager_by_hand,
            ),
        ),
        _branch("launched by two runs at once", SCENARIOS["deploy_management"], twin="manager"),
    ],
    "onboard_nodes": [
        _branch("with public addresses", SCENARIOS["onboard_nodes"], prepare=_onboarding),
        _branch(
            "set up by hand; launched by two runs at once",
            Scenario("", "onboard_nodes", "platform", prepare=_node_by_hand, adapt=_one_by_hand_one_twice),
            twin="conf02",
        ),
    ],
    "enable_bursting": [
        _branch("with an Elastic IP", SCENARIOS["enable_bursting"], adapt=_elastic_overflow),
        _branch(
            "user and policy set up by hand and wrong; a new key",
            Scenario(
                "",
                "enable_bursting",
                "bursting",
                extra_vars={"cloud_bursting_rotate_key": True},
                prepare=_tangled,
                adapt=_adopt,
            ),
        ),
        _branch(
            "all versions of the policy wrong", Scenario("", "enable_bursting", "bursting", prepare=_all_versions_wrong)
        ),
        _branch("turned off", SCENARIOS["disable_bursting"], prepare=_with_a_past),
    ],
    "convert_nodes": [
        _branch("to overflow", SCENARIOS["convert_to_overflow"], **_adopting("convert_to_overflow", "conf02")),
        _branch("to always on", SCENARIOS["convert_to_always_on"]),
    ],
    "start_overflow_nodes": [_branch("all", SCENARIOS["start_overflow_nodes"])],
    "bursting_status": [_branch("as it is", Scenario("", "bursting_status", "bursting"))],
    "check_bursting": [
        _branch("with stray tags", SCENARIOS["check_bursting"]),
        _branch(
            "set up by hand",
            Scenario("", "check_bursting", "by-hand", extra_vars=SCENARIOS["check_bursting"].extra_vars, adapt=_adopt),
            hosted=True,
        ),
        _branch("a policy that is not attached", SCENARIOS["check_bursting"], prepare=_tangled),
    ],
    "stop_nodes": [
        _branch("set up by hand", SCENARIOS["stop_nodes"], **_adopting("stop_nodes", "conf01")),
        _branch("overflow nodes", Scenario("", "stop_nodes", "bursting", _overflow, NO_FLOOR)),
    ],
    "start_nodes": [
        _branch("plain", SCENARIOS["start_nodes"]),
        _branch(
            "set up by hand",
            Scenario("", "start_nodes", "nodes", ("--limit", "conf01"), prepare=_stopped_by_hand, adapt=_adopt),
        ),
    ],
    "restart_nodes": [
        _branch("set up by hand", SCENARIOS["restart_nodes"], **_adopting("restart_nodes", "conf02")),
    ],
    "refresh_static_nat": [_branch("with an Elastic IP", SCENARIOS["refresh_static_nat"])],
    "remove_nodes": [
        _branch("with an Elastic IP", SCENARIOS["remove_nodes"]),
        _branch(
            "set up by hand",
            Scenario(
                "",
                "remove_nodes",
                "nodes",
                ("--limit", "conf02"),
                NO_FLOOR,
                prepare=lambda lab: _untagged(lab, "conf02"),
                adapt=_adopt,
            ),
        ),
        _branch("overflow nodes", Scenario("", "remove_nodes", "bursting", _overflow, NO_FLOOR)),
    ],
}
BRANCHES = [
    replace(branch, plain=number == 0) for branches in _BRANCHES.values() for number, branch in enumerate(branches)
]
