# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose an AWS access key is and what its user may do. The amazon.aws collection has no module that asks this."""

from __future__ import annotations

DOCUMENTATION = r"""
name: access_key_owner
short_description: The IAM user of an access key, with its keys and policy documents
version_added: 0.1.0
author: The pexip.infinity authors (!UNKNOWN)
description:
  - Asks IAM which user of the account an access key belongs to, and reads the user's access keys and the documents of all
    its policies, attached or inline, its own or its groups'.
  - Where none of these documents is about the tag C(pexip-cloud), it also reads the account's own policies that might be
    meant for the user and are not attached to it. These are the ones that are attached to nobody, or whose name has
    C(pexip) or C(burst) in it.
  - Credentials and endpoint come from where boto3 finds them (environment, profile, instance role), as they do for
    the modules of the amazon.aws collection. Secret keys are never read; AWS does not give them.
requirements: [boto3]
options:
  _terms:
    description: Access key ids.
    type: list
    elements: str
    required: true
  region:
    description: The region whose endpoint boto3 looks up; left out, the one that boto3 finds.
    type: str
"""

EXAMPLES = r"""
- name: Who is the platform in AWS
  ansible.builtin.debug:
    msg: "{{ lookup('pexip.infinity.access_key_owner', settings.global_settings.aws_access_key).user.name }}"
"""

RETURN = r"""
_raw:
  description: For each access key what is known of it.
  type: list
  elements: dict
  contains:
    user:
      description:
        - Null when the key is none of the account's, or may not be read. Else C(name), C(arn), C(access_keys) (each with
          C(id) and C(status)) and C(policies) (each with C(name), C(arn), null for inline ones, and C(document)).
      type: dict
    detached_policies:
      description: Policies that might be meant for the user and are not attached to it, in the form of the user's own.
      type: list
      elements: dict
    problem:
      description: Why user or policies could not be read, when the caller's own permissions do not suffice; else empty.
      type: str
"""

import json
from collections.abc import Iterator
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # said in run()
    boto3 = None

TAG = "pexip-cloud"
LIKELY = ("pexip", "burst")
DENIED = ("AccessDenied", "AccessDeniedException")
UNKNOWN = "NoSuchEntity"


def pages(iam: Any, operation: str, key: str, **given: str) -> Iterator[Any]:
    """All results of an operation."""
    for page in iam.get_paginator(operation).paginate(**given):
        yield from page[key]


def managed(iam: Any, name: str, arn: str) -> dict[str, Any]:
    """A managed policy with the document that is in force."""
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return {"name": name, "arn": arn, "document": document}


def policies(iam: Any, user: str) -> list[dict[str, Any]]:
    """Every policy of a user: attached and inline, its own and its groups'."""
    found = [
        *(
            managed(iam, p["PolicyName"], p["PolicyArn"])
            for p in pages(iam, "list_attached_user_policies", "AttachedPolicies", UserName=user)
        ),
        *(
            {
                "name": name,
                "arn": None,
                "document": iam.get_user_policy(UserName=user, PolicyName=name)["PolicyDocument"],
            }
            for name in pages(iam, "list_user_policies", "PolicyNames", UserName=user)
        ),
    ]
    for group in pages(iam, "list_groups_for_user", "Groups", UserName=user):
        name = group["GroupName"]
        for p in pages(iam, "list_attached_group_policies", "AttachedPolicies", GroupName=name):
            found.append(managed(iam, p["PolicyName"], p["PolicyArn"]))
        for inline in pages(iam, "list_group_policies", "PolicyNames", GroupName=name):
            document = iam.get_group_policy(GroupName=name, PolicyName=inline)["PolicyDocument"]
            found.append({"name": inline, "arn": None, "document": document})
    return found


def detached(iam: Any, attached: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The account's policies that might be meant for the user, where none of its own is about the tag."""
    if any(TAG in json.dumps(policy["document"]) for policy in attached):
        return []
    taken = {policy["arn"] for policy in attached}
    return [
        managed(iam, policy["PolicyName"], policy["Arn"])
        for policy in pages(iam, "list_policies", "Policies", Scope="Local")
        if policy["Arn"] not in taken
        and (not policy["AttachmentCount"] or any(word in policy["PolicyName"].lower() for word in LIKELY))
    ]


def owner(iam: Any, key: str) -> dict[str, Any]:
    """What is known of one access key; ClientError for what was refused for another reason than permissions."""
    try:
        name = iam.get_access_key_last_used(AccessKeyId=key)["UserName"]
        own = policies(iam, name)
        user = {
            "name": name,
            "arn": iam.get_user(UserName=name)["User"]["Arn"],
            "access_keys": [
                {"id": found["AccessKeyId"], "status": found["Status"]}
                for found in pages(iam, "list_access_keys", "AccessKeyMetadata", UserName=name)
            ],
            "policies": own,
        }
        return {"user": user, "detached_policies": detached(iam, own), "problem": ""}
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == UNKNOWN and error.operation_name == "GetAccessKeyLastUsed":
            return {"user": None, "detached_policies": [], "problem": ""}
        if code not in DENIED:
            raise
        other = " (or the key is of another account)" if error.operation_name == "GetAccessKeyLastUsed" else ""
        problem = f"the caller's own credentials do not allow iam:{error.operation_name}{other}: {error.response['Error']['Message']}"
        return {"user": None, "detached_policies": [], "problem": problem}


class LookupModule(LookupBase):
    """Some GET requests to IAM."""

    def run(self, terms, variables=None, region=None):
        """The owners in the order of the keys; AnsibleLookupError when IAM cannot be asked."""
        if boto3 is None:
            raise AnsibleLookupError("access_key_owner needs the Python library boto3 on the controller.")
        try:
            iam = boto3.client("iam", region_name=region or None)
            return [owner(iam, str(term)) for term in terms]
        except (BotoCoreError, ClientError) as error:
            raise AnsibleLookupError(f"Failed to ask IAM whose an access key is: {error}") from error
