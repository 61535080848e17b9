"""The AWS account, where moto alone would differ from AWS."""

import os
import subprocess

import pytest
from pexip_lab.aws.images import IMAGES, pexip_image
from pexip_lab.testing import CONFERENCING_IMAGE, EVERYONE, MANAGEMENT_IMAGE, OTHER_IMAGE, Account, refused, tcp

PEXIP = "686087431763"
ESP = {"IpProtocol": "50", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}


def test_images_of_pexip_are_listed_by_owner_and_name(account):
    found = account.ec2.describe_images(
        Owners=[PEXIP], Filters=[{"Name": "name", "Values": ["Pexip Infinity Management Node 11.0.0*"]}]
    )["Images"]
    assert {(image["Name"], image["OwnerId"]) for image in found} == {
        ("Pexip Infinity Management Node 11.0.0 (build 26902.0.0)", PEXIP),
        ("Pexip Infinity Management Node 11.0.0 (build 26850.0.0)", PEXIP),
    }


def test_a_look_alike_of_another_owner_is_there(account):
    name = "Pexip Infinity Management Node 11.0.0 (build 99999.0.0)"
    (image,) = account.ec2.describe_images(Filters=[{"Name": "name", "Values": [name]}])["Images"]
    assert image["OwnerId"] != PEXIP


@pytest.mark.parametrize("instance_type", ["m4.large", "c4.2xlarge", "m5.large", "c5.2xlarge"])
def test_the_region_offers_the_recommended_types(account, instance_type):
    offers = account.ec2.describe_instance_type_offerings(
        Filters=[{"Name": "instance-type", "Values": [instance_type]}]
    )["InstanceTypeOfferings"]
    assert [offer["Location"] for offer in offers] == ["eu-west-1"]


def test_the_subnets_give_no_public_address_by_themselves(account):
    ids = [account.env["LAB_SUBNET_A"], account.env["LAB_SUBNET_B"]]
    subnets = account.ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    assert {item["AvailabilityZone"] for item in subnets} == {"eu-west-1a", "eu-west-1b"}
    assert not any(item["MapPublicIpOnLaunch"] for item in subnets)


