"""Identity-based policies, against what AWS documents (IAM User Guide: Policy evaluation logic, JSON policy elements)."""

import pytest
from pexip_lab.aws.policies import Question, Verdict, judge, like

START = "ec2:StartInstances"
INSTANCE = "arn:aws:ec2:eu-west-1:123456789012:instance/i-0123456789abcdef0"


def statement(effect: str = "Allow", **elements: object) -> dict:
    return {"Effect": effect, **(elements or {"Action": "*", "Resource": "*"})}


def verdict(*statements: dict, action: str = START, resource: str = INSTANCE, **context: object) -> Verdict:
    values = {key: (value,) if isinstance(value, str) else value for key, value in context.items()}
    question = Question(action, resource, {key.replace("__", "/").replace("_", ":"): v for key, v in values.items()})
    return judge([{"Version": "2012-10-17", "Statement": list(statements)}], question)


def conditional(operator: str, key: str, value: object, effect: str = "Allow") -> dict:
    return {"Effect": effect, "Action": "*", "Resource": "*", "Condition": {operator: {key: value}}}


def allows(*statements: dict, **request: object) -> bool:
    return verdict(*statements, **request) is Verdict.ALLOWED


def test_nothing_is_allowed_by_itself():
    assert verdict() is Verdict.UNMENTIONED


def test_a_deny_goes_before_every_allow():
    assert verdict(statement(), statement("Deny", Action=START, Resource="*")) is Verdict.DENIED
    assert verdict(statement("Deny"), statement()) is Verdict.DENIED


def test_a_single_statement_needs_no_list():
    assert judge([{"Statement": statement()}], Question(START)) is Verdict.ALLOWED


def test_policies_count_together():
    documents = [{"Statement": [statement(Action="ec2:Describe*", Resource="*")]}, {"Statement": [statement()]}]
    assert judge(documents, Question(START)) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        (START, True),
        ("EC2:startinstances", True),
        ("ec2:Start*", True),
        ("ec2:S?artInstances", True),
        ("*", True),
        (["ec2:StopInstances", "ec2:StartInstances"], True),
        ("ec2:StartInstance", False),
        ("ec2:Describe*", False),
        ("iam:*", False),
    ],
)
def test_actions(pattern, matches):
    assert allows(statement(Action=pattern, Resource="*")) == matches
    assert allows(statement(NotAction=pattern, Resource="*")) != matches


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ("*", True),
        (INSTANCE, True),
        ("arn:aws:ec2:*:*:instance/*", True),
        ("arn:aws:ec2:eu-west-?:123456789012:instance/i-*", True),
        ("arn:aws:ec2:us-east-1:*:instance/*", False),
        ("arn:aws:ec2:*:*:Instance/*", False),
    ],
)
def test_resources(pattern, matches):
    assert allows(statement(Action="*", Resource=pattern)) == matches
    assert allows(statement(Action="*", NotResource=pattern)) != matches


def test_other_characters_are_no_wildcards():
    assert not like("a.c", "abc")
    assert not like("[ab]", "a")
    assert like("a*", "a\nb")


TAG = "ec2:ResourceTag/pexip-cloud"


@pytest.mark.parametrize(
    ("operator", "wanted", "tag", "holds"),
    [
        ("StringEquals", "manager", "manager", True),
        ("StringEquals", "manager", "Manager", False),
        ("StringEquals", "manager", "manager.example.com", False),
        ("StringEquals", ["other", "manager"], "manager", True),
        ("StringEquals", "man*", "manager", False),
        ("StringEquals", "manager", None, False),
        ("StringNotEquals", "manager", "other", True),
        ("StringNotEquals", "manager", "manager", False),
        ("StringNotEquals", "manager", None, True),
        ("StringEqualsIgnoreCase", "manager", "MANAGER", True),
        ("StringNotEqualsIgnoreCase", "manager", "MANAGER", False),
        ("StringLike", "man*", "manager", True),
        ("StringLike", ["x*", "m?nager"], "manager", True),
        ("StringLike", "man", "manager", False),
        ("StringLike", "*", None, False),
        ("StringNotLike", "man*", "manager", False),
        ("StringEqualsIfExists", "manager", None, True),
        ("StringEqualsIfExists", "manager", "other", False),
        ("Null", "true", None, True),
        ("Null", "true", "manager", False),
        ("Null", "false", "manager", True),
        ("NumericEquals", "1", "1", False),
        ("Sounds:StringEquals", "manager", "manager", False),
    ],
)
def test_conditions(operator, wanted, tag, holds):
    context = {} if tag is None else {"ec2_resourcetag__pexip-cloud": tag}
    assert allows(conditional(operator, TAG, wanted), **context) == holds


def test_every_line_of_a_condition_must_hold():
    both = conditional("StringEquals", TAG, "manager")
    both["Condition"]["StringEquals"]["aws:RequestedRegion"] = "eu-west-1"
    both["Condition"]["Bool"] = {"aws:SecureTransport": False}
    there = {"ec2_resourcetag__pexip-cloud": "manager", "aws_requestedregion": "eu-west-1"}
    assert allows(both, **there, aws_securetransport="false")
    assert not allows(both, **there, aws_securetransport="true")
    assert not allows(both, **there | {"aws_requestedregion": "us-east-1"}, aws_securetransport="false")


@pytest.mark.parametrize(
    ("operator", "keys", "holds"),
    [
        ("ForAllValues:StringEquals", ("Name", "pexip-cloud"), True),
        ("ForAllValues:StringEquals", ("Name", "other"), False),
        ("ForAllValues:StringEquals", None, True),
        ("ForAnyValue:StringEquals", ("other", "Name"), True),
        ("ForAnyValue:StringEquals", ("other",), False),
        ("ForAnyValue:StringEquals", None, False),
    ],
)
def test_keys_of_several_values(operator, keys, holds):
    context = {} if keys is None else {"aws_tagkeys": keys}
    assert allows(conditional(operator, "aws:TagKeys", ["Name", "pexip-cloud"]), **context) == holds


def test_policy_variables():
    own = statement(Action="iam:*", Resource="arn:aws:iam::*:user/${aws:username}")
    user = {"action": "iam:ListAccessKeys", "resource": "arn:aws:iam::123456789012:user/pexip"}
    assert allows(own, **user, aws_username="pexip")
    assert not allows(own, **user, aws_username="other")
    assert not allows(own, **user)
