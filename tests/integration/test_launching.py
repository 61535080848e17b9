# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conferencing Nodes whose launch is no plain matter: what is refused before it, and what EC2 and others do meanwhile."""

from __future__ import annotations

import copy
import ssl
import threading
from contextlib import contextmanager

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import add_locations

CONFIGURATION = "/api/admin/configuration/v1"
CONFERENCING_11_0_0 = "ami-60dd7d13"
ROLE = "pexip.infinity.conferencing_node"
# The Management Node is found by its tags.
FOUND_BY_TAGS = {"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": ""}
CONNECTION = ("pexip_host", "pexip_port", "pexip_username", "pexip_password", "pexip_tls_fingerprint")


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A platform that runs 11.0.0, with the locations London and Paris; 11.1.0 is published, too."""
    with lab_factory(seed="platform") as lab:
        add_locations(lab, "London", "Paris")
        yield lab


def inventory(lab, nodes: dict[str, dict], **variables) -> dict:
    """The lab's inventory with these nodes, all in London and in subnet a unless they say otherwise.

    It says nothing of the connection to the management API: the environment does.
    """
    result = copy.deepcopy(lab.inventory)
    common = {"pexip_location": "London", "pexip_subnet_id": lab.env["LAB_SUBNET_A"]}
    hosts = {name: {**common, **given} for name, given in nodes.items()}
    result["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"] = hosts
    shared = result["all"]["vars"]
    for name in CONNECTION:
        shared.pop(name, None)
    shared.update(variables)
    return result


def instances(lab, node: str, *states: str) -> list[dict]:
    """A node's instances that are in one of the states, by default all that live."""
    filters = [
        {"Name": "tag:pexip-infinity-node", "Values": [node]},
        {"Name": "instance-state-name", "Values": list(states or ("pending", "running", "stopping", "stopped"))},
    ]
    return [i for r in lab.ec2().describe_instances(Filters=filters)["Reservations"] for i in r["Instances"]]


def manager(lab) -> dict:
    (instance,) = instances(lab, "manager")
    return instance


def marks(node: str) -> list[dict]:
    """The tags by which an instance is a node's."""
    values = {"node": node, "platform": "manager", "role": "conferencing"}
    return [{"Key": f"pexip-infinity-{key}", "Value": value} for key, value in values.items()]


def with_addresses(lab) -> dict[str, str]:
    """The variables of a public node whose address changes, with a fixed one inside the VPC."""
    inside = str(lab.network.subnets[0][53])
    return {"pexip_location": "Paris", "pexip_public_address": "dynamic", "pexip_private_ip": inside}


def used_address(lab, node: str) -> str:
    """An Elastic IP address of a node's, on some interface."""
    ec2, tagged = lab.ec2(), [{"ResourceType": "elastic-ip", "Tags": marks(node)}]
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged)
    interface = ec2.create_network_interface(SubnetId=lab.env["LAB_SUBNET_B"])["NetworkInterface"]
    ec2.associate_address(AllocationId=address["AllocationId"], NetworkInterfaceId=interface["NetworkInterfaceId"])
    return address["PublicIp"]


@contextmanager
def as_soon_as_launched(lab, actions: dict):
    """While the block runs: as soon as a node has an instance, its action is done with it, once."""
    ended = threading.Event()
    failures: list[BaseException] = []

    def watch() -> None:
        waiting = dict(actions)
        try:
            while waiting and not ended.wait(0.02):
                for node in list(waiting):
                    if found := instances(lab, node):
                        waiting.pop(node)(found[0])
            assert not waiting, f"never launched: {', '.join(waiting)}"
        except BaseException as error:  # told by the test's own thread
            failures.append(error)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert not failures, failures


