# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""access_key_owner against moto: every place where a policy can be, detached ones, unknown keys, refusals."""

from __future__ import annotations

import json

import boto3
import pytest
from ansible.errors import AnsibleLookupError
from ansible_collections.pexip.infinity.plugins.lookup import access_key_owner
from ansible_collections.pexip.infinity.plugins.lookup.access_key_owner import LookupModule
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer


def document(about: str) -> dict:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": about, "Resource": "*"}]}


BURSTING = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "ec2:StartInstances",
            "Resource": "*",
            "Condition": {"StringEquals": {"ec2:ResourceTag/pexip-cloud": "manager"}},
        }
    ],
}


@pytest.fixture(scope="module")
def endpoint():
    """moto over a real socket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def iam(monkeypatch, endpoint):
    """A client; the lookup asks the same moto."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    return boto3.client("iam", region_name="eu-west-1")


def look(*keys: str, region: str = "eu-west-1") -> list[dict]:
    return LookupModule().run(list(keys), variables={}, region=region)


def user_with_key(iam, name: str) -> str:
    iam.create_user(UserName=name)
    return iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]


def managed(iam, name: str, content: dict) -> str:
    return iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(content))["Policy"]["Arn"]


def test_policies_are_found_wherever_they_are(iam):
    key = user_with_key(iam, "everywhere")
    attached = managed(iam, "attached", document("ec2:One"))
    iam.create_policy_version(PolicyArn=attached, PolicyDocument=json.dumps(BURSTING), SetAsDefault=True)
    iam.attach_user_policy(UserName="everywhere", PolicyArn=attached)
    iam.put_user_policy(UserName="everywhere", PolicyName="inline", PolicyDocument=json.dumps(document("ec2:Two")))
    iam.create_group(GroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="everywhere")
    iam.attach_group_policy(GroupName="team", PolicyArn=managed(iam, "of-the-group", document("ec2:Three")))
    iam.put_group_policy(GroupName="team", PolicyName="group-inline", PolicyDocument=json.dumps(document("ec2:Four")))
    managed(iam, "pexip-unused", BURSTING)
    (found,) = look(key)
    user = found["user"]
    assert (user["name"], user["arn"].split(":")[-1]) == ("everywhere", "user/everywhere")
    assert user["access_keys"] == [{"id": key, "status": "Active"}]
    documents = {policy["name"]: policy["document"] for policy in user["policies"]}
    assert documents == {
        "attached": BURSTING,  # the version in force
        "inline": document("ec2:Two"),
        "of-the-group": document("ec2:Three"),
        "group-inline": document("ec2:Four"),
    }
    assert {policy["name"]: bool(policy["arn"]) for policy in user["policies"]}["inline"] is False
    assert found["problem"] == "" and found["detached_policies"] == []  # one of its own is about the tag


def test_policies_that_might_be_meant_are_read_where_none_of_its_own_is(iam):
    key = user_with_key(iam, "forgotten")
    managed(iam, "meant", BURSTING)
    (found,) = look(key)
    assert found["user"]["policies"] == []
    assert {"name": "meant", "document": BURSTING}.items() <= next(
        policy for policy in found["detached_policies"] if policy["name"] == "meant"
    ).items()


def test_an_inactive_key_is_told(iam):
    key = user_with_key(iam, "asleep")
    iam.update_access_key(UserName="asleep", AccessKeyId=key, Status="Inactive")
    (found,) = look(key)
    assert found["user"]["access_keys"] == [{"id": key, "status": "Inactive"}]


def test_a_key_of_nobody(iam):
    assert look("AKIANOBODY0000000000") == [{"user": None, "detached_policies": [], "problem": ""}]


def test_a_caller_without_permission_is_told_which_one(iam, monkeypatch):
    def refuse(client, user):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListAttachedUserPolicies")

    monkeypatch.setattr(access_key_owner, "policies", refuse)
    (found,) = look(user_with_key(iam, "hidden"))
    assert found["user"] is None
    assert found["problem"] == "the caller's own credentials do not allow iam:ListAttachedUserPolicies: no"


def test_an_error_says_what_was_tried(iam, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(AnsibleLookupError, match="Failed to ask IAM whose an access key is"):
        look("AKIANOBODY0000000000")
