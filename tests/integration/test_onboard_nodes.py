# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""onboard_nodes against a platform in EC2, judged by what EC2 and the platform then say.

The tests of this file share one lab and its platform; each brings nodes of its own.
"""

from __future__ import annotations

import copy

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import add_locations

WORKER_VM = "/api/admin/configuration/v1/worker_vm/"
LOCATION = "/api/admin/configuration/v1/system_location/"
CONFERENCING_11_0_0 = "ami-60dd7d13"
ASKED_FOR = {  # what a run without a change may ask the management API for n nodes
    "fleet": 30,
    "node": 2,
}


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A platform with the locations London, Oslo and AWS burst, and the nodes' security group."""
    with lab_factory(seed="platform") as lab:
        add_locations(lab, "London", "Oslo", "AWS burst")
        yield lab


def inventory(lab, hosts: dict, overflow: dict | None = None, **variables) -> dict:
    """The lab's inventory with these nodes instead of its own. Like an operator's, it names no address of the manager."""
    result = copy.deepcopy(lab.inventory)
    nodes = result["all"]["children"]["pexip_nodes"]["children"]
    subnets = {"London": lab.env["LAB_SUBNET_A"], "Oslo": lab.env["LAB_SUBNET_B"], "AWS burst": lab.env["LAB_SUBNET_A"]}
    for group, members in (("pexip_always_on", hosts), ("pexip_overflow", overflow or {})):
        nodes[group]["hosts"] = {
            name: {"pexip_subnet_id": subnets.get(given.get("pexip_location"), subnets["London"]), **given}
            for name, given in members.items()
        }
    shared = result["all"]["vars"]
    shared.pop("pexip_host")
    shared.pop("pexip_tls_fingerprint")
    shared.update(variables)
    return result


FOUND_BY_TAGS = {"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": ""}


@pytest.fixture(scope="module")
def onboard(lab, module_play):
    """Runs the playbook for an inventory; the Management Node is found by its tags."""

    def run(hosts: dict, *args: str, **options):
        return module_play(lab, "onboard_nodes", *args, inventory=hosts, environment=FOUND_BY_TAGS, **options)

    return run


