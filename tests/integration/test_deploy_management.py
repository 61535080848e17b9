# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook deploy_management from an empty account on, judged by EC2 and by the platform itself.

That a second run changes nothing, and what public and hybrid deployments look like, test_site shows.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from pexip_lab.testing import OTHER_IMAGE

CONFIGURATION = "/api/admin/configuration/v1"
ROLE = "pexip.infinity.management_node"
# For Play.with_vars: what the environment can say as well.
NO_CONNECTION = dict.fromkeys(
    ("pexip_host", "pexip_port", "pexip_username", "pexip_password", "pexip_tls_fingerprint", "pexip_ca_path")
)


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


def on_manager(*steps: dict, host: str = "pexip_management") -> list[dict]:
    """A playbook of those tasks."""
    return [{"name": "Test", "hosts": host, "gather_facts": False, "tasks": list(steps)}]


def role(name: str, **more) -> dict:
    return {"name": name, "ansible.builtin.include_role": {"name": name, **more}}


def launch(lab, subnet: str, address: str, marks: dict[str, str] | None = None) -> str:
    """An instance of somebody's with those tags; returns its id."""
    owner = [{"Key": key, "Value": value} for key, value in {"Owner": "somebody", **(marks or {})}.items()]
    return lab.ec2().run_instances(
        ImageId=OTHER_IMAGE,
        InstanceType="m4.large",
        SubnetId=subnet,
        PrivateIpAddress=address,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": owner}],
    )["Instances"][0]["InstanceId"]


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
        ec2.create_tags(Resources=[before["InstanceId"]], Tags=[{"Key": "pexip-cloud", "Value": "by hand"}])
        ec2.stop_instances(InstanceIds=[before["InstanceId"]])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[before["InstanceId"]], WaiterConfig={"Delay": 1})
        check = play(private, "deploy_management", check=True).succeeded()
        assert check.changed == 1 and instances(private, "stopped")
        play(private, "deploy_management").succeeded()
        (after,) = instances(private, "running")
        assert after["InstanceId"] == before["InstanceId"]
        assert {"owner", "pexip-cloud"} <= set(tags(after)), "tags are never purged"

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


