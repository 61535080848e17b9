"""The seeds, and the inventory that fits them."""

from datetime import UTC, datetime, timedelta

import pytest
from pexip_lab import launcher
from pexip_lab.network import CONTROLLER
from pexip_lab.planted import PLANTED

CONFIGURATION, STATUS = "/api/admin/configuration/v1", "/api/admin/status/v1"


class Seeded:
    """A platform that bursts, as AWS and the management API show it."""

    def __init__(self, lab):
        self.lab, self.ec2, self.iam = lab, lab.ec2(), lab.iam()
        self.settings = lab.api(f"{CONFIGURATION}/global/1/")
        self.locations = {row["name"]: row for row in self.rows(f"{CONFIGURATION}/system_location")}
        self.nodes = {row["name"]: row for row in self.rows(f"{CONFIGURATION}/worker_vm")}
        self.status = {row["name"]: row for row in self.rows(f"{STATUS}/worker_vm")}
        found = [item["Instances"][0] for item in self.ec2.describe_instances()["Reservations"]]
        self.instances = {self.tags(instance)["Name"].removeprefix("Pexip "): instance for instance in found}
        # what its access key's user may do
        key = self.settings["aws_access_key"]
        self.user = self.iam.get_access_key_last_used(AccessKeyId=key)["UserName"]
        (self.policy,) = self.iam.list_attached_user_policies(UserName=self.user)["AttachedPolicies"]
        version = self.iam.get_policy(PolicyArn=self.policy["PolicyArn"])["Policy"]["DefaultVersionId"]
        document = self.iam.get_policy_version(PolicyArn=self.policy["PolicyArn"], VersionId=version)
        self.statements = document["PolicyVersion"]["Document"]["Statement"]

    def rows(self, path):
        return self.lab.api(f"{path}/?limit=100")["objects"]

    @staticmethod
    def tags(instance):
        return {tag["Key"]: tag["Value"] for tag in instance["Tags"]}

    def tag(self, name):
        return self.tags(self.instances[name]).get("pexip-cloud")

    def state(self, name):
        return self.instances[name]["State"]["Name"]

    def overflow(self, location, which=1):
        """The name of a location's overflow location."""
        uri = self.locations[location][f"overflow_location{which}"]
        return next((name for name, row in self.locations.items() if row["resource_uri"] == uri), None)

    def nodes_of(self, location):
        return {
            name
            for name, node in self.nodes.items()
            if node["system_location"] == self.locations[location]["resource_uri"]
        }

    @property
    def tag_in_policy(self):
        return self.statements[1]["Condition"]["StringEquals"]["ec2:ResourceTag/pexip-cloud"]


def test_platform(another_lab):
    lab = another_lab("platform")
    assert lab.requests() == {}
    (instance,) = lab.ec2().describe_instances()["Reservations"][0]["Instances"]
    tags = {tag["Key"]: tag["Value"] for tag in instance["Tags"]}
    assert tags == {
        "Name": "manager",
        "pexip-infinity-node": "manager",
        "pexip-infinity-platform": "manager",
        "pexip-infinity-role": "management",
        "pexip-infinity-tls-fingerprint": lab.env["PEXIP_TLS_FINGERPRINT"],
    }
    assert lab.env["PEXIP_HOST"] == instance["PrivateIpAddress"]
    assert lab.api("/api/admin/configuration/v1/system_location/")["objects"] == []
    assert lab.api("/api/admin/configuration/v1/worker_vm/")["objects"] == []
    (manager,) = lab.api("/api/admin/configuration/v1/management_vm/")["objects"]
    assert manager["hostname"] == "manager"
    variables = lab.inventory["all"]["vars"]
    assert variables["pexip_host"] == lab.env["PEXIP_HOST"]
    assert variables["pexip_tls_fingerprint"] == lab.env["PEXIP_TLS_FINGERPRINT"]
    assert variables["pexip_port"] == lab.network.api_port