def instances(lab, name: str) -> list[dict]:
    """A node's instances that are not terminated."""
    filters = [
        {"Name": "tag:pexip-infinity-node", "Values": [name]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    return [i for r in lab.ec2().describe_instances(Filters=filters)["Reservations"] for i in r["Instances"]]


def tags(instance: dict) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}


def group_id(lab, name: str) -> str:
    (group,) = lab.ec2().describe_security_groups(Filters=[{"Name": "group-name", "Values": [name]}])["SecurityGroups"]
    return group["GroupId"]


def registered(lab) -> dict[str, dict]:
    """The platform's nodes by name."""
    return {node["name"]: node for node in lab.api(f"{WORKER_VM}?limit=0")["objects"]}


def status(lab) -> dict[str, dict]:
    return {row["name"]: row for row in lab.api("/api/admin/status/v1/worker_vm/?limit=0")["objects"]}


TWO = {"conf01": {"pexip_location": "London"}, "conf02": {"pexip_location": "Oslo"}}


@pytest.fixture(scope="module")
def onboarded(lab, onboard):
    """conf01 by itself, then conf02 with it; each run by name."""
    hosts = inventory(lab, TWO, pexip_tags={"Team": "video"})
    lab.requests(reset=True)
    check = onboard(hosts, check=True)
    runs = {"check": check, "writes of the check": lab.writes()}
    runs["one"] = onboard(hosts, "--limit", "conf01")
    runs["instances after one"] = [len(instances(lab, name)) for name in TWO]
    runs["all"] = onboard(hosts)
    return runs


def test_check_says_what_would_be_done_and_writes_nothing(onboarded):
    check = onboarded["check"].succeeded()
    assert onboarded["writes of the check"] == 0
    for name, location in (("conf01", "London"), ("conf02", "Oslo")):
        assert (
            f"would launch {name}: Pexip Infinity Conferencing Node 11.0.0 (build 26902.0.0), c4.2xlarge"
            in check.output
        )
        assert f"would register {name} ({name}.example.com) in {location}" in check.output
    assert check.stats["conf01"]["changed"] == check.stats["conf02"]["changed"] == 2


def test_limit_touches_one_node_alone(onboarded):
    run = onboarded["one"].succeeded()
    assert set(run.stats) == {"conf01"}
    assert onboarded["instances after one"] == [1, 0]


def test_the_other_node_follows_and_the_first_is_left_alone(onboarded):
    run = onboarded["all"].succeeded()
    assert run.stats["conf01"]["changed"] == 0, run.changed_tasks
    assert run.stats["conf02"]["changed"] == 2, run.changed_tasks


@pytest.mark.parametrize(("name", "location", "subnet"), [("conf01", "London", "A"), ("conf02", "Oslo", "B")])
def test_instance_is_as_the_guide_says(lab, onboarded, name, location, subnet):
    (instance,) = instances(lab, name)
    assert instance["ImageId"] == CONFERENCING_11_0_0  # the highest build of Pexip's own
    assert instance["InstanceType"] == "c4.2xlarge"
    assert instance["Placement"]["Tenancy"] == "dedicated"
    assert instance["SubnetId"] == lab.env[f"LAB_SUBNET_{subnet}"]
    assert instance["KeyName"] == lab.env["LAB_KEY_NAME"]
    assert [group["GroupName"] for group in instance["SecurityGroups"]] == ["pexip-nodes"]
    assert "PublicIpAddress" not in instance
    assert tags(instance) == {
        "Name": name,
        "pexip-infinity-node": name,
        "pexip-infinity-platform": "manager",
        "pexip-infinity-role": "conferencing",
        "Team": "video",
    }


@pytest.mark.parametrize(("name", "location", "netmask"), [("conf01", "London", "A"), ("conf02", "Oslo", "B")])
def test_node_is_registered_and_in_contact(lab, onboarded, name, location, netmask):
    node, (instance,) = registered(lab)[name], instances(lab, name)
    assert node["address"] == instance["PrivateIpAddress"]
    assert node["netmask"] == "255.255.240.0"
    assert node["gateway"] == instance["PrivateIpAddress"].rsplit(".", 2)[0] + (
        ".0.1" if location == "London" else ".16.1"
    )
    assert (node["hostname"], node["domain"]) == (name, "example.com")
    assert node["enable_distributed_database"] is True
    assert node["static_nat_address"] is None
    assert status(lab)[name]["sync_status"] == "SYNCED"
    assert status(lab)[name]["system_location"] == location


def test_table_shows_the_nodes(onboarded):
    (result,) = onboarded["all"].results("Show the nodes")
    title, *rows = result["msg"]
    assert title.split() == ["Node", "Address", "Location", "Last", "contact", "Sync", "Version"]
    assert [row.split()[0] for row in rows] == ["conf01", "conf02"]
    assert all("SYNCED" in row and row.endswith("11.0.0 (26902.0.0)") for row in rows)


def test_secrets_are_in_no_output(lab, onboarded):
    for run in ("check", "one", "all"):
        assert lab.env["PEXIP_NODE_PASSWORD"] not in onboarded[run].output
        assert lab.env["PEXIP_PASSWORD"] not in onboarded[run].output


def test_again_changes_nothing_and_asks_little(lab, onboard, onboarded):
    # A tag of somebody else's stays. (That the one that bursting needs stays, test_enable_bursting shows.)
    (instance,) = instances(lab, "conf01")
    lab.ec2().create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "backup", "Value": "daily"}])
    hosts = inventory(lab, TWO, pexip_tags={"Team": "video"})
    lab.requests(reset=True)
    onboard(hosts).unchanged()
    requests = lab.requests()
    assert lab.writes() == 0
    asked = sum(count for name, count in requests.items() if not name.startswith("aws "))
    assert asked <= ASKED_FOR["fleet"] + len(TWO) * ASKED_FOR["node"], requests
    assert requests["aws DescribeInstances"] <= 4, requests
    assert tags(instances(lab, "conf01")[0])["backup"] == "daily"


