# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor on access: whether bursting is on, the platform's AWS user, its policies, and what the platform says itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_case import OVERFLOW, TAG, Case, listed, tag
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_findings import (
    ERROR,
    INFORMATION,
    LOGS,
    WARNING,
    finding,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.iam_policy import Permissions, bursting_permissions

Finding = dict[str, Any]

# Guide, "Troubleshooting": the two issues that it knows.
REFUSED = re.compile(r"Not authorized to perform an operation on (?P<what>.+?)\. Check the policy")
WITHOUT_NODE = re.compile(r"Instance .* was found, but no corresponding Conferencing Node")
# What AWS answers to a wrong secret, which nobody can read back: only what the platform hands on shows it.
WRONG_KEY = re.compile(
    r"validate the provided access credentials|AuthFailure|SignatureDoesNotMatch|signature we calculated does not match"
    r"|InvalidClientTokenId|security token included in the request is invalid",
    re.IGNORECASE,
)


def enabled(case: Case) -> Iterator[Finding]:
    """Guide, "Enable bursting to the cloud"."""
    if not case.enabled:
        wanted = bool(case.overflow)
        yield finding(
            "not-enabled",
            "Global settings",
            "Global settings: bursting_enabled is false, so no overflow node is started or stopped: enable bursting",
            severity=None if wanted else INFORMATION,
        )
    provider = case.settings.get("cloud_provider") or "AWS"
    if case.enabled and provider != "AWS":
        yield finding(
            "not-enabled",
            "Global settings",
            f"Global settings: cloud_provider is {provider}, so the platform does not look at AWS: set it to AWS",
        )


def credentials(case: Case) -> Iterator[Finding]:
    """Guide, "AWS access key ID and AWS secret access key": the platform's key is one of the account's, and active."""
    if not case.enabled or (case.settings.get("cloud_provider") or "AWS") != "AWS":
        return
    key = short(case.access_key)
    remedy = "set a key of the platform's user with its secret"
    problem = (case.aws.get("user_problem") or "") if case.aws else ""
    if not case.access_key:
        message = f"Global settings: aws_access_key is empty, so the platform cannot ask AWS: {remedy}"
        yield finding("credentials-refused", "Global settings", message)
    elif problem:
        yield finding(
            "policy-unread",
            key,
            f"The user of the access key {key} and its policies could not be read, so they were not judged: {problem}",
        )
    elif case.aws and not case.aws.get("user"):
        message = f"Global settings: aws_access_key {key} is not a key of this account, so AWS refuses the platform: {remedy}; {LOGS}"
        yield finding("credentials-refused", key, message)
    elif case.aws:
        user = case.aws["user"]
        statuses = {k["id"]: k["status"] for k in user.get("access_keys") or []}
        status = statuses.get(case.access_key)
        if status and status != "Active":
            message = (
                f"{user['name']}: the access key {key} that the platform holds is {status.lower()}, so AWS refuses the platform: "
                f"activate it, or {remedy}; {LOGS}"
            )
            yield finding("credentials-refused", user["name"], message)


def short(key: str) -> str:
    """An access key ID as it is shown: its end."""
    return f"...{key[-4:]}"


def policies(case: Case) -> Iterator[Finding]:
    """Guide, "Configuring an AWS user and policy": describe, and start and stop what carries the tag."""
    user = case.aws.get("user")
    if not user or not case.host_name:
        return
    name = user["name"]
    attached = list(user.get("policies") or [])
    found = _judged(case, attached)
    detached = [p for p in case.aws.get("detached_policies") or [] if _judged(case, [p]).complete]
    if not attached:
        if detached:
            yield _detached(name, detached)
        else:
            yield finding(
                "policy-missing",
                name,
                f"{name}: no policy is attached to the user, so the platform may not see, start or stop any instance: make the "
                f"guide's policy with the host name {case.host_name} and attach it",
            )
        return
    whose = f"{name}: policy {listed(p['name'] for p in attached)}"
    if found.other_host:
        yield finding(
            "policy-host-name",
            name,
            f"{whose} allows {', '.join(found.other_host)} for the tag {TAG}: {', '.join(found.host_names)}, the Management "
            f"Node's host name is {case.host_name}: name that one",
        )
    wrong = [
        f"{verb} {', '.join(actions)}"
        for verb, actions in (("does not allow", found.missing), ("denies", found.denied))
        if actions
    ]
    if wrong and detached and not found.denied:
        yield _detached(name, detached)
    elif wrong:
        yield finding(
            "policy-actions",
            name,
            f"{whose} {' and '.join(wrong)}: allow ec2:Describe* on everything, and ec2:StartInstances and ec2:StopInstances where "
            f"ec2:ResourceTag/{TAG} is {case.host_name}",
        )
    elif found.unclear:
        yield finding(
            "policy-actions",
            name,
            f"{whose} allows {', '.join(found.unclear)} under a condition that was not judged: check that it holds for the "
            "Management Node, or use the guide's policy",
            severity=WARNING,
        )
    elif found.narrow:
        yield finding(
            "policy-actions",
            name,
            f"{whose} allows less than the guide's ec2:Describe*: allow all of ec2:Describe*",
            severity=WARNING,
        )
    if found.broad:
        yield finding(
            "policy-broad",
            name,
            f"{whose} allows starting and stopping instances that do not carry the tag {TAG}: restrict it by the guide's "
            f"condition ec2:ResourceTag/{TAG}: {case.host_name}",
        )


def _detached(name: str, detached: list[dict]) -> Finding:
    policy = listed(p["name"] for p in detached)
    message = f"{name}: the policy {policy} allows what bursting takes and is not attached to the user: attach it"
    return finding("policy-detached", name, message)


def _judged(case: Case, found: list[dict]) -> Permissions:
    """What policies allow, for the overflow nodes' instances where there are any."""
    arn = (case.aws.get("user") or {}).get("arn") or "arn:aws:iam:::"
    partition, account = arn.split(":")[1], arn.split(":")[4]
    tags = {i["instance_id"]: i.get("tags") or {} for node, i in case.pairs if case.kind(node) == OVERFLOW}
    instances = {
        f"arn:{partition}:ec2:{case.region}:{account}:instance/{ident}": given
        for ident, given in (tags or {"i-00000000000000000": {}}).items()
    }
    return bursting_permissions([p["document"] for p in found], case.host_name, region=case.region, instances=instances)


def what_the_platform_says(case: Case) -> Iterator[Finding]:
    """Issues of the page Status > Cloud Bursting whose cause no other check has found."""
    seen = [*credentials(case), *policies(case)]
    codes = {found["code"] for found in seen}
    explained = any(found["severity"] == ERROR for found in seen)
    looks = f"For what may be the cause see {listed(codes)};" if codes else "User and policies look right from here:"
    for issue in case.issues:
        refused = REFUSED.search(issue)
        if WRONG_KEY.search(issue):
            if "credentials-refused" not in codes:
                yield _wrong_key(case, issue)
        elif refused:
            if not explained:
                what = refused["what"]
                yield finding(
                    "not-authorized",
                    what,
                    f"{what}: the platform says: {issue} {looks} check permissions boundaries and service control policies, and "
                    f"wait a minute after a change; {LOGS}",
                )
        elif not WITHOUT_NODE.search(issue):
            yield finding("platform-issue", "Cloud bursting", f"The platform says: {issue} ({LOGS})")


def _wrong_key(case: Case, issue: str) -> Finding:
    key = short(case.access_key)
    why = (
        "the key is active in this account, so its secret does not fit"
        if case.aws.get("user")
        else "key or secret is wrong"
    )
    message = (
        f"{key}: the platform says: {issue.rstrip('.')}; {why}: set aws_access_key with its aws_secret_key; {LOGS}"
    )
    return finding("credentials-refused", key, message)


def unlisted(case: Case) -> Iterator[Finding]:
    """Guide, "No AWS nodes appear in the Cloud overflow nodes area": the tags are right, and yet a node is not there."""
    asked = case.enabled and (case.settings.get("cloud_provider") or "AWS") == "AWS" and case.host_name
    told = any(not WITHOUT_NODE.search(issue) for issue in case.issues)
    if not asked or told or any(found["severity"] == ERROR for found in (*credentials(case), *policies(case))):
        return
    tagged = [
        (node, instance)
        for node, instance in case.pairs
        if case.kind(node) == OVERFLOW
        and tag(instance, TAG) == case.host_name
        and case.region_of(instance) in ("", case.home)
        and not case.converting(node)
    ]
    absent = [(node, instance) for node, instance in tagged if not case.cloud_node(node).get("name")]
    if absent and not case.cloud_nodes:
        names = ", ".join(node["name"] for node, _instance in absent)
        yield finding(
            "not-listed",
            "Cloud bursting",
            f"The platform lists none of {names}, though their instances carry the tag {TAG}: {case.host_name}, and no error in "
            f"key and policies is seen from here: set aws_secret_key anew, since nobody can read it back, and let the Management "
            f"Node reach the EC2 API of {case.home or 'its region'} (TCP 443); new tags take a minute; {LOGS}",
        )
        return
    for node, instance in absent:
        yield finding(
            "not-listed",
            node["name"],
            f"{node['name']}: instance {instance['instance_id']} carries the tag {TAG}: {case.host_name}, and the platform does not "
            f"list the node: its address {node.get('address')} must be the instance's, which is "
            f"{instance.get('private_ip_address')}; a new tag takes a minute; {LOGS}",
            severity=WARNING,
        )


CHECKS = (enabled, credentials, policies, what_the_platform_says, unlisted)
