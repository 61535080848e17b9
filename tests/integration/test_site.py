# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site from nothing, in each of the guide's deployment options, judged by what EC2 and the platform then say.

The inventories are the README's own. Of their variables only those are given other values that every reader changes, too.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pexip.infinity.tests.integration.operators import operator, policy
from pexip_lab.client import Lab

README = Path(__file__).parents[2] / "README.md"
ROLES = README.parent / "roles"
EXAMPLES = dict(re.findall(r"<!-- inventory: (\w+) -->\n```yaml\n(.*?)```", README.read_text(), re.DOTALL))
CONFIGURATION = "/api/admin/configuration/v1"


# The roles of site, for an inventory without bursting, that ask AWS.
ASKING = ("infinity_preflight", "node_security_group", "management_node", "conferencing_node")


def permissions() -> set[str]:
    """What the roles' READMEs say that the operator must be allowed."""
    texts = [(ROLES / role / "README.md").read_text().split("## IAM permissions")[1] for role in ASKING]
    return {found for text in texts for found in re.findall(r"`((?:ec2|sts):\w+)`", text.split("\n## ")[0])}


@dataclass
class Site:
    """A deployment option: its lab, and the runs of site in it, by name, with what they asked AWS for."""

    lab: Lab
    deployment: str
    inventory: dict
    variables: dict
    operator: dict[str, str]
    runs: dict[str, Any] = field(default_factory=dict)
    writes: dict[str, int] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    @property
    def nodes(self) -> dict[str, str]:
        """The inventory's nodes with their locations."""
        hosts = self.inventory["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
        return {name: variables["pexip_location"] for name, variables in hosts.items()}

    @property
    def instances(self) -> dict[str, dict]:
        """The live instances by node name."""
        live = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        found = [i for r in self.lab.ec2().describe_instances(Filters=live)["Reservations"] for i in r["Instances"]]
        return {tags(instance)["pexip-infinity-node"]: instance for instance in found}

    def objects(self, resource: str) -> list[dict]:
        return self.lab.api(f"{CONFIGURATION}/{resource}/?limit=0")["objects"]


def tags(resource: dict) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}


def lab_values(lab: Lab, deployment: str, inventory: dict, directory: Path) -> dict:
    """The lab's values for variables that the inventory has, and what the lab's ports and passwords are."""
    environment = lab.env
    values = {
        "pexip_key_name": environment["LAB_KEY_NAME"],
        "pexip_management_cidrs": ["127.0.0.1/32"],
    }
    if deployment != "public":  # whose nodes reach the public servers
        values |= {"pexip_dns_servers": [lab.network.resolver], "pexip_ntp_servers": [lab.network.resolver]}
    if deployment == "hybrid":
        place = environment["PEXIP_HOST"], int(environment["PEXIP_PORT"])
        authority = directory / "corporate.pem"
        authority.write_text(ssl.get_server_certificate(place))  # signed by itself
        values |= {
            "pexip_host": place[0],
            "pexip_ca_path": str(authority),
            "pexip_peer_cidrs": [str(lab.network.on_premises)],
        }
    else:
        values["pexip_private_key_file"] = environment["LAB_KEY_FILE"]
    assert set(values) <= set(inventory["all"]["vars"])
    return {
        **values,
        "vault_pexip_admin_password": environment["PEXIP_ADMIN_PASSWORD"],
        "vault_pexip_node_password": environment["PEXIP_NODE_PASSWORD"],
        "pexip_ssh_port": lab.network.ssh_port,
        "pexip_bootstrap_port": lab.network.bootstrap_port,
        "pexip_poll_interval": 1,
    }


@pytest.fixture(scope="module", params=EXAMPLES)
def site(request, lab_factory, module_play, tmp_path_factory):
    """A deployment option after a check on the empty account, the run from nothing, the same again, and a check."""
    deployment = request.param
    with lab_factory(seed="hybrid" if deployment == "hybrid" else None) as lab:
        lab.ec2().allocate_address(Domain="vpc")  # somebody else's
        subnets = {"subnet-0" + 16 * "a": lab.env["LAB_SUBNET_A"], "subnet-0" + 16 * "b": lab.env["LAB_SUBNET_B"]}
        example = re.sub(r"subnet-0\w+", lambda found: subnets[found[0]], EXAMPLES[deployment])
        inventory = yaml.safe_load(example)
        variables = lab_values(lab, deployment, inventory, tmp_path_factory.mktemp("site"))
        done = Site(lab, deployment, inventory, variables, operator(lab, "operator", policy("site")))
        # Only the inventory says where the platform is; password and port come from the environment.
        connection = {"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": "", "PEXIP_PORT": str(lab.network.api_port)}
        environment = connection | done.operator
        for name, check in (("check", True), ("first", False), ("again", False), ("check again", True)):
            lab.requests(reset=True)
            done.runs[name] = module_play(
                lab, "site", inventory=inventory, extra_vars=variables, environment=environment, check=check
            )
            done.writes[name] = lab.writes()
            done.asked |= set(lab.aws_actions()[done.operator["AWS_ACCESS_KEY_ID"]])
        yield done