def test_a_silent_node_fails_alone_and_the_run_resumes(lab, onboard, onboarded):
    """conf05's security group lets the upload through and no IPsec; conf06 is new in the same run."""
    ec2 = lab.ec2()
    (instance,) = instances(lab, "conf01")
    deaf = ec2.create_security_group(GroupName="deaf", Description="no IPsec", VpcId=instance["VpcId"])["GroupId"]
    upload = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}
    ec2.authorize_security_group_ingress(GroupId=deaf, IpPermissions=[upload])
    hosts = inventory(
        lab,
        {
            **TWO,
            "conf05": {"pexip_location": "London", "conferencing_node_security_group": "deaf"},
            "conf06": {"pexip_location": "Oslo"},
        },
        pexip_tags={"Team": "video"},
        conferencing_node_contact_timeout=20,
    )
    run = onboard(hosts).failed()
    assert {name: counts["failures"] for name, counts in run.stats.items()} == {
        "conf01": 0,
        "conf02": 0,
        "conf05": 1,
        "conf06": 0,
    }
    (failure,) = run.failures
    (silent,) = instances(lab, "conf05")
    assert failure.startswith("conf05 did not report in within 20 seconds; last seen: conf05: last updated never")
    assert silent["InstanceId"] in failure
    assert "UDP port 500 and ESP" in failure
    assert status(lab)["conf06"]["sync_status"] == "SYNCED"
    last = run.results("Say how to resume")[-1]["msg"]
    assert "Not finished: conf05." in last
    assert last.endswith("pexip.infinity.onboard_nodes --limit conf05")
    assert "conf05" in str(run.results("Show the nodes")[-1]["msg"])

    # The cause is mended; the command that was given resumes, with the same instance and the same registration.
    before = registered(lab)["conf05"]["id"]
    group = group_id(lab, "pexip-nodes")
    ipsec = [
        {"IpProtocol": "udp", "FromPort": 500, "ToPort": 500},
        {"IpProtocol": "50"},
    ]
    for target, source in ((deaf, group), (group, deaf)):
        permissions = [{**rule, "UserIdGroupPairs": [{"GroupId": source}]} for rule in ipsec]
        ec2.authorize_security_group_ingress(GroupId=target, IpPermissions=permissions)
    onboard(hosts, "--limit", "conf05").unchanged()
    assert [i["InstanceId"] for i in instances(lab, "conf05")] == [silent["InstanceId"]]
    assert registered(lab)["conf05"]["id"] == before
    assert status(lab)["conf05"]["sync_status"] == "SYNCED"


ODD = {"conf07": {"pexip_location": "London"}, "conf09": {"pexip_location": "London"}}
BURST = {"burst01": {"pexip_location": "AWS burst"}}


@pytest.fixture(scope="module")
def odd(lab, onboard):
    """One run for nodes that each begin in another state: conf07 was registered by a run that died before the upload,
    and has no instance; conf08's instance was made by hand; conf09 and the overflow node burst01 are plainly new.
    """
    cidr = lab.ec2().describe_subnets(SubnetIds=[lab.env["LAB_SUBNET_A"]])["Subnets"][0]["CidrBlock"]
    prefix = cidr.split("/")[0].rsplit(".", 1)[0]
    (london,) = (row for row in lab.api(LOCATION)["objects"] if row["name"] == "London")
    lost = {
        "name": "conf07",
        "hostname": "conf07",
        "domain": "example.com",
        "address": f"{prefix}.77",
        "netmask": "255.255.240.0",
        "gateway": f"{prefix}.1",
        "system_location": london["resource_uri"],
        "password": "lost",
        "deployment_type": "MANUAL-PROVISION-ONLY",
    }
    lab.api(WORKER_VM, "POST", lost)
    (by_hand,) = lab.ec2().run_instances(
        ImageId=CONFERENCING_11_0_0,
        InstanceType="c4.4xlarge",
        KeyName=lab.env["LAB_KEY_NAME"],
        MinCount=1,
        MaxCount=1,
        SubnetId=lab.env["LAB_SUBNET_B"],
        SecurityGroupIds=[group_id(lab, "pexip-nodes")],
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "by hand"}]}],
    )["Instances"]
    nodes = {**ODD, "conf08": {"pexip_location": "Oslo", "pexip_private_ip": by_hand["PrivateIpAddress"]}}
    refused = onboard(inventory(lab, nodes, BURST)).failed()
    hosts = inventory(lab, nodes, BURST, pexip_adopt=True)
    onboard(hosts).succeeded()
    return {"lost": lost, "by hand": by_hand, "refused": refused, "hosts": hosts}


