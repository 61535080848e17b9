# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook deploy_management from an empty account on, judged by EC2 and by the platform itself."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest

CONFIGURATION = "/api/admin/configuration/v1"
ROLE = "pexip.infinity.management_node"


def instances(lab, *states: str) -> list[dict]:
    """Instances that are in one of the states, by default all that live."""
    wanted = list(states or ("pending", "running", "stopping", "stopped"))
    found = lab.ec2().describe_instances(Filters=[{"Name": "instance-state-name", "Values": wanted}])
    return [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]


def tags(resource: dict) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def objects(lab, resource: str) -> list[dict]:
    return lab.api(f"{CONFIGURATION}/{resource}/?limit=100")["objects"]


def locations(lab) -> dict[str, dict]:
    return {location["name"]: location for location in objects(lab, "system_location")}


def without_host(inventory: dict) -> dict:
    """An inventory whose Management Node is to be found by its tags."""
    changed = copy.deepcopy(inventory)
    for name in ("pexip_host", "pexip_tls_fingerprint"):
        changed["all"]["vars"].pop(name, None)
    return changed


def on_manager(*steps: dict, host: str = "pexip_management") -> list[dict]:
    """A playbook of those tasks."""
    return [{"name": "Test", "hosts": host, "gather_facts": False, "tasks": list(steps)}]


def role(name: str, **more) -> dict:
    return {"name": name, "ansible.builtin.include_role": {"name": name, **more}}


# The private deployment, step by step: each test takes the account as the one before it left it.


@pytest.fixture(scope="module")
def private(lab_factory):
    """An account that is empty when the first test comes."""
    with lab_factory() as lab:
        yield lab