class TestHybrid:
    @pytest.fixture(scope="class")
    def hybrid(self, lab_factory):
        with lab_factory(seed="hybrid") as lab:
            yield lab

    def test_an_existing_management_node_is_configured_and_nothing_is_launched(self, hybrid, play):
        """Its address and certificate come from the environment, as AWX has them."""
        inventory = play.with_vars(hybrid.inventory, **NO_CONNECTION)
        assert {"PEXIP_HOST", "PEXIP_PORT", "PEXIP_TLS_FINGERPRINT"} <= set(hybrid.env)
        play(hybrid, "deploy_management", inventory=inventory).succeeded()
        assert instances(hybrid) == []
        assert {"London", "Oslo"} <= set(locations(hybrid))

    def test_one_that_answers_by_another_name_is_refused(self, hybrid, play):
        hybrid.requests(reset=True)
        run = play(hybrid, "deploy_management", extra_vars={"pexip_hostname": "corporate"}).failed()
        assert (
            "pexip_hostname is corporate, and the Management Node that answers says that it is manager"
            in run.failures[-1]
        )
        assert hybrid.writes() == 0


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
            "pexip_hostname": "mg",
            "pexip_dns_servers": ["dns.example.com"],
            "pexip_management_cidrs": ["0.0.0.0/0"],
            "pexip_locations": [{"name": "Bare", "ntp_servers": []}],
        }
        run = play(lab, "deploy_management", extra_vars=wrong).failed()
        for said in (
            "pexip_version 12.0.0",
            "pexip_subnet_id subnet-0123456789abcdef0",
            "pexip_key_name lost",
            "hostname 'mg'",
            "pexip_dns_servers: 'dns.example.com'",
            "pexip_management_cidrs: 0.0.0.0/0",
            "The location Bare has no ntp_servers",
        ):
            assert said in run.failures[-1]
        assert run.failures[-1].splitlines()[-1].startswith("ansible-playbook ")
        assert lab.writes() == 0

    @pytest.mark.parametrize(
        ("variables", "message"),
        [
            ({"management_node_instance_type": "m4.large"}, "did you mean management_node_instance_types?"),
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

    @pytest.fixture(scope="class")
    def groups(self, lab, module_play):
        """The security groups are there."""
        module_play(lab, on_manager(role("pexip.infinity.node_security_group"))).succeeded()

    @pytest.mark.usefixtures("groups")
    def test_instance_types_that_are_not_to_be_had(self, lab, play):
        lab.requests(reset=True)
        run = play(lab, on_manager(role(ROLE)), extra_vars={"pexip_instance_types": ["m99.huge", "m98.huge"]}).failed()
        assert "m99.huge, m98.huge" in run.failures[0] and "eu-west-1a" in run.failures[0]
        assert lab.writes() == 0

    @pytest.mark.usefixtures("groups")
    def test_an_instance_made_by_hand_is_taken_over_by_its_address(self, lab, play):
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

    @pytest.mark.usefixtures("groups")
    def test_an_instance_that_never_runs_is_named(self, lab, play):
        lab.fault_add("stuck-pending", match="manager")
        run = play(lab, on_manager(role(ROLE)), extra_vars={"management_node_launch_timeout": 3}).failed()
        lab.fault_clear()
        (instance,) = instances(lab)
        said = f"waited 3 seconds until its instance {instance['InstanceId']} was running or stopped; EC2 says that it is pending"
        assert said in run.failures[-1]
        lab.ec2().terminate_instances(InstanceIds=[instance["InstanceId"]])

    def test_an_instance_may_be_pending_for_a_while(self, lab_factory, play):
        """As in AWS, where that takes longer than a task."""
        with lab_factory(time_scale=1.5) as lab:
            steps = on_manager(role("pexip.infinity.node_security_group"), role(ROLE))
            run = play(lab, steps, extra_vars={"management_node_install_timeout": 0}).failed()
            (instance,) = instances(lab)
        assert (
            run.results("Take the oldest")[0]["ansible_facts"]["management_node__instance"]["state"]["name"]
            == "pending"
        )
        assert instance["State"]["Name"] == "running"
        assert "the SSH server" in run.failures[-1]  # the next step, which is given no time

    @pytest.mark.usefixtures("groups")
    def test_an_instance_that_ec2_gives_up_is_named_at_once(self, lab, play):
        lab.fault_add("terminate", "aws", method="RunInstances")
        run = play(lab, on_manager(role(ROLE))).failed()
        lab.fault_clear()
        assert "EC2 gave up its instance i-" in run.failures[-1] and "Run again" in run.failures[-1]
        assert instances(lab) == []

    @pytest.mark.usefixtures("groups")
    def test_its_addresses_are_those_asked_for(self, lab, play):
        asked = {
            "pexip_private_ip": str(lab.network.subnets[0][21]),
            "pexip_public_address": "dynamic",
            "management_node_install_timeout": 0,
        }
        play(lab, on_manager(role(ROLE)), extra_vars=asked).failed()
        (instance,) = instances(lab)
        lab.ec2().terminate_instances(InstanceIds=[instance["InstanceId"]])
        assert instance["PrivateIpAddress"] == asked["pexip_private_ip"]
        assert instance["PublicIpAddress"] and lab.ec2().describe_addresses()["Addresses"] == []

    def test_what_is_elsewhere_or_another_nodes_is_not_taken_over(self, lab, play):
        """An instance at the address in another network, and one with the tags of another platform's node."""
        ec2, near = lab.ec2(), lab.network.subnets[0]
        vpc = ec2.create_vpc(CidrBlock=str(lab.network.vpc))["Vpc"]["VpcId"]
        elsewhere = ec2.create_subnet(VpcId=vpc, CidrBlock=str(near))["Subnet"]["SubnetId"]
        strangers = {
            str(near[30]): launch(lab, elsewhere, str(near[30])),
            str(near[31]): launch(
                lab,
                lab.env["LAB_SUBNET_A"],
                str(near[31]),
                {"pexip-infinity-node": "c1", "pexip-infinity-platform": "p2"},
            ),
        }
        lab.requests(reset=True)
        locate, said = on_manager(role(ROLE, tasks_from="locate")), []
        for address in strangers:
            asked = {"pexip_adopt": True, "pexip_private_ip": address}
            said.append(play(lab, locate, extra_vars=asked).failed().failures[-1])
        assert "There is no Management Node manager" in said[0]
        assert f"{strangers[str(near[31])]} at {near[31]} is not to be taken over" in said[1]
        assert "the node c1 of the platform p2" in said[1]
        assert lab.writes() == 0
        ec2.terminate_instances(InstanceIds=list(strangers.values()))

    @pytest.mark.usefixtures("groups")
    def test_two_runs_at_once_leave_one_instance(self, lab, tmp_path, play):
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
