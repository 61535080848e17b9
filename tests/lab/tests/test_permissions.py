"""Who may do what in the account: access keys, users and their policies (guide: Configuring an AWS user and policy)."""

import copy
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from pexip_lab.client import Lab
from pexip_lab.network import REGION
from pexip_lab.testing import Account, refused

DESCRIBE = {"Action": ["ec2:Describe*"], "Effect": "Allow", "Resource": "*"}
GUIDE = [
    DESCRIBE,
    {
        "Action": ["ec2:StartInstances", "ec2:StopInstances"],
        "Effect": "Allow",
        "Resource": "*",
        "Condition": {"StringEquals": {"ec2:ResourceTag/pexip-cloud": "manager"}},
    },
]
EVERYTHING = [{"Action": "*", "Effect": "Allow", "Resource": "*"}]
ACCOUNT = "123456789012"
_names = (f"user-{number}" for number in itertools.count())


def document(*statements: dict) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@dataclass
class User:
    """An IAM user with one access key."""

    lab: Lab
    name: str
    key: str
    secret: str

    def client(self, service: str, **options: Any) -> Any:
        credentials = {"aws_access_key_id": self.key, "aws_secret_access_key": self.secret}
        return boto3.client(
            service,
            endpoint_url=self.lab.network.endpoint,
            **{"region_name": REGION, "config": Config(proxies={})} | credentials | options,
        )

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    @property
    def iam(self) -> Any:
        return self.client("iam")

    def may_describe(self) -> bool:
        try:
            self.ec2.describe_instances(MaxResults=5)
        except ClientError as error:
            if error.response["Error"]["Code"] != "UnauthorizedOperation":
                raise
            return False
        return True


@pytest.fixture
def make_user(lab) -> Callable[..., User]:
    def make(*statements: dict) -> User:
        """With an inline policy of these statements, if there are any."""
        name = next(_names)
        lab.iam().create_user(UserName=name)
        if statements:
            lab.iam().put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=document(*statements))
        key = lab.iam().create_access_key(UserName=name)["AccessKey"]
        return User(lab, name, key["AccessKeyId"], key["SecretAccessKey"])

    return make


@pytest.fixture
def policy(lab) -> Callable[..., str]:
    def make(*statements: dict) -> str:
        return lab.iam().create_policy(PolicyName=next(_names), PolicyDocument=document(*statements))["Policy"]["Arn"]

    return make


def stopped(account: Account, tags: dict[str, str]) -> str:
    """A stopped instance with these tags; returns its id."""
    listed = [{"Key": key, "Value": value} for key, value in {"Name": "overflow", **tags}.items()]
    instance = account.launch(account.group(), TagSpecifications=[{"ResourceType": "instance", "Tags": listed}])
    account.await_state(instance, "running")
    account.ec2.stop_instances(InstanceIds=[instance])
    account.await_state(instance, "stopped")
    return instance


def state(account: Account, instance: str) -> str:
    return account.instance(instance)["State"]["Name"]


