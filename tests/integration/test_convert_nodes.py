# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""convert_nodes on a platform with two nodes in EC2: there and back again, judged by what EC2 and the platform say.

The tests share one lab and go on from one another, in the order in which they stand. Every run is watched from its
first task to its end, or its death: see `watched`.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import add_locations
from pexip_lab.testing import until

BURST = "AWS burst"
CONFIGURATION = "/api/admin/configuration/v1/"


@pytest.fixture(scope="module")
def platform(lab_factory):
    """A lab with nodes and an overflow location."""
    with lab_factory(seed="nodes") as lab:
        add_locations(lab, BURST)
        yield lab


def inventory(lab, *overflow: str) -> dict:
    """The lab's inventory with some nodes in the group of overflow nodes."""
    hosts = copy.deepcopy(lab.inventory)
    groups = hosts["all"]["children"]["pexip_nodes"]["children"]
    for name in overflow:
        node = groups["pexip_always_on"]["hosts"].pop(name)
        groups["pexip_overflow"].setdefault("hosts", {})[name] = {**node, "pexip_location": BURST}
    return hosts


def instance(lab, name: str) -> dict:
    """A node's instance as EC2 describes it."""
    found = lab.ec2().describe_instances(Filters=[{"Name": "tag:pexip-infinity-node", "Values": [name]}])
    (live,) = [i for r in found["Reservations"] for i in r["Instances"] if i["State"]["Name"] != "terminated"]
    return live


def state(lab, name: str) -> dict:
    """What EC2 and the platform say of a node."""
    machine = instance(lab, name)
    (node,) = lab.api(f"{CONFIGURATION}worker_vm/?name={name}")["objects"]
    location = lab.api(node["system_location"])
    return {
        "power": machine["State"]["Name"],
        "tag": {tag["Key"]: tag["Value"] for tag in machine["Tags"]}.get("pexip-cloud"),
        "location": location["name"],
        "database": node["enable_distributed_database"],
        "maintenance": node["maintenance_mode"],
    }


def reported(lab, name: str) -> dict:
    """What a node last reported."""
    (row,) = lab.api(f"/api/admin/status/v1/worker_vm/?name={name}")["objects"]
    return row


def fleet(lab, ec2) -> list[dict]:
    """The nodes with what matters of their instances; what AWS says is read first."""
    found = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
    by_address = {i["PrivateIpAddress"]: i for i in found if "PrivateIpAddress" in i}
    names = {row["resource_uri"]: row["name"] for row in lab.api(f"{CONFIGURATION}system_location/")["objects"]}
    capacity = {row["name"]: row["max_hd_calls"] for row in lab.api("/api/admin/status/v1/worker_vm/")["objects"]}
    nodes = []
    for row in lab.api(f"{CONFIGURATION}worker_vm/")["objects"]:
        machine = by_address.get(row["address"], {"State": {"Name": "running"}})  # on premises they always run
        nodes.append(
            {
                "name": row["name"],
                "location": names[row["system_location"]],
                "power": machine["State"]["Name"],
                "tagged": "pexip-cloud" in {tag["Key"] for tag in machine.get("Tags", ())},
                "serves": not row["maintenance_mode"],
                "capacity": capacity[row["name"]],
            }
        )
    return nodes


def in_service(nodes: list[dict]) -> int:
    """HD connections of the always-on nodes that run and take conferences."""
    return sum(n["capacity"] for n in nodes if n["serves"] and n["power"] == "running" and not n["tagged"])


@contextlib.contextmanager
def watched(lab, floor: int = 0) -> Iterator[None]:
    """Looks all the time while the block runs; what must never be is an error: a node that serves while it is being
    stopped, one tagged for bursting in an always-on location, less capacity in service than the floor."""
    over, seen = threading.Event(), []

    def watch() -> None:
        ec2 = lab.ec2()
        while not over.wait(0.5):
            nodes = fleet(lab, ec2)
            seen.extend(f"{n['name']} serves while it is being stopped" for n in stopped_early(nodes))
            seen.extend(
                f"{n['name']} is tagged in {n['location']}" for n in nodes if n["tagged"] and n["location"] != BURST
            )
            if in_service(nodes) < floor:
                seen.append(f"{in_service(nodes)} in service: {nodes}")

    def stopped_early(nodes: list[dict]) -> list[dict]:
        return [n for n in nodes if n["serves"] and n["power"] == "stopping"]

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield
        finally:
            over.set()
        watching.result()
    assert seen == []
    assert lab.status()["dropped"] == 0