def test_a_lost_configuration_document_is_repaired(lab, odd):
    (instance,) = instances(lab, "conf07")
    assert instance["PrivateIpAddress"] == odd["lost"]["address"]  # where it was registered
    assert status(lab)["conf07"]["sync_status"] == "SYNCED"


def test_an_instance_made_by_hand_is_adopted_when_asked_to(lab, odd):
    (failure,) = odd["refused"].failures
    assert f"is in use by instance {odd['by hand']['InstanceId']}" in failure
    assert "pexip_adopt: true" in failure
    (adopted,) = instances(lab, "conf08")
    assert adopted["InstanceId"] == odd["by hand"]["InstanceId"]
    assert tags(adopted)["Owner"] == "by hand"
    assert adopted["InstanceType"] == "c4.4xlarge"
    assert status(lab)["conf08"]["sync_status"] == "SYNCED"


def test_an_overflow_node_takes_no_part_in_the_distributed_database(lab, odd):
    assert registered(lab)["burst01"]["enable_distributed_database"] is False
    assert registered(lab)["conf09"]["enable_distributed_database"] is True


def test_what_is_gone_is_not_made_again_and_what_is_stopped_stays_so(lab, onboard, odd):
    """conf09 was in contact, so only an operator may remove it; an overflow node is stopped most of the time."""
    (gone,), (stopped,) = instances(lab, "conf09"), instances(lab, "burst01")
    lab.ec2().terminate_instances(InstanceIds=[gone["InstanceId"]])
    lab.ec2().stop_instances(InstanceIds=[stopped["InstanceId"]])
    lab.clock_advance("2m")
    run = onboard(odd["hosts"]).failed()
    (failure,) = run.failures
    assert failure.startswith("conf09 is registered with the address")
    assert instances(lab, "conf09") == []
    assert run.changed_tasks == []
    assert [i["State"]["Name"] for i in instances(lab, "burst01")] == ["stopped"]
    assert run.results("Say how to resume")[-1]["msg"].endswith("--limit conf09")

    # EC2 gives the free address to another node's instance, and the platform still has conf09 there.
    marks = {
        "pexip-infinity-node": "conf10",
        "pexip-infinity-platform": "manager",
        "pexip-infinity-role": "conferencing",
    }
    lab.ec2().run_instances(
        ImageId=CONFERENCING_11_0_0,
        InstanceType="c4.2xlarge",
        KeyName=lab.env["LAB_KEY_NAME"],
        MinCount=1,
        MaxCount=1,
        SubnetId=lab.env["LAB_SUBNET_A"],
        PrivateIpAddress=gone["PrivateIpAddress"],
        SecurityGroupIds=[group_id(lab, "pexip-nodes")],
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in marks.items()]}
        ],
    )
    (failure,) = onboard(inventory(lab, {"conf10": {"pexip_location": "London"}})).failed().failures
    assert f"{gone['PrivateIpAddress']}, which is that of the platform's node conf09" in failure
    assert "conf10" not in registered(lab)


def test_all_problems_are_told_before_anything_is_made(lab, onboard):
    before = set(registered(lab))
    hosts = inventory(
        lab,
        {
            "conf31": {"pexip_location": "Lisbon", "pexip_private_ip": "10.9.9.9"},
            "conf32": {"pexip_location": "London", "pexip_key_name": "no-such-key"},
            "conf33": {"pexip_location": "London", "pexip_subnet_id": "subnet-0123456789abcdef0"},
            "conf34": {"pexip_location": "London", "pexip_instance_types": ["x99.huge"]},
            "c" * 33: {"pexip_location": "London", "pexip_public_address": "elastic"},
            "conf36": {"pexip_location": "London", "pexip_node_password": ""},
        },
        pexip_version="10.2.0",
    )
    lab.requests(reset=True)
    # The first host alone, and still the verdict is about all of them.
    run = onboard(hosts, "--limit", "conf31").failed()
    (message,) = run.failures
    for part in (
        "conf31: pexip_location Lisbon does not exist and is not in pexip_locations",
        "AWS burst, London, Oslo",
        "conf31: pexip_private_ip 10.9.9.9: address 10.9.9.9 is outside the subnet",
        "conf32: pexip_key_name no-such-key does not exist",
        "conf33: pexip_subnet_id subnet-0123456789abcdef0 does not exist",
        "conf34: pexip_instance_types x99.huge: the availability zone eu-west-1a offers none of them",
        f"{'c' * 33}: the name has 33 characters, the platform takes 32",
        f"{'c' * 33}: pexip_public_address elastic in a private deployment",
        "The location London would hold private",
        "conf36: pexip_node_password is not given or empty",
        "pexip_version 10.2.0 is not the version of the Management Node, 11.0.0",
    ):
        assert part in message
    assert lab.writes() == 0
    assert set(registered(lab)) == before