@pytest.fixture(scope="module")
def eventful(lab, module_play, tmp_path_factory):
    """One run for four nodes: of conf51 another controller has launched an instance a moment before, EC2 gives that of
    conf52 up, conf53 asks for addresses, conf54's instance never runs. The connection is in the environment alone, with a
    CA; the certificate that was pinned at first sight is another one by now. pexip_version is less than a whole version.
    """
    ec2, address = lab.ec2(), manager(lab)["PrivateIpAddress"]
    ca = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.write_text(ssl.get_server_certificate((address, lab.network.api_port)))
    ec2.create_tags(
        Resources=[manager(lab)["InstanceId"]], Tags=[{"Key": "pexip-infinity-tls-fingerprint", "Value": "ab" * 32}]
    )
    (group,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["pexip-nodes"]}])[
        "SecurityGroups"
    ]
    older = ec2.run_instances(
        ImageId=CONFERENCING_11_0_0,
        InstanceType="c4.2xlarge",
        KeyName=lab.env["LAB_KEY_NAME"],
        SubnetId=lab.env["LAB_SUBNET_A"],
        SecurityGroupIds=[group["GroupId"]],
        MinCount=1,
        MaxCount=1,
    )["Instances"][0]["InstanceId"]
    launched = {}

    def appears(instance: dict) -> None:
        ec2.create_tags(Resources=[older], Tags=marks("conf51"))
        launched["conf51"] = instance

    def given_up(instance: dict) -> None:
        ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
        launched["conf52"] = instance

    # As typed by hand: less than a whole version, and connection variables that say nothing.
    nodes = inventory(
        lab,
        {
            "conf51": {},
            "conf52": {},
            "conf53": with_addresses(lab),
            "conf54": {"conferencing_node_launch_timeout": 5},
        },
        pexip_version="11",
        pexip_ca_path="",
        pexip_deployment="hybrid",
    )
    environment = {**FOUND_BY_TAGS, "PEXIP_PORT": str(lab.network.api_port), "PEXIP_CA_PATH": str(ca)}
    lab.fault_add("stuck-pending", match="conf54")
    with as_soon_as_launched(lab, {"conf51": appears, "conf52": given_up}):
        run = module_play(lab, "onboard_nodes", inventory=nodes, environment=environment)
    lab.fault_clear()
    return {"run": run, "older": older, "launched": launched, "environment": environment}


def test_the_younger_of_two_instances_is_given_back(lab, eventful):
    (kept,) = instances(lab, "conf51")
    assert kept["InstanceId"] == eventful["older"] != eventful["launched"]["conf51"]["InstanceId"]
    (given_back,) = eventful["run"].results("Terminate the instance just launched", "conf51")
    assert given_back["terminate_success"] == [eventful["launched"]["conf51"]["InstanceId"]]
    nodes = {node["name"]: node for node in lab.api(f"{CONFIGURATION}/worker_vm/")["objects"]}
    assert nodes["conf51"]["address"] == kept["PrivateIpAddress"]


def test_an_instance_that_ec2_gives_up_fails_its_own_node_alone(lab, eventful):
    run = eventful["run"].failed()
    assert {name: counts["failures"] for name, counts in run.stats.items()} == {
        "conf51": 0,
        "conf52": 1,
        "conf53": 0,
        "conf54": 1,
    }
    (failure,) = (said for said in run.failures if said.startswith("conf52"))
    assert failure.startswith(f"conf52: EC2 gave up the instance {eventful['launched']['conf52']['InstanceId']}")
    assert "Run again" in failure
    synchronised = {row["name"]: row["sync_status"] for row in lab.api("/api/admin/status/v1/worker_vm/")["objects"]}
    assert synchronised == {"conf51": "SYNCED", "conf53": "SYNCED"}


def test_an_instance_that_never_runs_is_named_and_what_ec2_says_of_it(lab, eventful):
    (instance,) = instances(lab, "conf54")
    said = f"conf54: waited 5 seconds until its instance {instance['InstanceId']} runs and has its addresses"
    assert f"{said}; EC2 says that it is pending." in eventful["run"].failures