class TestPrivate:
    def test_check_on_an_empty_account_says_what_it_would_do_and_writes_nothing(self, private, play):
        private.requests(reset=True)
        run = play(private, "deploy_management", check=True).succeeded()
        assert private.writes() == 0
        (table,) = run.results("Tell what would be done")
        rows = " | ".join(table["msg"])
        for said in ("pexip-nodes", "launch m4.large", "install", "London", "Oslo"):
            assert said in rows

    def test_a_run_that_ends_half_way_names_the_command_that_resumes(self, private, play):
        run = play(private, "deploy_management", extra_vars={"management_node_install_timeout": 0}).failed()
        assert len(instances(private)) == 1
        *_rest, last = run.failures[-1].splitlines()
        assert last.startswith("ansible-playbook -i ") and last.endswith(" pexip.infinity.deploy_management")

    def test_the_next_run_goes_on_with_the_same_instance(self, private, play):
        (before,) = instances(private)
        run = play(private, "deploy_management", "-vvvv", extra_vars={"pexip_tags": {"owner": "video"}}).succeeded()
        (instance,) = instances(private)
        assert instance["InstanceId"] == before["InstanceId"]
        assert (instance["State"]["Name"], instance["InstanceType"]) == ("running", "m4.large")
        assert instance["KeyName"] == private.env["LAB_KEY_NAME"] and "PublicIpAddress" not in instance
        assert [group["GroupName"] for group in instance["SecurityGroups"]] == ["pexip-nodes"]
        fingerprint = run.results("Install the Management Node")[-1]["installation"]["tls_fingerprint"]
        assert tags(instance) == {
            "Name": "manager",
            "pexip-infinity-node": "manager",
            "pexip-infinity-platform": "manager",
            "pexip-infinity-role": "management",
            "pexip-infinity-tls-fingerprint": fingerprint,
            "owner": "video",
        }
        assert fingerprint in run.results("Show the certificate")[0]["msg"]
        (image,) = private.ec2().describe_images(ImageIds=[instance["ImageId"]])["Images"]
        assert image["Name"] == "Pexip Infinity Management Node 11.0.0 (build 26902.0.0)"
        assert image["OwnerId"] == "686087431763"
        for secret in ("PEXIP_PASSWORD", "PEXIP_ADMIN_PASSWORD", "AWS_SECRET_ACCESS_KEY"):
            assert private.env[secret] not in run.output

    def test_the_platform_has_what_the_inventory_says(self, private):
        (manager,) = objects(private, "management_vm")
        assert (manager["hostname"], manager["domain"]) == ("manager", "example.com")
        for resource in ("dns_server", "ntp_server"):
            (server,) = objects(private, resource)  # the wizard's own was adopted
            assert server["address"] == private.network.resolver
            for name in ("London", "Oslo"):
                assert [one["address"] for one in locations(private)[name][f"{resource}s"]] == [server["address"]]

    def test_a_second_run_changes_nothing_and_check_says_so(self, private, play):
        ec2 = private.ec2()
        (instance,) = instances(private)
        ec2.create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "pexip-cloud", "Value": "by hand"}])
        private.requests(reset=True)
        play(private, "deploy_management").unchanged()
        check = play(private, "deploy_management", check=True).unchanged()
        assert private.writes() == 0
        assert check.results("Tell what would be done")[0]["msg"] == "Nothing would change."
        assert {"owner", "pexip-cloud"} <= set(tags(instances(private)[0])), "tags are never purged"

    def test_node_plays_find_it_by_its_tags(self, private, play):
        tasks = [
            role(ROLE, tasks_from="locate"),
            {"name": "Show", "ansible.builtin.debug": {"var": "management_node_located"}},
        ]
        run = play(private, on_manager(*tasks, host="conf03")).succeeded()
        (instance,) = instances(private)
        assert run.results("Show")[0]["management_node_located"] == {
            "hostname": "manager",
            "state": "installed",
            "host": instance["PrivateIpAddress"],
            "port": private.network.api_port,
            "tls_fingerprint": tags(instance)["pexip-infinity-tls-fingerprint"],
            "instance_id": instance["InstanceId"],
            "private_ip": instance["PrivateIpAddress"],
            "public_ip": "",
        }

    def test_a_stopped_one_is_started_again_never_replaced(self, private, play):
        ec2 = private.ec2()
        (before,) = instances(private)
        ec2.stop_instances(InstanceIds=[before["InstanceId"]])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[before["InstanceId"]], WaiterConfig={"Delay": 1})
        check = play(private, "deploy_management", check=True).succeeded()
        assert check.changed == 1 and instances(private, "stopped")
        play(private, "deploy_management").succeeded()
        (after,) = instances(private, "running")
        assert after["InstanceId"] == before["InstanceId"]

    def test_two_instances_with_the_same_tags_are_an_error(self, private, play):
        ec2 = private.ec2()
        (first,) = instances(private)
        second = ec2.run_instances(
            ImageId=first["ImageId"],
            InstanceType="m4.large",
            SubnetId=first["SubnetId"],
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": first["Tags"]}],
        )["Instances"][0]["InstanceId"]
        private.requests(reset=True)
        run = play(private, on_manager(role(ROLE))).failed()
        assert first["InstanceId"] in run.failures[0] and second in run.failures[0]
        assert private.writes() == 0
        ec2.terminate_instances(InstanceIds=[second])


class TestPublic:
    @pytest.fixture(scope="class")
    def public(self, lab_factory):
        with lab_factory() as lab:
            yield lab

    def test_it_has_an_elastic_address_of_its_own(self, public, play):
        ec2 = public.ec2()
        stranger = ec2.allocate_address(Domain="vpc")["AllocationId"]
        inventory = public.inventory_for("public")
        public.requests(reset=True)
        play(public, "deploy_management", inventory=inventory, check=True).succeeded()
        assert public.writes() == 0

        play(public, "deploy_management", inventory=inventory).succeeded()
        (instance,) = instances(public)
        ours = [address for address in ec2.describe_addresses()["Addresses"] if address["AllocationId"] != stranger]
        assert [address["InstanceId"] for address in ours] == [instance["InstanceId"]]
        assert tags(ours[0]) == {
            "Name": "manager",
            "pexip-infinity-node": "manager",
            "pexip-infinity-platform": "manager",
        }
        assert instance["PublicIpAddress"] == ours[0]["PublicIp"]

        public.requests(reset=True)
        play(public, "deploy_management", inventory=inventory).unchanged()
        play(public, "deploy_management", inventory=inventory, check=True).unchanged()
        assert public.writes() == 0


