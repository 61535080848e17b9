"""The seeds, and the inventory that fits them."""

import pytest
from pexip_lab import launcher
from pexip_lab.network import CONTROLLER


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
    assert inventory["vars"]["pexip_connect_via"] == "private"
    hosts = inventory["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
    assert {host["pexip_public_address"] for host in hosts.values()} == {"elastic", "dynamic"}
    assert inventory["children"]["pexip_management"]["hosts"]["manager"] == {"pexip_public_address": "elastic"}


@pytest.mark.parametrize("deployment", ["hybrid", "martian"])
def test_inventories_that_do_not_fit(lab, deployment):
    with pytest.raises(launcher.LabError, match="deployment"):
        lab.inventory_for(deployment)