def test_check_on_an_empty_account_tells_all_and_writes_nothing(site):
    check = site.runs["check"].succeeded()
    assert site.writes["check"] == 0
    for name in site.nodes:
        assert f"would launch {name}" in check.output
        assert f"would register {name}" in check.output


def test_all_nodes_are_in_contact(site):
    site.runs["first"].succeeded()
    rows = {row["name"]: row for row in site.lab.api("/api/admin/status/v1/worker_vm/")["objects"]}
    assert {name: row["sync_status"] for name, row in rows.items()} == dict.fromkeys(site.nodes, "SYNCED")
    assert {name: row["system_location"] for name, row in rows.items()} == site.nodes
    assert set(site.instances) == {*site.nodes, *(() if site.deployment == "hybrid" else ("manager",))}


def test_locations_have_the_servers_of_the_inventory(site):
    wanted = {**site.inventory["all"]["vars"], **site.variables}
    for location in site.objects("system_location"):
        for resource in ("dns_servers", "ntp_servers"):
            assert [server["address"] for server in location[resource]] == wanted[f"pexip_{resource}"]


def test_static_nat_address_is_the_public_address(site):
    machines = site.instances
    nodes = {node["name"]: node for node in site.objects("worker_vm")}
    public = {name: machines[name].get("PublicIpAddress") for name in site.nodes}
    assert {name: nodes[name]["static_nat_address"] for name in site.nodes} == public
    assert all(public.values()) == (site.deployment == "public")


def test_elastic_addresses_are_ours_one_a_node(site):
    machines = site.instances
    addresses = site.lab.ec2().describe_addresses()["Addresses"]
    assert [address for address in addresses if not tags(address) and address.get("InstanceId")] == []
    ours = {address["InstanceId"]: tags(address) for address in addresses if tags(address)}
    names = machines if site.deployment == "public" else ()
    wanted = {
        machines[name]["InstanceId"]: {"Name": name, "pexip-infinity-node": name, "pexip-infinity-platform": "manager"}
        for name in names
    }
    assert set(ours) == set(wanted)
    assert all(given.items() <= ours[instance].items() for instance, given in wanted.items())


def test_everything_was_reached_at_the_address_that_the_inventory_says(site):
    """The public inventory has pexip_connect_via: public, which is where this controller dials from outside."""
    located = site.runs["again"].results("Say where the Management Node is")[-1]["ansible_facts"]
    host = located["management_node_located"]["host"]
    if site.deployment == "hybrid":
        assert host == site.variables["pexip_host"]
    else:
        kind = {"private": "PrivateIpAddress", "public": "PublicIpAddress"}[site.deployment]
        assert host == site.instances["manager"][kind]


def test_nodes_outside_the_vpc_may_speak_ipsec_in_a_hybrid_cloud_alone(site):
    (group,) = site.lab.ec2().describe_security_groups(Filters=[{"Name": "group-name", "Values": ["pexip-nodes"]}])[
        "SecurityGroups"
    ]
    network = str(site.lab.network.on_premises)
    peers = {
        rule["IpProtocol"]
        for rule in group["IpPermissions"]
        if network in [source["CidrIp"] for source in rule["IpRanges"]]
    }
    assert peers == ({"udp", "50"} if site.deployment == "hybrid" else set())


def test_table_is_the_last_word(site):
    shown = site.runs["first"].results("Show the nodes")[-1]["msg"]
    assert [row.split()[0] for row in shown] == ["Node", *site.nodes]
    assert all("SYNCED" in row for row in shown[1:])


@pytest.mark.parametrize("name", ["again", "check again"])
def test_then_nothing_changes(site, name):
    site.runs[name].unchanged()
    assert site.writes[name] == 0


def test_check_then_says_so(site):
    check = site.runs["check again"]
    assert check.results("Tell what would be done")[0]["msg"] == "Nothing would change."
    assert not re.search("would (launch|register|tag)", check.output)


def test_the_plan_is_judged_once_a_run(site):
    assert [len(run.results("Judge the plan", "manager")) for run in site.runs.values()] == [1, 1, 1, 1]
    judged = [event for event in site.runs["again"].events if event["task"].endswith("Judge the plan")]
    assert [event["host"] for event in judged if event["status"] == "ok"] == ["manager"]


def test_no_secret_is_shown(site):
    for run in site.runs.values():
        for name in ("PEXIP_PASSWORD", "PEXIP_ADMIN_PASSWORD", "PEXIP_NODE_PASSWORD", "AWS_SECRET_ACCESS_KEY"):
            assert site.lab.env[name] not in run.output
        assert site.operator["AWS_SECRET_ACCESS_KEY"] not in run.output


def test_the_permissions_of_the_policy_and_those_that_the_roles_name_suffice(site):
    """All runs are an operator's who has exactly the policy docs/iam/site.json; what the account was asked for, it allows."""
    allowed = {action for statement in policy("site")["Statement"] for action in statement["Action"]}
    assert {"ec2:RunInstances", "ec2:CreateSecurityGroup"} <= site.asked <= permissions()
    assert site.asked - allowed <= {"sts:GetCallerIdentity"}  # which nobody needs to be allowed