def test_addresses_are_those_asked_for_and_the_public_one_is_the_static_nat_address(lab, eventful):
    (instance,) = instances(lab, "conf53")
    (node,) = lab.api(f"{CONFIGURATION}/worker_vm/?name=conf53")["objects"]
    assert instance["PrivateIpAddress"] == node["address"] == with_addresses(lab)["pexip_private_ip"]
    assert instance["PublicIpAddress"] == node["static_nat_address"]
    elastic = {address["PublicIp"] for address in lab.ec2().describe_addresses()["Addresses"]}
    assert instance["PublicIpAddress"] not in elastic


def test_nodes_run_exactly_what_the_management_node_runs(eventful):
    assert {instance["ImageId"] for instance in eventful["launched"].values()} == {CONFERENCING_11_0_0}


@pytest.fixture
def auto_assigned(lab):
    """Subnet a gives every new instance a public address."""
    change = {"SubnetId": lab.env["LAB_SUBNET_A"]}
    lab.ec2().modify_subnet_attribute(**change, MapPublicIpOnLaunch={"Value": True})
    yield
    lab.ec2().modify_subnet_attribute(**change, MapPublicIpOnLaunch={"Value": False})


def test_what_only_ec2_knows_is_told_before_anything_is_made(lab, eventful, auto_assigned, module_play):
    subnet_b = lab.env["LAB_SUBNET_B"]
    stranger = lab.ec2().run_instances(
        ImageId=CONFERENCING_11_0_0,
        InstanceType="c4.2xlarge",
        SubnetId=subnet_b,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": marks("conf63")}],
    )["Instances"][0]
    nodes = {
        "conf61": {},
        "conf62": {"pexip_instance_types": ["a1.2xlarge"]},  # the region has it, and this zone has not
        "conf63": {},
        "conf64": {"pexip_region": ""},
    }
    lab.requests(reset=True)
    hosts = inventory(lab, nodes)
    run = module_play(lab, "onboard_nodes", inventory=hosts, environment=eventful["environment"]).failed()
    (message,) = run.failures
    for said in (
        f"conf61: pexip_public_address none, and the subnet {lab.env['LAB_SUBNET_A']} gives every new instance a public",
        "conf62: pexip_instance_types a1.2xlarge: the availability zone eu-west-1a offers none of them",
        f"conf63: the instance {stranger['InstanceId']} with its tags is in the subnet {subnet_b}",
        "not given: conf64",
    ):
        assert said in message
    assert "manager: pexip_public_address" not in message  # it is not to be launched
    assert lab.writes() == 0
    lab.ec2().terminate_instances(InstanceIds=[stranger["InstanceId"]])


def test_the_roles_by_themselves_know_it_too(lab, eventful, auto_assigned, module_play):
    """Under --check, without a preflight and with the CA in the environment: conf51 and conf53 are complete, the others are refused."""
    steps = ("look_up", "launch", "register")
    tasks = [{"name": step, "ansible.builtin.import_role": {"name": ROLE, "tasks_from": step}} for step in steps]
    play = [{"name": "By itself", "hosts": "pexip_nodes", "gather_facts": False, "tasks": tasks}]
    given = {"conf53": with_addresses(lab), "conf65": {"pexip_public_address": "elastic"}}
    nodes = inventory(lab, {"conf51": {}, "conf61": {}, **given})
    addresses = [used_address(lab, "conf65") for _time in range(2)]
    lab.requests(reset=True)
    run = module_play(lab, play, inventory=nodes, environment=eventful["environment"], check=True).failed()
    several, public = sorted(run.failures, reverse=True)
    assert several.startswith("conf65: the Elastic IP addresses") and all(address in several for address in addresses)
    assert public.startswith("conf61: the subnet") and "and pexip_public_address is none" in public
    assert [run.stats[name]["failures"] for name in ("conf51", "conf53")] == [0, 0] and run.changed_tasks == []
    assert lab.writes() == 0
