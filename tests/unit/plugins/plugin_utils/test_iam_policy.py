# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reader of IAM policies: the guide's document, and each way in which one can differ from it."""

from __future__ import annotations

import json

import pytest
from ansible_collections.pexip.infinity.plugins.plugin_utils.iam_policy import (
    ALLOWED,
    DENIED,
    MISSING,
    UNCLEAR,
    Permissions,
    Question,
    bursting_permissions,
    judge,
    like,
    statements,
)

START, STOP = "ec2:StartInstances", "ec2:StopInstances"
ARN = "arn:aws:ec2:eu-west-1:123456789012:instance/i-1"
TAGGED = {"ec2:ResourceTag/pexip-cloud": "manager"}


def statement(*actions, effect="Allow", resource="*", condition=None, **other):
    made = {"Effect": effect, "Action": list(actions), "Resource": resource, **other}
    return {**made, "Condition": condition} if condition else made


def document(*made):
    return {"Version": "2012-10-17", "Statement": list(made)}


DESCRIBE = statement("ec2:Describe*")
STEER = statement(START, STOP, condition={"StringEquals": TAGGED})
GUIDE = document(DESCRIBE, STEER)


def read(*documents, host_name="manager", tags=None):
    return bursting_permissions(documents, host_name, region="eu-west-1", instances={ARN: tags or {"Name": "burst01"}})


def test_the_guides_policy_is_complete():
    found = read(GUIDE)
    assert found.complete and found == Permissions()


def test_a_document_may_be_json_and_a_list_of_one_a_value():
    made = {"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": ["*"]}, STEER]}
    assert read(json.dumps(made)).complete
    assert statements({"Statement": DESCRIBE}) == [DESCRIBE]


@pytest.mark.parametrize("broken", ["no json", "[]", '"text"'])
def test_what_is_no_document_is_an_error(broken):
    with pytest.raises(ValueError):  # noqa: PT011 - json and we word it differently
        read(broken)


def test_several_documents_count_together():
    assert read(document(DESCRIBE), document(STEER)).complete
    assert read(document(DESCRIBE)).missing == [START, STOP]
    assert read(document(STEER)).missing == ["ec2:Describe*"]
    assert read().missing == ["ec2:Describe*", START, STOP]


def test_another_host_name_is_told_apart_from_missing_actions():
    found = read(GUIDE, host_name="manager2")
    assert (found.other_host, found.host_names, found.missing) == ([START, STOP], ["manager"], [])
    assert not found.complete


def test_a_wildcard_in_stringequals_is_no_wildcard():
    wild = statement(START, STOP, condition={"StringEquals": {"ec2:ResourceTag/pexip-cloud": "man*"}})
    found = read(document(DESCRIBE, wild))
    assert (found.other_host, found.host_names) == ([START, STOP], ["man*"])


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"ec2:ResourceTag/pexip-cloud": "man*"}},
        {"StringEquals": {"aws:ResourceTag/pexip-cloud": ["other", "manager"]}},
        {"StringEquals": {"EC2:resourcetag/Pexip-Cloud": "manager"}},
        {"StringEqualsIgnoreCase": {"ec2:ResourceTag/pexip-cloud": "MANAGER"}},
        {"StringEquals": {**TAGGED, "aws:RequestedRegion": "eu-west-1"}},
        {"StringEquals": TAGGED, "StringNotEquals": {"ec2:ResourceTag/Team": "finance"}},
        {"StringEqualsIfExists": {**TAGGED, "ec2:ResourceTag/Team": "video"}},
    ],
)
def test_conditions_that_hold(condition):
    assert read(document(DESCRIBE, statement(START, STOP, condition=condition))).complete


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {**TAGGED, "aws:RequestedRegion": "us-east-1"}},
        {"StringEquals": {**TAGGED, "ec2:ResourceTag/Team": "video"}},
        {"StringNotEquals": TAGGED},
        {"StringNotLike": {"ec2:ResourceTag/pexip-cloud": "man*"}},
    ],
)
def test_conditions_that_do_not(condition):
    assert read(document(DESCRIBE, statement(START, STOP, condition=condition))).missing == [START, STOP]


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {**TAGGED, "aws:PrincipalTag/team": "video"}},
        {"StringEquals": {"ec2:ResourceTag/pexip-cloud": "${aws:PrincipalTag/host}"}},
        {"ForAnyValue:StringEquals": TAGGED},
    ],
)
def test_conditions_that_cannot_be_judged_are_unclear(condition):
    found = read(document(DESCRIBE, statement(START, STOP, condition=condition)))
    assert (found.unclear, found.complete) == ([START, STOP], False)