OVERFLOW = {"power": "stopped", "tag": "manager", "location": BURST, "database": False, "maintenance": False}
ALWAYS_ON = {"power": "running", "tag": None, "location": "Oslo", "database": True, "maintenance": False}
UNTAG = "Take the bursting tag away"
DRAIN = "Put the nodes into maintenance and wait until they carry no conference"
RESERVE = "Put the nodes that do not run into maintenance"
MOVE = "Set location, distributed database and static NAT address"
LEAVE = "Take the nodes out of maintenance"


@pytest.fixture
def convert(platform, play):
    """Runs the playbook for conf02, which the inventory has in the group of overflow nodes or not."""

    def run(overflow: bool, **options):
        hosts = inventory(platform, "conf02") if overflow else platform.inventory
        with watched(platform):
            return play(platform, "convert_nodes", "--limit", "conf02", inventory=hosts, **options)

    return run


@pytest.fixture
def killed_after_every_step(convert):
    """Kills the playbook after each of the steps; gives the tasks that changed anything in any of the runs."""

    def kill(overflow: bool, steps: list[str], judge) -> set[str]:
        changed = set()
        for step in steps:
            run = convert(overflow, environment={"PEXIP_TEST_KILL_AFTER": step})
            assert run.rc == -9, (step, run.output)
            changed |= {event["task"].split(" : ")[-1] for event in run.events if event["changed"]}
            judge(step)
        return changed

    return kill


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
    options = {"node_conversion_drain_timeout": 2, "node_conversion_on_timeout": "restore"}
    run = convert(overflow=True, extra_vars=options).failed()
    assert any("It serves again" in message for message in run.failures)
    assert state(platform, "conf02") == ALWAYS_ON
    (carried,) = platform.status()["calls"]
    assert carried["participants"] == 3
    platform.call_end(call)


def test_to_overflow_killed_after_every_step(platform, convert, killed_after_every_step):
    def judge(step: str) -> None:
        now = state(platform, "conf02")
        assert now["maintenance"] or step == LEAVE, step
        assert now["tag"] is None or (now["location"], now["power"]) == (BURST, "stopped"), step

    changes = [DRAIN, MOVE, "Stop the instance", "Tag the instance for bursting", LEAVE]
    waits = ["Wait until the nodes report in", "Wait until the instance has stopped"]
    steps = [*changes[:2], waits[0], changes[2], waits[1], *changes[3:]]
    # A run that finds the tag takes it away before all else.
    assert killed_after_every_step(True, steps, judge) == {UNTAG, *changes}
    assert state(platform, "conf02") == OVERFLOW
    platform.requests(reset=True)
    convert(overflow=True).unchanged()
    convert(overflow=True, check=True).unchanged()
    assert platform.writes() == 0


def test_onboarding_does_not_convert_in_passing(platform, play):
    platform.requests(reset=True)
    run = play(platform, "onboard_nodes", "--limit", "conf02").failed()
    assert any("convert_nodes" in message and "pexip-cloud" in message for message in run.failures)
    assert platform.writes() == 0
    assert state(platform, "conf02") == OVERFLOW