class TestSecurityGroups:
    def permissions(self, account, group):
        return account.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]

    def test_esp_has_no_ports(self, account):
        group = account.group(ESP)
        (rule,) = self.permissions(account, group)
        assert rule["IpProtocol"] == "50"
        assert rule["IpRanges"] == [{"CidrIp": "10.0.0.0/8"}]
        assert "FromPort" not in rule

    def test_esp_from_a_group(self, account):
        group = account.group()
        pair = {"IpProtocol": "50", "FromPort": -1, "ToPort": -1, "UserIdGroupPairs": [{"GroupId": group}]}
        account.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[pair])
        assert self.permissions(account, group)[0]["UserIdGroupPairs"][0]["GroupId"] == group
        rules = account.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        (rule,) = [item for item in rules["SecurityGroupRules"] if not item["IsEgress"]]
        assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("50", -1, -1)

    @pytest.mark.parametrize(
        "again",
        [
            ESP,
            ESP | {"FromPort": -1, "ToPort": -1},
            ESP | {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "another"}]},
        ],
    )
    def test_the_same_rule_twice_is_an_error(self, account, again):
        group = account.group(ESP)
        with refused("InvalidPermission.Duplicate"):
            account.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[again])

    def test_esp_is_revoked(self, account):
        group = account.group(ESP)
        account.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[ESP])
        assert self.permissions(account, group) == []
        with refused("InvalidPermission.NotFound"):
            account.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[ESP])

    def test_tcp_needs_ports(self, account):
        with refused("InvalidParameterValue"):
            account.group({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": EVERYONE}]})

    def test_an_unknown_protocol_is_refused(self, account):
        with refused("InvalidParameterValue"):
            account.group({"IpProtocol": "esp", "IpRanges": [{"CidrIp": EVERYONE}]})

    @pytest.mark.parametrize(
        "given",
        [{"GroupName": "sg-nodes"}, {"GroupName": "nodes <b>"}, {"Description": "Pexip's"}, {"GroupName": "n" * 256}],
    )
    def test_names_that_aws_does_not_take_are_refused(self, account, given):
        with refused("InvalidParameterValue"):
            account.ec2.create_security_group(
                **{"GroupName": "nodes", "Description": "of a test", "VpcId": account.vpc_id, **given}
            )

    def test_a_group_in_use_is_not_deleted(self, account):
        group = account.group()
        instance = account.launch(group)
        with refused("DependencyViolation"):
            account.ec2.delete_security_group(GroupId=group)
        account.ec2.terminate_instances(InstanceIds=[instance])
        account.await_state(instance, "terminated")
        account.ec2.delete_security_group(GroupId=group)


class TestLaunch:
    def test_tenancy_is_kept(self, account):
        instance = account.launch(account.group(), Placement={"Tenancy": "dedicated"})
        assert account.instance(instance)["Placement"]["Tenancy"] == "dedicated"
        assert account.instance(account.launch(account.group()))["Placement"]["Tenancy"] == "default"

    def test_a_client_token_launches_once(self, account):
        group, token = account.group(), os.urandom(8).hex()
        first = account.launch(group, ClientToken=token)
        assert account.launch(group, ClientToken=token) == first
        with refused("IdempotentParameterMismatch"):
            account.launch(group, ClientToken=token, InstanceType="c4.4xlarge")

    def test_an_address_is_taken_once(self, account):
        address = account.env["LAB_NETWORK"].replace("0.0/16", "7.77")
        account.launch(account.group(), private_ip=address)
        with refused("InvalidIPAddress.InUse"):
            account.launch(account.group(), private_ip=address)

    @pytest.mark.parametrize("host", ["0.0", "0.3", "15.255", "16.20"])
    def test_reserved_and_foreign_addresses_are_refused(self, account, host):
        address = account.env["LAB_NETWORK"].replace("0.0/16", host)
        with refused("InvalidParameterValue"):
            account.launch(account.group(), private_ip=address)

    def test_an_unknown_group_is_refused(self, account):
        with refused("InvalidGroup.NotFound"):
            account.launch("sg-0123456789abcdef0")

    def test_an_unknown_type_is_refused(self, account):
        with refused("InvalidInstanceType.NotFound"):
            account.launch(account.group(), InstanceType="z9.mega")

    def test_a_type_that_the_zone_does_not_offer_is_refused(self, account):
        with refused("Unsupported"):  # the region has it
            account.launch(account.group(), InstanceType="a1.2xlarge")

    @pytest.mark.parametrize("given", ["SecurityGroupIds", "PrivateIpAddress"])
    def test_what_the_interfaces_say_is_not_said_of_the_instance_too(self, account, given):
        group, address = account.group(), account.env["LAB_NETWORK"].replace("0.0/16", "7.79")
        again = {"SecurityGroupIds": [group], "PrivateIpAddress": address}
        with refused("InvalidParameterCombination"):
            account.launch(group, **{given: again[given]})

    def test_an_unknown_tenancy_is_refused(self, account):
        with refused("InvalidParameterValue"):
            account.launch(account.group(), Placement={"Tenancy": "exclusive"})

    def test_a_failed_launch_leaves_nothing(self, account):
        before = len(account.ec2.describe_instances()["Reservations"])
        with refused("InvalidParameterValue"):
            account.launch(account.group(), private_ip="10.1.1.1")
        assert len(account.ec2.describe_instances()["Reservations"]) == before

    def test_termination_protection_holds(self, account):
        instance = account.launch(account.group(), DisableApiTermination=True)
        with refused("OperationNotPermitted"):
            account.ec2.terminate_instances(InstanceIds=[instance])


def test_the_groups_of_an_instance_are_those_of_its_interface(account):
    first, second = account.group(), account.group()
    instance = account.launch(first)

    def groups() -> tuple[list[str], list[str]]:
        found = account.instance(instance)
        return tuple(
            [group["GroupId"] for group in holder]
            for holder in (found["SecurityGroups"], found["NetworkInterfaces"][0]["Groups"])
        )

    assert groups() == ([first], [first])
    account.ec2.modify_instance_attribute(InstanceId=instance, Groups=[second])
    assert groups() == ([second], [second])


@pytest.mark.parametrize("key", ["aws:owner", "AWS:owner"])
def test_tags_of_aws_own_are_refused(account, key):
    instance = account.launch(account.group())
    with refused("InvalidParameterValue"):
        account.ec2.create_tags(Resources=[instance], Tags=[{"Key": key, "Value": "video"}])


def test_an_instance_that_is_not_there_takes_no_tag(account):
    with refused("InvalidInstanceID.NotFound"):
        account.ec2.create_tags(Resources=["i-0123456789abcdef0"], Tags=[{"Key": "owner", "Value": "video"}])


class TestStates:
    def test_changes_take_time(self, another_lab):
        account = Account(another_lab(time_scale=20))
        instance = account.launch(account.group())
        assert account.instance(instance)["State"]["Name"] == "pending"
        account.await_state(instance, "running")
        account.ec2.stop_instances(InstanceIds=[instance])
        with refused("IncorrectInstanceState"):
            account.ec2.start_instances(InstanceIds=[instance])
        account.await_state(instance, "stopped")
        account.ec2.start_instances(InstanceIds=[instance])
        account.await_state(instance, "running")

    def test_a_terminated_instance_gives_its_address_back(self, account):
        group = account.group()
        address = account.env["LAB_NETWORK"].replace("0.0/16", "7.78")
        first = account.launch(group, private_ip=address)
        account.ec2.terminate_instances(InstanceIds=[first])
        gone = account.await_state(first, "terminated")
        assert "PrivateIpAddress" not in gone
        assert gone["NetworkInterfaces"] == []
        assert account.address(account.launch(group, private_ip=address)) == address


class TestPublicAddresses:
    def test_a_dynamic_address_changes_over_stop_and_start(self, account):
        instance = account.launch(account.group(), public=True)
        before = account.await_state(instance, "running")["PublicIpAddress"]
        account.ec2.stop_instances(InstanceIds=[instance])
        assert "PublicIpAddress" not in account.await_state(instance, "stopped")
        account.ec2.start_instances(InstanceIds=[instance])
        running = account.await_state(instance, "running")
        assert running["PublicIpAddress"] != before
        (interface,) = running["NetworkInterfaces"]
        assert interface["Association"]["IpOwnerId"] == "amazon"

    @pytest.mark.parametrize("public", [True, False])
    def test_an_elastic_address_stays(self, account, public):
        instance = account.launch(account.group(), public=public)
        account.await_state(instance, "running")
        elastic = account.ec2.allocate_address(Domain="vpc")
        account.ec2.associate_address(InstanceId=instance, AllocationId=elastic["AllocationId"])
        account.ec2.stop_instances(InstanceIds=[instance])
        assert account.await_state(instance, "stopped")["PublicIpAddress"] == elastic["PublicIp"]
        account.ec2.start_instances(InstanceIds=[instance])
        running = account.await_state(instance, "running")
        assert running["PublicIpAddress"] == elastic["PublicIp"]
        (interface,) = running["NetworkInterfaces"]
        assert interface["Association"]["IpOwnerId"] != "amazon"
        account.ec2.terminate_instances(InstanceIds=[instance])
        account.await_state(instance, "terminated")
        (left,) = account.ec2.describe_addresses(AllocationIds=[elastic["AllocationId"]])["Addresses"]
        assert "AssociationId" not in left

    def test_an_elastic_address_takes_the_place_of_another_which_stays_allocated(self, account):
        instance = account.launch(account.group())
        account.await_state(instance, "running")
        first, second = (account.ec2.allocate_address(Domain="vpc") for _address in range(2))
        for elastic in (first, second):
            account.ec2.associate_address(
                InstanceId=instance, AllocationId=elastic["AllocationId"], AllowReassociation=False
            )
        assert account.await_state(instance, "running")["PublicIpAddress"] == second["PublicIp"]
        identities = [elastic["AllocationId"] for elastic in (first, second)]
        left = account.ec2.describe_addresses(AllocationIds=identities)["Addresses"]
        assert [address.get("InstanceId") or None for address in left] == [None, instance]
        assert ["AssociationId" in address for address in left] == [False, True]

    def test_an_instance_that_is_pending_takes_none(self, another_lab):
        account = Account(another_lab(time_scale=20))
        elastic = account.ec2.allocate_address(Domain="vpc")["AllocationId"]
        instance = account.launch(account.group())
        with refused("InvalidInstanceID"):
            account.ec2.associate_address(InstanceId=instance, AllocationId=elastic)
        account.await_state(instance, "running")
        account.ec2.associate_address(InstanceId=instance, AllocationId=elastic)

    @pytest.mark.parametrize(("asked", "public"), [({}, True), ({"AssociatePublicIpAddress": False}, False)])
    def test_a_subnet_may_give_one_to_every_new_instance_that_does_not_say_otherwise(self, account, asked, public):
        vpc = account.ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
        subnet = account.ec2.create_subnet(VpcId=vpc, CidrBlock="10.77.0.0/24")["Subnet"]["SubnetId"]
        account.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
        (instance,) = account.ec2.run_instances(
            ImageId=OTHER_IMAGE,
            InstanceType="m4.large",
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnet, **asked}],
        )["Instances"]
        assert ("PublicIpAddress" in account.await_state(instance["InstanceId"], "running")) is public