def test_nodes(another_lab):
    lab = another_lab("nodes", time_scale=60)
    nodes = lab.api("/api/admin/status/v1/worker_vm/")["objects"]
    assert {(node["name"], node["system_location"], node["sync_status"]) for node in nodes} == {
        ("conf01", "London", "SYNCED"),
        ("conf02", "Oslo", "SYNCED"),
        ("onprem01", "HQ", "SYNCED"),
    }
    instances = [item["Instances"][0] for item in lab.ec2().describe_instances()["Reservations"]]
    assert len(instances) == 3
    premises = lab.api("/api/admin/configuration/v1/worker_vm/?name=onprem01")["objects"][0]["address"]
    assert premises.startswith(str(lab.network.on_premises)[:7])
    hosts = lab.inventory["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
    assert {name: host["pexip_location"] for name, host in hosts.items()} == {"conf01": "London", "conf02": "Oslo"}


def test_bursting(another_lab):
    lab = another_lab("bursting", time_scale=60)
    seeded = Seeded(lab)
    assert seeded.nodes_of("London") == {"conf01"}
    assert seeded.nodes_of("Oslo") == {"conf02"}
    assert seeded.nodes_of("AWS burst") == {"burst01", "burst02"}
    assert {name: seeded.overflow(name) for name in seeded.locations} == {
        "London": "AWS burst",
        "Oslo": "AWS burst",
        "AWS burst": None,
    }
    assert {name: (seeded.state(name), seeded.tag(name)) for name in seeded.instances} == {
        "manager": ("running", None),
        "conf01": ("running", None),
        "conf02": ("running", None),
        "burst01": ("stopped", "manager"),
        "burst02": ("stopped", "manager"),
    }
    for name, node in seeded.nodes.items():
        assert node["enable_distributed_database"] == (not name.startswith("burst"))
        assert node["address"] == seeded.instances[name]["PrivateIpAddress"]
        assert seeded.status[name]["last_updated"] is not None
        tags = seeded.tags(seeded.instances[name])
        assert (tags["pexip-infinity-node"], tags["pexip-infinity-platform"]) == (name, "manager")
    assert {seeded.status[name]["sync_status"] for name in ("conf01", "conf02")} == {"SYNCED"}
    assert seeded.settings["bursting_enabled"] is True
    assert (seeded.settings["bursting_threshold"], seeded.settings["bursting_min_lifetime"]) == (5, 50)
    assert (seeded.user, seeded.policy["PolicyName"]) == ("pexip-manager", "pexip-bursting-manager")
    assert seeded.statements == [
        {"Action": ["ec2:Describe*"], "Effect": "Allow", "Resource": "*"},
        {
            "Action": ["ec2:StartInstances", "ec2:StopInstances"],
            "Effect": "Allow",
            "Resource": "*",
            "Condition": {"StringEquals": {"ec2:ResourceTag/pexip-cloud": "manager"}},
        },
    ]
    inventory = lab.inventory["all"]
    assert inventory["vars"]["pexip_overflow"] == {"London": "AWS burst", "Oslo": "AWS burst"}
    groups = inventory["children"]["pexip_nodes"]["children"]
    placed = {name: {host: row["pexip_location"] for host, row in groups[name]["hosts"].items()} for name in groups}
    assert placed == {
        "pexip_always_on": {"conf01": "London", "conf02": "Oslo"},
        "pexip_overflow": {"burst01": "AWS burst", "burst02": "AWS burst"},
    }


def test_by_hand(another_lab):
    lab = another_lab("by-hand", time_scale=60)
    seeded = Seeded(lab)
    # it is a working platform, on which nothing carries our tags
    assert seeded.settings["bursting_enabled"] is True
    for name in ("conf01", "conf02", "onprem01"):
        assert seeded.status[name]["sync_status"] == "SYNCED"
    every_tag = {key for instance in seeded.instances.values() for key in seeded.tags(instance)}
    assert every_tag == {"Name", "pexip-cloud"}
    assert seeded.overflow("London") == "AWS burst"

    planted = {(mistake.code, mistake.thing) for mistake in PLANTED}
    assert planted == by_looking(seeded)

    variables, groups = (lab.inventory["all"][part] for part in ("vars", "children"))
    assert variables["pexip_adopt"] is True
    assert variables["pexip_overflow"] == dict.fromkeys(("London", "Oslo", "HQ"), "AWS burst")
    hosts = {name: list(group["hosts"]) for name, group in groups["pexip_nodes"]["children"].items()}
    assert hosts == {
        "pexip_always_on": ["conf01", "conf02"],
        "pexip_overflow": ["burst01", "burst02", "burst03", "burst04", "burst05"],
    }


def by_looking(seeded):
    """What is wrong on the platform of `by-hand`, found by looking at AWS and the platform."""
    inventory = seeded.lab.inventory["all"]
    groups = inventory["children"]["pexip_nodes"]["children"]
    meant_for_overflow = set(groups["pexip_overflow"]["hosts"])
    found = set()
    addresses = {instance["PrivateIpAddress"]: name for name, instance in seeded.instances.items()}
    if seeded.tag_in_policy != "manager":
        found.add(("policy-host-name", seeded.policy["PolicyName"]))
    for name, node in seeded.nodes.items():
        overflow = name in meant_for_overflow
        if overflow and node["enable_distributed_database"]:
            found.add(("distributed-database", name))
        if overflow and name not in seeded.nodes_of("AWS burst"):
            found.add(("location-wrong", name))
        if node["address"] not in addresses:
            # those on premises have none
            found |= {("node-without-instance", name)} if overflow else set()
            continue
        tag, instance = seeded.tag(name), seeded.instances[name]
        if overflow and tag != "manager":
            found.add(("tag-wrong" if tag else "tag-missing", name))
        if not overflow and tag:
            found.add(("tag-stray", name))
        if (node["static_nat_address"] or None) != instance.get("PublicIpAddress"):
            found.add(("static-nat-stale", name))
        if not seeded.status[name]["version"].startswith("11.0.0 "):
            found.add(("version-differs", name))
        uptime = datetime.fromisoformat(seeded.lab.status()["time"]).astimezone(UTC) - instance["LaunchTime"]
        if (
            overflow
            and seeded.state(name) == "running"
            and uptime > timedelta(minutes=seeded.settings["bursting_min_lifetime"])
        ):
            found.add(("idle-overrun", name))
    for name, instance in seeded.instances.items():
        if seeded.tag(name) and instance["PrivateIpAddress"] not in {node["address"] for node in seeded.nodes.values()}:
            found.add(("instance-without-node", seeded.tags(instance)["Name"]))
    for name in inventory["vars"]["pexip_overflow"]:
        members = seeded.nodes_of(name)
        if members & meant_for_overflow and members - meant_for_overflow:
            found.add(("location-mixed", name))
        if seeded.overflow(name) != "AWS burst":
            secondary = seeded.overflow(name, 2) == "AWS burst"
            found.add(("overflow-location-secondary-only" if secondary else "overflow-location-missing", name))
    capacity = sum(row["max_hd_calls"] for name, row in seeded.status.items() if name not in meant_for_overflow)
    if not capacity * 0.1 <= seeded.settings["bursting_threshold"] <= capacity * 0.2:
        found.add(("threshold-unadvised", "Global settings"))
    if seeded.rows(f"{STATUS}/licensing")[0]["port_total"] < capacity:
        found.add(("licences-few", "Licences"))
    return found


def test_hybrid(another_lab):
    lab = another_lab("hybrid")
    assert lab.ec2().describe_instances()["Reservations"] == []
    variables = lab.inventory["all"]["vars"]
    assert variables["pexip_deployment"] == "hybrid"
    assert variables["pexip_peer_cidrs"] == [str(lab.network.on_premises)]
    assert lab.api("/api/admin/configuration/v1/management_vm/")["objects"][0]["address"] == variables["pexip_host"]


def test_inventory_of_an_empty_account(lab):
    inventory = lab.inventory["all"]
    env = lab.env
    assert "PEXIP_HOST" not in env
    assert inventory["vars"]["pexip_deployment"] == "private"
    assert inventory["vars"]["pexip_management_cidrs"] == [f"{CONTROLLER}/32"]
    assert "pexip_host" not in inventory["vars"]
    assert list(inventory["children"]["pexip_management"]["hosts"]) == ["manager"]
    nodes = inventory["children"]["pexip_nodes"]["children"]
    placed = {
        name: (host["pexip_location"], host["pexip_subnet_id"])
        for name, host in nodes["pexip_always_on"]["hosts"].items()
    }
    assert placed == {
        "conf01": ("London", env["LAB_SUBNET_A"]),
        "conf02": ("London", env["LAB_SUBNET_A"]),
        "conf03": ("Oslo", env["LAB_SUBNET_B"]),
        "conf04": ("Oslo", env["LAB_SUBNET_B"]),
    }
    assert nodes["pexip_overflow"]["hosts"] == {}


def test_inventory_of_a_public_deployment(lab):
    inventory = lab.inventory_for("public")["all"]
    assert inventory["vars"]["pexip_connect_via"] == "public"
    hosts = inventory["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
    assert {host["pexip_public_address"] for host in hosts.values()} == {"elastic", "dynamic"}
    assert inventory["children"]["pexip_management"]["hosts"]["manager"] == {"pexip_public_address": "elastic"}


@pytest.mark.parametrize("deployment", ["hybrid", "martian"])
def test_inventories_that_do_not_fit(lab, deployment):
    with pytest.raises(launcher.LabError, match="deployment"):
        lab.inventory_for(deployment)