def test_to_always_on_killed_after_every_step(platform, convert, killed_after_every_step):
    def judge(step: str) -> None:
        now = state(platform, "conf02")
        assert now["tag"] is None, step
        assert now["maintenance"] or now["power"] == "stopped" or step == LEAVE, step

    before = reported(platform, "conf02")
    changes = [UNTAG, RESERVE, "Start the instance", MOVE, LEAVE]
    waits = ["Wait until the instance runs and has its addresses", "Wait until the nodes report in"]
    steps = [*changes[:3], *waits, *changes[3:]]
    assert killed_after_every_step(False, steps, judge) == set(changes)
    assert state(platform, "conf02") == ALWAYS_ON
    until(lambda: reported(platform, "conf02")["sync_status"] == "SYNCED", "conf02 to take its last change")
    assert reported(platform, "conf02")["last_updated"] > before["last_updated"]
    platform.requests(reset=True)
    convert(overflow=False).unchanged()
    convert(overflow=False, check=True).unchanged()
    assert platform.writes() == 0


def test_a_floor_holds_for_all_batches(platform, play):
    """Two nodes of 15 are to leave service, one has to stay; the one on premises has 7."""
    hosts, floor = inventory(platform, "conf01", "conf02"), in_service(fleet(platform, platform.ec2())) - 15
    platform.requests(reset=True)
    run = play(platform, "convert_nodes", inventory=hosts, extra_vars={"node_conversion_floor": floor}).failed()
    told = "without conf01, conf02 the always-on nodes in service have 7 of 37"
    assert any(told in message for message in run.failures), run.failures
    assert platform.writes() == 0

    with watched(platform, floor):
        one_by_one = {"node_conversion_floor": floor, "pexip_serial": 1}
        run = play(platform, "convert_nodes", inventory=hosts, extra_vars=one_by_one).failed()
    told = "without conf02 the always-on nodes in service have 7 of 22"
    assert any(told in message for message in run.failures), run.failures
    assert state(platform, "conf01") == OVERFLOW
    assert state(platform, "conf02") == ALWAYS_ON
    assert "Not finished: conf02." in run.results("Say how to resume")[-1]["msg"]


def test_many_nodes_both_ways_at_once(platform, play):
    hosts, floor = inventory(platform, "conf02"), 7
    with watched(platform, floor):
        run = play(platform, "convert_nodes", inventory=hosts, extra_vars={"node_conversion_floor": floor})
    run.succeeded()
    assert state(platform, "conf01") == {**ALWAYS_ON, "location": "London"}
    assert state(platform, "conf02") == OVERFLOW
    platform.requests(reset=True)
    play(platform, "convert_nodes", inventory=hosts).unchanged()
    assert platform.writes() == 0


def test_the_static_nat_address_follows_the_instance(platform, play):
    """A node with a public address that EC2 assigns: an overflow node keeps none, an always-on node has the new one."""
    always_on = inventory(platform, "conf02")
    groups = always_on["all"]["children"]["pexip_nodes"]["children"]
    node = {**groups["pexip_always_on"]["hosts"]["conf01"], "pexip_location": "Oslo", "pexip_deployment": "hybrid"}
    groups["pexip_always_on"]["hosts"]["conf03"] = {**node, "pexip_public_address": "dynamic"}
    overflow = inventory(platform, "conf02")
    groups = overflow["all"]["children"]["pexip_nodes"]["children"]
    groups["pexip_overflow"]["hosts"]["conf03"] = {**node, "pexip_location": BURST}

    def addresses() -> tuple[str | None, str | None]:
        """The instance's public address, and the node's static NAT address."""
        (row,) = platform.api(f"{CONFIGURATION}worker_vm/?name=conf03")["objects"]
        return instance(platform, "conf03").get("PublicIpAddress"), row["static_nat_address"]

    play(platform, "onboard_nodes", "--limit", "conf03", inventory=always_on).succeeded()
    first, configured = addresses()
    assert first and configured == first
    with watched(platform):
        play(platform, "convert_nodes", "--limit", "conf03", inventory=overflow).succeeded()
    assert addresses() == (None, None)
    with watched(platform):
        play(platform, "convert_nodes", "--limit", "conf03", inventory=always_on).succeeded()
    second, configured = addresses()
    assert second not in (None, first) and configured == second
    play(platform, "convert_nodes", "--limit", "conf03", inventory=always_on).unchanged()