def test_a_deny_wins_over_an_allow():
    found = read(GUIDE, document(statement(STOP, effect="Deny")))
    assert (found.denied, found.missing) == ([STOP], [])


@pytest.mark.parametrize("action", ["ec2:*", "*", "ec2:DescribeRegions", "EC2:describe*"])
def test_a_deny_of_any_description_counts(action):
    assert "ec2:Describe*" in read(GUIDE, document(statement(action, effect="Deny"))).denied


def test_a_deny_that_is_about_something_else_does_not():
    elsewhere = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    others = {"StringNotEquals": TAGGED}
    assert read(GUIDE, document(statement("*", effect="Deny", condition=elsewhere))).complete
    assert read(GUIDE, document(statement(START, STOP, effect="Deny", condition=others))).complete
    assert read(GUIDE, document({"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"})).complete


def test_a_deny_of_everything_but_some_services_counts():
    assert read(GUIDE, document({"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"})).denied == [
        "ec2:Describe*",
        START,
        STOP,
    ]


def test_a_deny_that_cannot_be_judged_makes_unclear():
    found = read(GUIDE, document(statement(START, effect="Deny", condition={"Bool": {"aws:SecureTransport": "false"}})))
    assert (found.unclear, found.denied) == ([START], [])


@pytest.mark.parametrize("actions", [["*"], ["ec2:*"], ["ec2:Describe*", "EC2:St??tInstances", "ec2:Stop*"]])
def test_wildcards_allow_and_a_missing_condition_is_broad(actions):
    found = read(document(statement(*actions)))
    assert found.complete and found.broad


def test_notaction_allows_the_rest():
    found = read(document({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}))
    assert found.complete and found.broad


def test_less_than_all_descriptions_is_narrow_not_missing():
    found = read(document(statement("ec2:DescribeInstances", "ec2:DescribeInstanceStatus"), STEER))
    assert found.complete and found.narrow
    assert read(document(statement("ec2:DescribeInstanceStatus"), STEER)).missing == ["ec2:Describe*"]


def test_descriptions_under_the_tags_condition_are_missing():
    """A common slip: all actions in one statement. A request for descriptions is about no instance, so it has no tag."""
    one = statement("ec2:Describe*", START, STOP, condition={"StringEquals": TAGGED})
    assert read(document(one)).missing == ["ec2:Describe*"]


@pytest.mark.parametrize(
    ("resource", "fine"),
    [
        ("arn:aws:ec2:*:*:instance/*", True),
        ("arn:aws:ec2:eu-west-1:123456789012:instance/*", True),
        (["arn:aws:s3:::bucket", ARN], True),
        ("arn:aws:ec2:us-east-1:*:instance/*", False),
        ("arn:aws:ec2:*:*:volume/*", False),
    ],
)
def test_resources_count(resource, fine):
    made = document(DESCRIBE, statement(START, STOP, resource=resource, condition={"StringEquals": TAGGED}))
    assert read(made).complete is fine


def test_what_is_allowed_on_one_instance_of_two_only_is_missing():
    one = document(DESCRIBE, statement(START, STOP, resource=ARN, condition={"StringEquals": TAGGED}))
    both = {ARN: {}, ARN.replace("i-1", "i-2"): {}}
    assert bursting_permissions([one], "manager", region="eu-west-1", instances=both).missing == [START, STOP]


def test_judging_single_requests():
    rules = [DESCRIBE, STEER]
    assert judge(rules, Question("ec2:describeinstances")) == ALLOWED
    assert judge(rules, Question(START, ARN, {"pexip-cloud": "manager"})) == ALLOWED
    assert judge(rules, Question(START, ARN, {"pexip-cloud": "other"})) == MISSING
    assert judge(rules, Question("ec2:TerminateInstances", ARN, {"pexip-cloud": "manager"})) == MISSING
    assert judge([*rules, statement("*", effect="Deny")], Question("ec2:DescribeInstances")) == DENIED
    assert judge([statement("*", condition={"Null": {"a": "true"}})], Question("ec2:DescribeInstances")) == UNCLEAR


def test_wildcards_are_iams():
    assert like("a*c?", "abbcd") and like("[x]", "[x]") and not like("[x]", "x") and not like("a?", "a")
