# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/iam: what the policies allow and what not, judged as IAM does, and that they follow from what was recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.pexip.infinity.tests.tools import iam_policies
from ansible_collections.pexip.infinity.tests.tools.iam_policies import Asked
from pexip_lab.aws.policies import Question, Verdict, judge

IAM = Path(__file__).parents[2] / "docs/iam"
EC2 = "arn:aws:ec2:eu-west-1:123456789012:"
OURS = {"aws:resourcetag/pexip-infinity-platform": ("manager",)}
ACCOUNT = "arn:aws:iam::123456789012:"


def allows(playbook: str, action: str, resource: str, context: dict[str, tuple[str, ...]] | None = None) -> bool:
    """Whether the policy of a playbook allows an action on a resource under these conditions."""
    document = json.loads((IAM / f"{playbook}.json").read_text())
    return judge([document], Question(action, resource, context or {})) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("playbook", "action"),
    [
        ("stop_nodes", "ec2:StopInstances"),
        ("start_nodes", "ec2:StartInstances"),
        ("restart_nodes", "ec2:StopInstances"),
        ("remove_nodes", "ec2:TerminateInstances"),
        ("convert_nodes", "ec2:StopInstances"),
        ("site", "ec2:TerminateInstances"),
    ],
)
def test_instances_without_our_tag_are_not_to_be_touched(playbook, action):
    assert allows(playbook, action, f"{EC2}instance/i-1", OURS)
    assert not allows(playbook, action, f"{EC2}instance/i-1")
    assert not allows("bursting_status", action, f"{EC2}instance/i-1", OURS)


def test_what_is_launched_and_allocated_carries_our_tag():
    given = {"aws:requesttag/pexip-infinity-platform": ("manager",), "aws:tagkeys": ("pexip-infinity-platform",)}
    for action, kind in (("RunInstances", "instance"), ("RunInstances", "volume"), ("AllocateAddress", "elastic-ip")):
        assert allows("onboard_nodes", f"ec2:{action}", f"{EC2}{kind}/*", given)
        assert not allows("onboard_nodes", f"ec2:{action}", f"{EC2}{kind}/*")
    assert allows("onboard_nodes", "ec2:CreateTags", f"{EC2}volume/*", given | {"ec2:createaction": ("RunInstances",)})
    assert not allows("onboard_nodes", "ec2:CreateTags", f"{EC2}volume/*", given)


def test_which_tags_are_given_and_taken():
    instance = f"{EC2}instance/i-1"
    assert allows("stop_nodes", "ec2:CreateTags", instance, {"aws:tagkeys": ("pexip-infinity-node",)})
    assert not allows("stop_nodes", "ec2:CreateTags", instance, {"aws:tagkeys": ("Name",)})
    assert allows("stop_nodes", "ec2:DeleteTags", instance, {"aws:tagkeys": ("pexip-cloud",)})
    assert not allows("stop_nodes", "ec2:DeleteTags", instance, {"aws:tagkeys": ("pexip-cloud", "Name")})
    assert not allows("stop_nodes", "ec2:DeleteTags", instance)  # of all tags
    group = f"{EC2}security-group/sg-1"
    assert allows("deploy_management", "ec2:CreateTags", group, {"aws:tagkeys": ("owner",)})
    assert not allows("deploy_management", "ec2:CreateTags", group, {"aws:tagkeys": ("pexip-infinity-platform",)})


def test_users_and_policies_are_those_of_bursting():
    attach = "iam:AttachUserPolicy", f"{ACCOUNT}user/pexip-manager"
    assert allows("enable_bursting", *attach, {"iam:policyarn": (f"{ACCOUNT}policy/pexip-bursting-manager",)})
    assert not allows("enable_bursting", *attach, {"iam:policyarn": ("arn:aws:iam::aws:policy/AdministratorAccess",)})
    for action in ("CreateUser", "CreateAccessKey", "DeleteUser"):
        assert allows("enable_bursting", f"iam:{action}", f"{ACCOUNT}user/pexip-manager")
        assert not allows("enable_bursting", f"iam:{action}", f"{ACCOUNT}user/somebody")
    assert not allows("enable_bursting", "iam:CreatePolicy", f"{ACCOUNT}policy/somebodys")


def test_what_no_rule_covers_is_told():
    with pytest.raises(ValueError, match="covers ec2:CreateTags natgateway, ec2:RebootInstances instance"):
        iam_policies.statements({Asked("ec2:RebootInstances", "instance"), Asked("ec2:CreateTags", "natgateway")})


def test_the_policies_follow_from_the_record():
    assert iam_policies.problems() == []