def test_a_variable_that_nobody_reads_is_refused(lab, onboard):
    run = onboard(
        inventory(lab, {"conf40": {"pexip_location": "London", "conferencing_node_tenancie": "default"}})
    ).failed()
    assert (
        "conferencing_node_tenancie is not a variable of the role conferencing_node: did you mean conferencing_node_tenancy?"
        in run.failures[0]
    )
    assert instances(lab, "conf40") == []


def test_an_instance_that_another_run_launched_meanwhile_is_taken(lab, module_play):
    """The look-up found none; by the time of the launch another controller has made one."""
    role = "pexip.infinity.conferencing_node"
    tagged = {
        "pexip-infinity-node": "conf50",
        "pexip-infinity-platform": "manager",
        "pexip-infinity-role": "conferencing",
    }
    other_controller = {
        "name": "conf50",
        "image_id": CONFERENCING_11_0_0,
        "instance_type": "c4.2xlarge",
        "vpc_subnet_id": lab.env["LAB_SUBNET_B"],
        "tags": tagged,
        "wait": False,
    }
    tasks = [
        {"name": "Look up", "ansible.builtin.import_role": {"name": role, "tasks_from": "look_up"}},
        {"name": "Another controller", "amazon.aws.ec2_instance": other_controller},
        {"name": "Launch", "ansible.builtin.import_role": {"name": role, "tasks_from": "launch"}},
        {"name": "Register", "ansible.builtin.import_role": {"name": role, "tasks_from": "register"}},
    ]
    hosts = inventory(lab, {"conf50": {"pexip_location": "Oslo"}})
    play = [{"name": "Race", "hosts": "conf50", "gather_facts": False, "tasks": tasks}]
    module_play(lab, play, inventory=hosts, environment=FOUND_BY_TAGS).succeeded()
    (instance,) = instances(lab, "conf50")
    assert registered(lab)["conf50"]["address"] == instance["PrivateIpAddress"]


def test_a_change_that_drops_calls_is_refused_unless_forced(lab, onboard, onboarded):
    call = lab.call_start("Oslo", 1)
    (shard,) = lab.api("/api/admin/status/v1/conference_shard/?limit=0")["objects"]
    name = next(name for name, node in registered(lab).items() if shard["node"] in (name, node["address"]))
    moved = {name: {"pexip_location": "London", "pexip_subnet_id": lab.env["LAB_SUBNET_B"]}}
    before = registered(lab)[name]
    (failure,) = onboard(inventory(lab, moved)).failed().failures
    assert "carries 1 conferences" in failure
    assert "changing its system_location" in failure
    assert registered(lab)[name] == before
    onboard(inventory(lab, moved, pexip_force=True)).succeeded()
    assert registered(lab)[name]["system_location"] != before["system_location"]
    lab.call_end(call)