class TestHybrid:
    @pytest.fixture(scope="class")
    def hybrid(self, lab_factory):
        with lab_factory(seed="hybrid") as lab:
            yield lab

    def test_an_existing_management_node_is_configured_and_nothing_is_launched(self, hybrid, play):
        hybrid.requests(reset=True)
        play(hybrid, "deploy_management", check=True).succeeded()
        assert hybrid.writes() == 0
        play(hybrid, "deploy_management").succeeded()
        assert instances(hybrid) == []
        assert {"London", "Oslo"} <= set(locations(hybrid))
        (group,) = hybrid.ec2().describe_security_groups(Filters=[{"Name": "group-name", "Values": ["pexip-nodes"]}])[
            "SecurityGroups"
        ]
        peers = {
            rule["IpProtocol"]
            for rule in group["IpPermissions"]
            if {"CidrIp": str(hybrid.network.on_premises)}.items() <= (rule["IpRanges"] or [{}])[0].items()
        }
        assert peers == {"udp", "50"}
        hybrid.requests(reset=True)
        play(hybrid, "deploy_management").unchanged()
        assert hybrid.writes() == 0


class TestPlatform:
    """The role infinity_platform on an installed Management Node."""

    @pytest.fixture(scope="class")
    def lab(self, lab_factory):
        with lab_factory(seed="platform") as lab:
            yield lab

    @pytest.fixture
    def configure(self, lab, play):
        role_tasks = on_manager(role("pexip.infinity.infinity_platform"))
        return lambda check=False, **variables: play(lab, role_tasks, "-vvv", check=check, extra_vars=variables)

    def test_locations_may_overflow_to_each_other(self, lab, configure):
        wanted = [
            {"name": "Paris", "overflow_location1": "Rome", "description": "Gare du Nord"},
            {"name": "Rome", "overflow_location1": "Paris", "ntp_servers": ["ntp.example.com"]},
        ]
        lab.requests(reset=True)
        configure(check=True, pexip_locations=wanted).succeeded()
        assert lab.writes() == 0
        configure(pexip_locations=wanted).succeeded()
        found = locations(lab)
        assert found["Paris"]["overflow_location1"] == found["Rome"]["resource_uri"]
        assert found["Rome"]["overflow_location1"] == found["Paris"]["resource_uri"]
        assert [server["address"] for server in found["Rome"]["ntp_servers"]] == ["ntp.example.com"]
        assert [server["address"] for server in found["Rome"]["dns_servers"]] == [lab.network.resolver]
        configure(pexip_locations=wanted).unchanged()
        configure(check=True, pexip_locations=wanted).unchanged()

    def test_licences_and_global_settings(self, lab, configure):
        wanted = {
            "pexip_locations": [],
            "pexip_licences": ["AAAA-1111 BBBB-2222"],
            "infinity_platform_global_settings": {"enable_chat": False, "bursting_threshold": 7},
        }
        run = configure(**wanted).succeeded()
        assert [licence["entitlement_id"] for licence in objects(lab, "licence")] == ["AAAA-1111BBBB-2222"]
        settings = lab.api(f"{CONFIGURATION}/global/1/")
        assert (settings["enable_chat"], settings["bursting_threshold"]) == (False, 7)
        assert "AAAA-1111BBBB-2222" not in run.output
        again = configure(**wanted).unchanged()
        assert "AAAA-1111BBBB-2222" not in again.output

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"pexip_locations": [{"name": "Bad", "mtu": 100}]}, "mtu"),
            ({"infinity_platform_license": ["x"]}, "did you mean infinity_platform_licences?"),
        ],
    )
    def test_bad_input_is_refused(self, lab, configure, variables, message):
        lab.requests(reset=True)
        run = configure(**variables).failed()
        assert message in " ".join(run.failures)
        assert lab.writes() == 0

    def test_a_found_management_node_is_taken_by_its_tags(self, lab, play):
        """The seed's instance carries our tags: nothing is launched beside it, and its pin is the tag's."""
        (before,) = instances(lab)
        inventory = without_host(lab.inventory)
        hidden = {"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": ""}
        play(lab, on_manager(role(ROLE)), inventory=inventory, environment=hidden).unchanged()
        assert [instance["InstanceId"] for instance in instances(lab)] == [before["InstanceId"]]