class TestTheGuidesPolicy:
    @pytest.fixture
    def platform(self, lab, make_user, policy) -> User:
        user = make_user()
        lab.iam().attach_user_policy(UserName=user.name, PolicyArn=policy(*GUIDE))
        return user

    def test_it_starts_and_stops_what_carries_the_tag(self, account, platform):
        instance = stopped(account, {"pexip-cloud": "manager"})
        platform.ec2.start_instances(InstanceIds=[instance])
        account.await_state(instance, "running")
        platform.ec2.stop_instances(InstanceIds=[instance])
        account.await_state(instance, "stopped")

    @pytest.mark.parametrize("tags", [{}, {"pexip-cloud": "manager.example.com"}, {"pexip-cloud": "Manager"}])
    def test_it_starts_and_stops_nothing_else(self, account, platform, tags):
        instance = stopped(account, tags)
        with pytest.raises(ClientError) as caught:
            platform.ec2.start_instances(InstanceIds=[instance])
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        error = caught.value.response["Error"]
        assert error["Code"] == "UnauthorizedOperation"
        assert (
            f"arn:aws:iam::{ACCOUNT}:user/{platform.name} is not authorized to perform: ec2:StartInstances"
            in (error["Message"])
        )
        assert f"arn:aws:ec2:{REGION}:{ACCOUNT}:instance/{instance}" in error["Message"]
        assert state(account, instance) == "stopped"

    def test_the_tag_counts_as_it_is_now(self, account, platform):
        instance = stopped(account, {"pexip-cloud": "other"})
        account.ec2.create_tags(Resources=[instance], Tags=[{"Key": "pexip-cloud", "Value": "manager"}])
        platform.ec2.start_instances(InstanceIds=[instance])
        account.await_state(instance, "running")
        account.ec2.delete_tags(Resources=[instance], Tags=[{"Key": "pexip-cloud"}])
        with refused("UnauthorizedOperation"):
            platform.ec2.stop_instances(InstanceIds=[instance])
        assert state(account, instance) == "running"

    def test_all_instances_of_a_request_must_be_allowed(self, account, platform):
        mine, others = stopped(account, {"pexip-cloud": "manager"}), stopped(account, {})
        with refused("UnauthorizedOperation"):
            platform.ec2.start_instances(InstanceIds=[mine, others])
        assert state(account, mine) == "stopped"

    def test_a_dry_run_tells_and_does_nothing(self, account, platform):
        mine, others = stopped(account, {"pexip-cloud": "manager"}), stopped(account, {})
        with refused("DryRunOperation"):
            platform.ec2.start_instances(InstanceIds=[mine], DryRun=True)
        with refused("UnauthorizedOperation"):
            platform.ec2.start_instances(InstanceIds=[others], DryRun=True)
        with refused("DryRunOperation"):
            platform.ec2.describe_instances(DryRun=True)
        assert state(account, mine) == "stopped"
        platform.ec2.start_instances(InstanceIds=[mine], DryRun=False)
        account.await_state(mine, "running")

    def test_it_describes_everything(self, platform):
        assert platform.may_describe()
        platform.ec2.describe_images(Owners=["686087431763"])
        platform.ec2.describe_regions()

    def test_it_neither_creates_nor_deletes(self, account, platform):
        instance = stopped(account, {"pexip-cloud": "manager"})
        with refused("UnauthorizedOperation"):
            platform.ec2.terminate_instances(InstanceIds=[instance])
        with refused("UnauthorizedOperation"):
            platform.ec2.create_tags(Resources=[instance], Tags=[{"Key": "Name", "Value": "mine"}])
        with refused("UnauthorizedOperation"):
            platform.ec2.create_security_group(GroupName="mine", Description="mine")
        with pytest.raises(ClientError) as caught:
            platform.iam.list_users()
        error = caught.value.response["Error"]
        assert error["Code"] == "AccessDenied"
        assert "because no identity-based policy allows the iam:ListUsers action" in error["Message"]


