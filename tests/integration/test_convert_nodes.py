# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""convert_nodes on a platform with two nodes in EC2: there and back again, judged by what EC2 and the platform say."""

from __future__ import annotations

import copy

import pytest
from pexip_lab.testing import until

BURST = "AWS burst"


@pytest.fixture(scope="module")
def platform(lab_factory):
    """A lab with nodes and an overflow location."""
    with lab_factory(seed="nodes") as lab:
        lab.api("/api/admin/configuration/v1/system_location/", method="POST", json={"name": BURST})
        yield lab


def inventory(lab, *overflow: str) -> dict:
    """The lab's inventory with some nodes in the group of overflow nodes."""
    hosts = copy.deepcopy(lab.inventory)
    groups = hosts["all"]["children"]["pexip_nodes"]["children"]
    for name in overflow:
        node = groups["pexip_always_on"]["hosts"].pop(name)
        groups["pexip_overflow"].setdefault("hosts", {})[name] = {**node, "pexip_location": BURST}
    return hosts


def state(lab, name: str) -> dict:
    """What EC2 and the platform say of a node."""
    found = lab.ec2().describe_instances(Filters=[{"Name": "tag:pexip-infinity-node", "Values": [name]}])
    (instance,) = [i for r in found["Reservations"] for i in r["Instances"] if i["State"]["Name"] != "terminated"]
    (node,) = lab.api(f"/api/admin/configuration/v1/worker_vm/?name={name}")["objects"]
    location = lab.api(node["system_location"])
    return {
        "power": instance["State"]["Name"],
        "tag": {tag["Key"]: tag["Value"] for tag in instance["Tags"]}.get("pexip-cloud"),
        "location": location["name"],
        "database": node["enable_distributed_database"],
        "maintenance": node["maintenance_mode"],
    }


def reported(lab, name: str) -> dict:
    """What a node last reported."""
    (row,) = lab.api(f"/api/admin/status/v1/worker_vm/?name={name}")["objects"]
    return row


OVERFLOW = {"power": "stopped", "tag": "manager", "location": BURST, "database": False, "maintenance": False}
ALWAYS_ON = {"power": "running", "tag": None, "location": "Oslo", "database": True, "maintenance": False}
DRAIN = "Put the nodes into maintenance and wait until they carry no conference"
MOVE = "Set location, distributed database and static NAT address"


@pytest.fixture
def convert(platform, play):
    """Runs the playbook for conf02, which the inventory has in the group of overflow nodes or not."""

    def run(overflow: bool, **options):
        hosts = inventory(platform, "conf02") if overflow else platform.inventory
        return play(platform, "convert_nodes", "--limit", "conf02", inventory=hosts, **options)

    return run


def test_check_tells_the_steps_and_writes_nothing(platform, convert):
    platform.requests(reset=True)
    check = convert(overflow=True, check=True).succeeded()
    (row,) = [line for line in check.results("Tell what would be done")[0]["msg"] if line.startswith("conf02")]
    assert all(step in row for step in ("overflow", "move to AWS burst", "distributed database off", "stop and tag"))
    assert platform.writes() == 0


def test_what_is_not_possible_is_refused_before_anything_is_changed(platform, convert):
    platform.requests(reset=True)
    run = convert(overflow=True, extra_vars={"node_conversion_floor": 1000}).failed()
    assert any("node_conversion_floor is 1000 HD connections" in message for message in run.failures)
    assert platform.writes() == 0


def test_a_node_that_carries_calls_stays(platform, convert):
    call = platform.call_start("Oslo", 3)
    run = convert(overflow=True, extra_vars={"node_conversion_drain_timeout": 2}).failed()
    assert any("conf02 still carries 1 conference(s) with 3 participant(s)" in message for message in run.failures)
    assert state(platform, "conf02") == {**ALWAYS_ON, "maintenance": True}
    (carried,) = platform.status()["calls"]
    assert (carried["participants"], platform.status()["dropped"]) == (3, 0)
    platform.call_end(call)


def test_to_overflow_killed_after_every_step(platform, convert):
    for step in (DRAIN, MOVE, "Stop the instance", "Tag the instance for bursting"):
        assert convert(overflow=True, environment={"PEXIP_TEST_KILL_AFTER": step}).rc == -9, step
        now = state(platform, "conf02")
        assert now["maintenance"], step
        assert now["tag"] is None or (now["location"], now["power"]) == (BURST, "stopped"), step
    convert(overflow=True).succeeded()
    assert state(platform, "conf02") == OVERFLOW
    platform.requests(reset=True)
    convert(overflow=True).unchanged()
    assert platform.writes() == 0


def test_onboarding_does_not_convert_in_passing(platform, play):
    platform.requests(reset=True)
    run = play(platform, "onboard_nodes", "--limit", "conf02").failed()
    assert any("convert_nodes" in message and "pexip-cloud" in message for message in run.failures)
    assert platform.writes() == 0
    assert state(platform, "conf02") == OVERFLOW


def test_to_always_on_killed_after_every_step(platform, convert):
    for step in ("Take the bursting tag away", DRAIN, "Start the instance", MOVE):
        assert convert(overflow=False, environment={"PEXIP_TEST_KILL_AFTER": step}).rc == -9, step
        now = state(platform, "conf02")
        assert now["tag"] is None, step
        assert now["maintenance"] or now["power"] == "stopped", step
    before = reported(platform, "conf02")
    convert(overflow=False).succeeded()
    assert state(platform, "conf02") == ALWAYS_ON
    until(lambda: reported(platform, "conf02")["sync_status"] == "SYNCED", "conf02 to take its last change")
    assert reported(platform, "conf02")["last_updated"] > before["last_updated"]
    platform.requests(reset=True)
    convert(overflow=False, check=True).unchanged()
    assert platform.writes() == 0