def test_the_private_key_fits_the_key_pair(account: Account):
    public = subprocess.run(
        ["ssh-keygen", "-y", "-f", account.env["LAB_KEY_FILE"]], capture_output=True, text=True, check=True
    ).stdout.split()
    (pair,) = account.ec2.describe_key_pairs(KeyNames=["lab-key"], IncludePublicKey=True)["KeyPairs"]
    assert pair["PublicKey"].split()[:2] == public[:2]
    assert os.stat(account.env["LAB_KEY_FILE"]).st_mode & 0o777 == 0o600


def test_requests_are_counted_by_action(lab, account):
    lab.requests(reset=True)
    account.ec2.describe_vpcs()
    account.ec2.describe_vpcs()
    assert lab.requests() == {"aws DescribeVpcs": 2}
    assert lab.writes() == 0
    account.group(tcp(22))
    assert lab.writes() == 2


def test_kinds_by_owner_and_name():
    kinds = {identity: pexip_image(owner, name) for identity, owner, name in IMAGES}
    assert kinds[MANAGEMENT_IMAGE].kind == "management"
    assert kinds[CONFERENCING_IMAGE].full_version == "11.0.0 (26902.0.0)"
    assert kinds["ami-0badbadbadbad0001"] is None
    assert pexip_image(PEXIP, "Pexip Infinity Configuration Node 10 build 1").kind == "conferencing"