class TestAccessKeys:
    @pytest.mark.parametrize(
        ("service", "call", "unknown", "mismatch"),
        [
            ("ec2", lambda client: client.describe_instances(), "AuthFailure", "AuthFailure"),
            ("iam", lambda client: client.list_users(), "InvalidClientTokenId", "SignatureDoesNotMatch"),
            ("sts", lambda client: client.get_caller_identity(), "InvalidClientTokenId", "SignatureDoesNotMatch"),
        ],
    )
    def test_credentials_that_are_no_good(self, lab, make_user, service, call, unknown, mismatch):
        user = make_user(*EVERYTHING)
        call(user.client(service))
        with refused(mismatch):
            call(user.client(service, aws_secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"))
        with refused(unknown):
            call(user.client(service, aws_access_key_id="AKIAIOSFODNN7EXAMPLE"))
        lab.iam().update_access_key(UserName=user.name, AccessKeyId=user.key, Status="Inactive")
        with refused(unknown):
            call(user.client(service))
        lab.iam().update_access_key(UserName=user.name, AccessKeyId=user.key, Status="Active")
        call(user.client(service))
        lab.iam().delete_access_key(UserName=user.name, AccessKeyId=user.key)
        with refused(unknown):
            call(user.client(service))
        with refused("MissingAuthenticationToken"):
            call(user.client(service, config=Config(signature_version=UNSIGNED, proxies={})))

    def test_a_user_has_two_at_most(self, lab, make_user):
        user = make_user()
        second = lab.iam().create_access_key(UserName=user.name)["AccessKey"]
        assert len(second["SecretAccessKey"]) == 40
        with refused("LimitExceeded"):
            lab.iam().create_access_key(UserName=user.name)
        listed = lab.iam().list_access_keys(UserName=user.name)["AccessKeyMetadata"]
        assert {item["AccessKeyId"] for item in listed} == {user.key, second["AccessKeyId"]}
        assert not any("SecretAccessKey" in item for item in listed)

    def test_the_last_use_tells_the_user(self, lab, make_user):
        user = make_user(DESCRIBE)
        asked = lab.iam().get_access_key_last_used(AccessKeyId=user.key)
        assert asked["UserName"] == user.name
        assert asked["AccessKeyLastUsed"] == {"ServiceName": "N/A", "Region": "N/A"}
        user.ec2.describe_instances()
        used = lab.iam().get_access_key_last_used(AccessKeyId=user.key)["AccessKeyLastUsed"]
        assert (used["ServiceName"], used["Region"]) == ("ec2", REGION)
        assert "LastUsedDate" in used

    def test_nobody_can_be_kept_from_asking_who_he_is(self, make_user):
        user = make_user({"Effect": "Deny", "Action": "*", "Resource": "*"})
        identity = user.client("sts").get_caller_identity()
        assert identity["Arn"] == f"arn:aws:iam::{ACCOUNT}:user/{user.name}"
        assert identity["Account"] == ACCOUNT


class TestWhichPoliciesCount:
    def test_inline(self, make_user):
        assert make_user(DESCRIBE).may_describe()
        assert not make_user().may_describe()

    def test_attached(self, lab, make_user, policy):
        user, arn = make_user(), policy(DESCRIBE)
        assert not user.may_describe()
        lab.iam().attach_user_policy(UserName=user.name, PolicyArn=arn)
        assert user.may_describe()
        lab.iam().detach_user_policy(UserName=user.name, PolicyArn=arn)
        assert not user.may_describe()

    def test_the_default_version(self, lab, make_user, policy):
        user, arn = make_user(), policy(DESCRIBE)
        lab.iam().attach_user_policy(UserName=user.name, PolicyArn=arn)
        nothing = document({"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "*"})
        lab.iam().create_policy_version(PolicyArn=arn, PolicyDocument=nothing)
        assert user.may_describe()
        lab.iam().set_default_policy_version(PolicyArn=arn, VersionId="v2")
        assert not user.may_describe()

    def test_those_of_groups(self, lab, make_user, policy):
        iam, user, group = lab.iam(), make_user(), next(_names)
        iam.create_group(GroupName=group)
        iam.put_group_policy(GroupName=group, PolicyName="inline", PolicyDocument=document(DESCRIBE))
        assert not user.may_describe()
        iam.add_user_to_group(GroupName=group, UserName=user.name)
        assert user.may_describe()
        denial = policy({"Effect": "Deny", "Action": "ec2:*", "Resource": "*"})
        iam.attach_group_policy(GroupName=group, PolicyArn=denial)
        with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
            user.ec2.describe_instances()
        iam.remove_user_from_group(GroupName=group, UserName=user.name)
        assert not user.may_describe()

    def test_the_region(self, make_user):
        home = DESCRIBE | {"Condition": {"StringEquals": {"aws:RequestedRegion": REGION}}}
        user = make_user(home)
        assert user.may_describe()
        with refused("UnauthorizedOperation"):
            user.client("ec2", region_name="us-east-1").describe_instances()

    def test_a_user_may_be_let_at_himself(self, make_user):
        own = {"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": "arn:aws:iam::*:user/${aws:username}"}
        user, other = make_user(own), make_user()
        assert [key["AccessKeyId"] for key in user.iam.list_access_keys()["AccessKeyMetadata"]] == [user.key]
        assert user.iam.get_access_key_last_used(AccessKeyId=user.key)["UserName"] == user.name
        for call in (
            lambda: user.iam.list_access_keys(UserName=other.name),
            lambda: user.iam.get_access_key_last_used(AccessKeyId=other.key),
            lambda: user.iam.create_access_key(UserName=other.name),
        ):
            with refused("AccessDenied"):
                call()

    def test_tagging_what_is_made_asks_for_it(self, make_user):
        make = {"Effect": "Allow", "Action": "ec2:CreateSecurityGroup", "Resource": "*"}
        tagging = {
            "Effect": "Allow",
            "Action": "ec2:CreateTags",
            "Resource": "arn:aws:ec2:*:*:security-group/*",
            "Condition": {
                "StringEquals": {"ec2:CreateAction": "CreateSecurityGroup"},
                "ForAllValues:StringEquals": {"aws:TagKeys": ["Name"]},
            },
        }

        def create(user: User, key: str) -> None:
            user.ec2.create_security_group(
                GroupName=next(_names),
                Description="test",
                TagSpecifications=[{"ResourceType": "security-group", "Tags": [{"Key": key, "Value": "x"}]}],
            )

        with refused("UnauthorizedOperation"):
            create(make_user(make), "Name")
        create(make_user(make, tagging), "Name")
        with refused("UnauthorizedOperation"):
            create(make_user(make, tagging), "Owner")

    def test_a_launch_is_about_all_that_it_takes_and_makes(self, account, make_user):
        """The tags are asked for where they are given alone: the instance has some here, its volume and interface none."""
        ours = {"StringEquals": {"aws:RequestTag/Owner": "me"}}

        def on(action: str, *kinds: str, **condition: dict) -> dict:
            resources = [f"arn:aws:ec2:*:*:{kind}/*" for kind in kinds]
            return {"Effect": "Allow", "Action": f"ec2:{action}", "Resource": resources, **condition}

        taken = ["image", "key-pair", "network-interface", "security-group", "subnet", "volume"]
        allowed = [
            on("RunInstances", *taken),
            on("RunInstances", "instance", Condition=ours),
            on("CreateTags", "instance"),
        ]

        def launch(user: User, kind: str = "instance") -> None:
            tags = [{"ResourceType": kind, "Tags": [{"Key": "Owner", "Value": "me"}]}]
            asks = copy.copy(account)
            asks.ec2 = user.ec2
            asks.launch(account.group(), TagSpecifications=tags)

        launch(make_user(*allowed))
        for kind in taken:
            others = [other for other in taken if other != kind]
            with refused("UnauthorizedOperation"):
                launch(make_user(on("RunInstances", *others), *allowed[1:]))
        with refused("UnauthorizedOperation"):
            launch(make_user(*allowed), "volume")

    def test_who_is_in_a_group_is_the_groups_matter(self, lab, make_user):
        group = next(_names)
        lab.iam().create_group(GroupName=group)
        user = make_user({"Effect": "Allow", "Action": "iam:*", "Resource": f"arn:aws:iam::*:group/{group}"})
        user.iam.add_user_to_group(GroupName=group, UserName=user.name)
        user.iam.remove_user_from_group(GroupName=group, UserName=user.name)


class TestDeletion:
    def test_a_user_keeps_nothing_behind(self, lab, make_user, policy):
        iam, user, group, arn = lab.iam(), make_user(DESCRIBE), next(_names), policy(DESCRIBE)
        iam.create_group(GroupName=group)
        iam.add_user_to_group(GroupName=group, UserName=user.name)
        iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
        iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
        for remove in (
            lambda: iam.delete_access_key(UserName=user.name, AccessKeyId=user.key),
            lambda: iam.remove_user_from_group(GroupName=group, UserName=user.name),
            lambda: iam.delete_user_policy(UserName=user.name, PolicyName="inline"),
            lambda: iam.detach_user_policy(UserName=user.name, PolicyArn=arn),
        ):
            with refused("DeleteConflict"):
                iam.delete_user(UserName=user.name)
            remove()
        iam.delete_user(UserName=user.name)
        with refused("NoSuchEntity"):
            iam.get_user(UserName=user.name)
        iam.delete_policy(PolicyArn=arn)

    def test_a_policy_in_use_stays(self, lab, make_user, policy):
        iam, user, arn = lab.iam(), make_user(), policy(DESCRIBE)
        iam.attach_user_policy(UserName=user.name, PolicyArn=arn)
        with refused("DeleteConflict"):
            iam.delete_policy(PolicyArn=arn)
        iam.detach_user_policy(UserName=user.name, PolicyArn=arn)
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(*GUIDE), SetAsDefault=True)
        with refused("DeleteConflict"):
            iam.delete_policy(PolicyArn=arn)
        iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
        iam.delete_policy(PolicyArn=arn)


@pytest.mark.parametrize(
    "text",
    [
        "<management-node-hostname>",
        json.dumps({"Version": "2012-10-17"}),
        json.dumps({"Version": "2011-01-01", "Statement": EVERYTHING}),
        document({"Effect": "Perhaps", "Action": "*", "Resource": "*"}),
        document({"Effect": "Allow", "Resource": "*"}),
        document({"Effect": "Allow", "Action": "StartInstances", "Resource": "*"}),
        document({"Effect": "Allow", "Action": "ec2:StartInstances"}),
        document(EVERYTHING[0] | {"Condition": {"StringSounds": {"ec2:ResourceTag/pexip-cloud": "manager"}}}),
    ],
)
def test_malformed_documents_are_refused(lab, make_user, text):
    user = make_user()
    with refused("MalformedPolicyDocument"):
        lab.iam().create_policy(PolicyName=next(_names), PolicyDocument=text)
    with refused("MalformedPolicyDocument"):
        lab.iam().put_user_policy(UserName=user.name, PolicyName="inline", PolicyDocument=text)


def test_what_a_key_asked_for_is_remembered(lab, account, make_user):
    user = make_user(DESCRIBE)
    lab.requests(reset=True)
    user.may_describe()
    user.client("sts").get_caller_identity()
    with refused("UnauthorizedOperation"):
        user.ec2.create_security_group(GroupName="mine", Description="mine")
    assert lab.aws_actions() == {
        user.key: ["ec2:CreateSecurityGroup", "ec2:DescribeInstances", "sts:GetCallerIdentity"]
    }
    assert ["ec2:CreateSecurityGroup", "security-group", ""] in lab.aws_asked()[user.key]
    account.ec2.describe_vpcs()
    assert lab.aws_actions()[account.env["AWS_ACCESS_KEY_ID"]] == ["ec2:DescribeVpcs"]
    assert lab.aws_asked()[account.env["AWS_ACCESS_KEY_ID"]] == [["ec2:DescribeVpcs", "*", ""]]
    account.ec2.allocate_address(
        Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": [{"Key": "Owner", "Value": "me"}]}]
    )
    asked = lab.aws_asked()[account.env["AWS_ACCESS_KEY_ID"]]
    assert ["ec2:CreateTags", "elastic-ip", "AllocateAddress"] in asked
    lab.requests(reset=True)
    assert lab.aws_actions() == lab.aws_asked() == {}
