# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A small reader of IAM policy documents: do they let the platform start and stop its overflow nodes?

Guide, "Configuring an AWS user and policy for controlling overflow nodes". It knows what such policies are written with:
Allow and Deny, Action, NotAction, Resource, NotResource, wildcards, and the string conditions. What it cannot judge
(other conditions, policy variables) it calls unclear, never allowed. It does not see permissions boundaries, session
policies and service control policies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

TAG = "pexip-cloud"
DESCRIBE = "ec2:Describe*"
ESSENTIAL = "ec2:DescribeInstances"  # without it the platform sees no instance at all
STEER = ("ec2:StartInstances", "ec2:StopInstances")
RESOURCE_TAG = ("ec2:resourcetag/", "aws:resourcetag/")

ALLOWED, DENIED, UNCLEAR, MISSING = "allowed", "denied", "unclear", "missing"


@dataclass(frozen=True)
class Question:
    """One request: an action on a resource. ``tags`` are the resource's own, None for a request about no resource."""

    action: str
    resource: str = "*"
    tags: Mapping[str, str | None] | None = None
    region: str = ""

    def value(self, key: str) -> tuple[bool, str | None]:
        """Whether a condition key can be known, and its value; None where the request does not carry it."""
        key = key.lower()
        for prefix in RESOURCE_TAG:
            if key.startswith(prefix):
                tags = {name.lower(): value for name, value in (self.tags or {}).items()}
                return True, tags.get(key.removeprefix(prefix))
        if key in ("aws:requestedregion", "ec2:region") and self.region:
            return True, self.region
        return False, None


@dataclass
class Permissions:
    """What a user's policies say about bursting, as lists of actions in the guide's words."""

    missing: list[str] = field(default_factory=list)  # nothing allows them
    denied: list[str] = field(default_factory=list)  # a statement denies them
    unclear: list[str] = field(default_factory=list)  # allowed or denied under a condition that cannot be judged
    other_host: list[str] = field(default_factory=list)  # allowed for another host name only
    host_names: list[str] = field(default_factory=list)  # those other host names
    narrow: bool = False  # less than ec2:Describe*, though ec2:DescribeInstances is in it
    broad: bool = False  # starting or stopping needs no tag at all

    @property
    def complete(self) -> bool:
        """Whether the platform may do all that bursting takes."""
        return not (self.missing or self.denied or self.unclear or self.other_host)