class TestFailures:
    """Each is refused with a message to act on; nothing is launched."""

    @pytest.fixture(scope="class")
    def lab(self, lab_factory):
        with lab_factory() as lab:
            yield lab

    def test_the_plan_is_judged_whole_before_anything_is_made(self, lab, play):
        lab.requests(reset=True)
        wrong = {
            "pexip_version": "12.0.0",
            "pexip_subnet_id": "subnet-0123456789abcdef0",
            "pexip_key_name": "lost",
            "pexip_hostname": "m" * 64,
        }
        run = play(lab, "deploy_management", extra_vars=wrong).failed()
        for value in wrong.values():
            assert value in run.failures[-1]
        assert run.failures[-1].splitlines()[-1].startswith("ansible-playbook ")
        assert lab.writes() == 0

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"pexip_management_cidrs": ["0.0.0.0/0"]}, "pexip_management_cidrs"),
            ({"management_node_instance_type": "m4.large"}, "did you mean management_node_instance_types?"),
            ({"pexip_locations": [{"name": "Bare", "dns_servers": []}]}, "the location(s) Bare"),
            ({"pexip_locations": [{"name": "Odd", "overflow_location": "X"}]}, "overflow_location"),
            ({"management_node_public_address": "static"}, "static"),
        ],
    )
    def test_bad_input_of_any_role_is_refused_before_anything_is_made(self, lab, play, variables, message):
        lab.requests(reset=True)
        run = play(lab, "deploy_management", extra_vars=variables).failed()
        assert message in " ".join(run.failures)
        assert lab.writes() == 0

    def test_the_role_by_itself_names_all_that_is_missing(self, lab, play):
        lab.requests(reset=True)
        missing = {"pexip_key_name": "lost", "pexip_security_groups": {"nodes": "nowhere"}}
        run = play(lab, on_manager(role(ROLE)), extra_vars=missing).failed()
        assert "there is no key pair lost" in run.failures[0] and "no security group nowhere" in run.failures[0]
        assert lab.writes() == 0

    def test_instance_types_that_are_not_to_be_had(self, lab, play):
        play(lab, on_manager(role("pexip.infinity.node_security_group"))).succeeded()
        lab.requests(reset=True)
        run = play(lab, on_manager(role(ROLE)), extra_vars={"pexip_instance_types": ["m99.huge", "m98.huge"]}).failed()
        assert "m99.huge, m98.huge" in run.failures[0] and "eu-west-1a" in run.failures[0]
        assert lab.writes() == 0

    def test_an_instance_made_by_hand_is_taken_over_by_its_address(self, lab, play):
        play(lab, on_manager(role("pexip.infinity.node_security_group"))).succeeded()
        ec2, address = lab.ec2(), str(lab.network.subnets[0][20])
        by_hand = ec2.run_instances(
            ImageId="ami-e5d67696",
            InstanceType="m4.large",
            KeyName=lab.env["LAB_KEY_NAME"],
            SubnetId=lab.env["LAB_SUBNET_A"],
            PrivateIpAddress=address,
            MinCount=1,
            MaxCount=1,
        )["Instances"][0]
        # As typed on a command line: every value is a string.
        options = ("pexip_adopt=true", f"pexip_private_ip={address}", "management_node_install_timeout=0")
        play(lab, on_manager(role(ROLE)), *(word for option in options for word in ("-e", option))).failed()
        (instance,) = instances(lab)
        ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        assert instance["InstanceId"] == by_hand["InstanceId"]
        assert tags(instance)["pexip-infinity-role"] == "management"
        assert {group["GroupName"] for group in instance["SecurityGroups"]} == {"default", "pexip-nodes"}

    def test_two_runs_at_once_leave_one_instance(self, lab, tmp_path, play):
        play(lab, on_manager(role("pexip.infinity.node_security_group"))).succeeded()
        # Each with an inventory of its own, as two people have; neither waits for the installation.
        runs = [type(play)(tmp_path / name) for name in ("one", "two")]
        with ThreadPoolExecutor() as pool:
            options = {"extra_vars": {"management_node_install_timeout": 0}}
            done = list(pool.map(lambda run: run(lab, on_manager(role(ROLE)), **options), runs))
        (survivor,) = instances(lab)
        lab.ec2().terminate_instances(InstanceIds=[survivor["InstanceId"]])
        found = [run.results("Take the oldest")[0]["ansible_facts"]["management_node__instance"] for run in done]
        assert {instance["instance_id"] for instance in found} == {survivor["InstanceId"]}

    def test_a_management_node_that_does_not_exist_cannot_be_located(self, lab, play):
        locate = on_manager(role(ROLE, tasks_from="locate"), host="conf01")
        run = play(lab, locate).failed()
        assert "Run the playbook pexip.infinity.deploy_management first" in run.failures[0]
        play(lab, locate, check=True).succeeded()