def test_a_look_up_may_catch_instances_between_two_states(lab, module_play, onboarded):
    """conf60's instance, never set up, was on its way down then; conf01's, set up long ago, on its way up."""
    ec2 = lab.ec2()
    marks = {
        "pexip-infinity-node": "conf60",
        "pexip-infinity-platform": "manager",
        "pexip-infinity-role": "conferencing",
    }
    (launched,) = ec2.run_instances(
        ImageId=CONFERENCING_11_0_0,
        InstanceType="c4.2xlarge",
        MinCount=1,
        MaxCount=1,
        SubnetId=lab.env["LAB_SUBNET_B"],
        SecurityGroupIds=[group_id(lab, "pexip-nodes")],
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in marks.items()]}
        ],
    )["Instances"]
    (restarted,) = instances(lab, "conf01")
    both = [launched["InstanceId"], restarted["InstanceId"]]
    lab.clock_advance("1m")
    ec2.stop_instances(InstanceIds=both)
    lab.clock_advance("1m")
    assert status(lab)["conf01"]["sync_status"] == "SYNCED"  # the platform goes on saying what it was told last
    ec2.start_instances(InstanceIds=[restarted["InstanceId"]])

    role = "pexip.infinity.conferencing_node"
    seen = {launched["InstanceId"]: "stopping", restarted["InstanceId"]: "pending"}
    tasks = [
        {"name": "Look up", "ansible.builtin.import_role": {"name": role, "tasks_from": "look_up"}},
        {
            "name": "Put the states of that moment into what was found",
            "ansible.builtin.set_fact": {"conferencing_node__instances": {"instances": "{{ of_that_moment }}"}},
            "vars": {
                "of_that_moment": "{% set found = [] %}{% for instance in conferencing_node__instances.instances %}"
                "{% set _ = found.append(instance | combine({'state': {'name': seen[instance.instance_id] | default(instance.state.name)}})) %}"
                "{% endfor %}{{ found }}",
                "seen": seen,
            },
        },
        *(
            {"name": step, "ansible.builtin.import_role": {"name": role, "tasks_from": step}}
            for step in ("launch", "register", "await_contact")
        ),
    ]
    hosts = inventory(lab, {"conf01": {"pexip_location": "London"}, "conf60": {"pexip_location": "Oslo"}})
    play = [{"name": "In between", "hosts": "pexip_nodes", "gather_facts": False, "tasks": tasks}]
    run = module_play(lab, play, "-vvv", inventory=hosts, environment=FOUND_BY_TAGS).succeeded()
    (looked_up,) = (result["nodes"] for result in run.results("Look the platform's nodes up") if "nodes" in result)
    before = next(node["status"]["last_updated"] for node in looked_up if node["name"] == "conf01")
    (waited,) = (result for result in run.results("Wait until the nodes report in") if "nodes" in result)
    assert waited["invocation"]["module_args"]["since"] == {"conf01": before}
    assert next(node["status"]["last_updated"] for node in waited["nodes"] if node["name"] == "conf01") > before
    assert status(lab)["conf60"]["sync_status"] == "SYNCED"
    assert [i["InstanceId"] for i in instances(lab, "conf60")] == [launched["InstanceId"]]


def test_a_management_node_on_its_way_down_is_started_once_it_has_stopped(lab, module_play):
    """The last test of this file: it takes the Management Node away for a while."""
    (manager,) = (
        instance
        for reservation in lab.ec2().describe_instances()["Reservations"]
        for instance in reservation["Instances"]
        if tags(instance).get("pexip-infinity-role") == "management"
    )
    lab.ec2().stop_instances(InstanceIds=[manager["InstanceId"]])
    role = "pexip.infinity.management_node"
    then = "{{ management_node__instance | combine({'state': {'name': 'stopping'}}) }}"
    tasks = [
        {"name": "Find", "ansible.builtin.import_role": {"name": role, "tasks_from": "find"}},
        {"name": "As it was", "ansible.builtin.set_fact": {"management_node__instance": then}},
        {"name": "Bring up", "ansible.builtin.import_role": {"name": role, "tasks_from": "bring_up"}},
    ]
    play = [{"name": "Start", "hosts": "pexip_management", "gather_facts": False, "tasks": tasks}]
    run = module_play(lab, play, inventory=inventory(lab, {}), environment=FOUND_BY_TAGS).succeeded()
    (now,) = lab.ec2().describe_instances(InstanceIds=[manager["InstanceId"]])["Reservations"][0]["Instances"]
    assert now["State"]["Name"] == "running"
    stopped, started = run.results("Look until the instance is in the state")
    assert stopped["instances"][0]["state"]["name"] == "stopped" != started["instances"][0]["state"]["name"]