def listed(value: Any) -> list:
    """IAM takes one value for a list of one."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def statements(document: Mapping[str, Any] | str) -> list[Mapping[str, Any]]:
    """The statements of a document, as a dictionary or as JSON; ValueError for what is neither."""
    read = json.loads(document) if isinstance(document, str) else document
    if not isinstance(read, Mapping):
        raise ValueError("a policy document is a JSON object")
    return [statement for statement in listed(read.get("Statement")) if isinstance(statement, Mapping)]


def like(pattern: str, value: str) -> bool:
    """IAM's wildcards: ``*`` for anything, ``?`` for one character; nothing else is special."""
    parts = ("." if char == "?" else ".*" if char == "*" else re.escape(char) for char in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def named(statement: Mapping, key: str, value: str, fold: bool = False) -> bool:
    """Whether ``Action`` or ``Resource`` (or their ``Not`` forms) of a statement take a value in."""
    negated = f"Not{key}" in statement
    patterns = listed(statement.get(f"Not{key}" if negated else key))
    if fold:  # the names of actions know no case
        patterns, value = [str(pattern).lower() for pattern in patterns], value.lower()
    return any(like(str(pattern), value) for pattern in patterns) != negated


def holds(condition: Any, question: Question) -> bool | None:
    """Whether a statement's conditions hold; None when that cannot be judged."""
    verdicts = [
        _compare(operator, listed(expected), *question.value(key))
        for operator, tests in (condition or {}).items()
        for key, expected in tests.items()
    ]
    if False in verdicts:
        return False
    return None if None in verdicts else True


def _compare(operator: str, expected: list, known: bool, value: str | None) -> bool | None:
    """One test. A key that the request does not carry fails a plain test and passes a negated or IfExists one."""
    name = operator.removesuffix("IfExists")
    negated = name.startswith("StringNot")
    match = {
        "StringEquals": lambda want: want == value,
        "StringLike": lambda want: like(want, value or ""),
        "StringEqualsIgnoreCase": lambda want: want.lower() == (value or "").lower(),
    }.get(name.replace("Not", "", 1) if negated else name)
    if match is None or not known or any("${" in str(want) for want in expected):
        return None
    if value is None:
        return negated or name != operator
    return any(match(str(want)) for want in expected) != negated


def judge(read: Iterable[Mapping], question: Question) -> str:
    """What the statements say to one request: a Deny wins, and without an Allow nothing is allowed."""
    verdicts: dict[str, list[bool | None]] = {"Allow": [], "Deny": []}
    for statement in read:
        if named(statement, "Action", question.action, fold=True) and named(statement, "Resource", question.resource):
            verdicts.setdefault(str(statement.get("Effect")), []).append(holds(statement.get("Condition"), question))
    if True in verdicts["Deny"]:
        return DENIED
    if True in verdicts["Allow"]:
        return UNCLEAR if None in verdicts["Deny"] else ALLOWED
    return UNCLEAR if None in verdicts["Allow"] else MISSING


def host_names(read: Iterable[Mapping]) -> list[str]:
    """The values that the statements ask of the tag ``pexip-cloud`` where they allow something."""
    keys = tuple(f"{prefix}{TAG}" for prefix in RESOURCE_TAG)
    found = [
        str(value)
        for statement in read
        if statement.get("Effect") == "Allow"
        for operator, tests in (statement.get("Condition") or {}).items()
        if operator.startswith("String") and "Not" not in operator
        for key, values in tests.items()
        if key.lower() in keys
        for value in listed(values)
    ]
    return list(dict.fromkeys(found))


def bursting_permissions(
    documents: Iterable[Mapping[str, Any] | str],
    host_name: str,
    *,
    region: str = "",
    instances: Mapping[str, Mapping[str, str]],
) -> Permissions:
    """Judge a user's policy documents for a platform.

    :param host_name: the Management Node's, which is the value of the tag ``pexip-cloud``
    :param instances: the overflow nodes' instances, ARN to tags, at least one; their tag ``pexip-cloud`` is taken to be right
    :raises ValueError: a document is no policy
    """
    read = [statement for document in documents for statement in statements(document)]
    others = [name for name in host_names(read) if name != host_name]
    found = Permissions()

    # No action is called so: only a wildcard covers it. A Deny of any single Describe action counts, too.
    whole = judge(read, Question("ec2:DescribeWhatever", region=region))
    essential = judge(read, Question(ESSENTIAL, region=region))
    if any(
        _denies_describing(statement) and holds(statement.get("Condition"), Question("", region=region))
        for statement in read
    ):
        found.denied.append(DESCRIBE)
    elif essential == ALLOWED:
        found.narrow = whole != ALLOWED
    else:
        _sort(found, DESCRIBE, {essential})

    def verdicts(action: str, tag: str | None) -> set[str]:
        """What is said of an action on each of the instances, if its tag had this value."""
        tagged = {arn: {**tags, TAG: tag} for arn, tags in instances.items()}
        return {judge(read, Question(action, arn, tags, region)) for arn, tags in tagged.items()}

    for action in STEER:
        granted = verdicts(action, host_name)
        found.broad = found.broad or verdicts(action, None) == {ALLOWED}
        wrong = [name for name in others if verdicts(action, name) == {ALLOWED}] if granted == {MISSING} else []
        if wrong:
            found.other_host.append(action)
            found.host_names = list(dict.fromkeys([*found.host_names, *wrong]))
        else:
            _sort(found, action, granted)
    return found


def _denies_describing(statement: Mapping) -> bool:
    """Whether a statement denies all or some of ec2:Describe*."""
    if statement.get("Effect") != "Deny" or not named(statement, "Resource", "*"):
        return False
    if "NotAction" in statement:
        return named(statement, "Action", ESSENTIAL, fold=True)
    patterns = [str(pattern).lower() for pattern in listed(statement.get("Action"))]
    return any(pattern.startswith("ec2:describe") or like(pattern, ESSENTIAL.lower()) for pattern in patterns)


def _sort(found: Permissions, action: str, verdicts: set[str]) -> None:
    """Put an action where the worst of its verdicts says."""
    for verdict, actions in ((DENIED, found.denied), (MISSING, found.missing), (UNCLEAR, found.unclear)):
        if verdict in verdicts:
            actions.append(action)
            return
