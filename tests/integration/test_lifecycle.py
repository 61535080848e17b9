# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""stop_nodes, start_nodes, restart_nodes, refresh_static_nat and remove_nodes, judged by what AWS and the platform then say.

The tests of this file share one lab and go on from one another, in the order in which they stand: conf01 and conf02 in
London, conf03 with an Elastic IP address and conf04 with a dynamic public one in Oslo, and two overflow nodes.
"""

from __future__ import annotations

import copy
import threading
import time
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest
from pexip_lab.testing import until

CONFIGURATION = "/api/admin/configuration/v1"
STATUS = "/api/admin/status/v1"
DRAIN = "wait until they carry no conference"
ALL_OUT = {"node_maintenance_floor_nodes": 0}


@pytest.fixture(scope="module")
def lab(lab_factory, module_play):
    """The seed `bursting` with conf02 in London, too, and two more nodes, which onboard_nodes makes."""
    with lab_factory(seed="bursting") as lab:
        (london,) = lab.api(f"{CONFIGURATION}/system_location/?name=London")["objects"]
        patch(lab, "conf02", system_location=london["resource_uri"])
        module_play(lab, "onboard_nodes", "--limit", "conf03,conf04", inventory=hosts(lab)).succeeded()
        until(lambda: all(serves(lab, name) for name in ("conf01", "conf02")), "conf02 to have moved")
        yield lab


def hosts(lab) -> dict:
    """The inventory that goes with it."""
    inventory = copy.deepcopy(lab.inventory)
    inventory["all"]["vars"]["pexip_deployment"] = "hybrid"
    always_on = inventory["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
    always_on["conf03"] = {**always_on["conf02"], "pexip_public_address": "elastic"}
    always_on["conf04"] = {**always_on["conf02"], "pexip_public_address": "dynamic"}
    always_on["conf02"]["pexip_location"] = "London"
    return inventory


@pytest.fixture(scope="module")
def run(lab, module_play):
    """Runs a playbook for some nodes; each run counts its own writes."""
    inventory = hosts(lab)

    def run(playbook: str, nodes: str = "", **options):
        lab.requests(reset=True)
        return module_play(lab, playbook, *(["--limit", nodes] if nodes else []), inventory=inventory, **options)

    return run


@pytest.fixture(scope="module")
def killed(run):
    """Runs a playbook, which is killed after a task."""

    def killed(step: str, playbook: str, nodes: str, **options):
        done = run(playbook, nodes, environment={"PEXIP_TEST_KILL_AFTER": step}, **options)
        assert done.rc == -9, f"{step}: {done.output[-4000:]}"

    return killed


def node(lab, name: str) -> dict | None:
    """A node's configuration."""
    return next(iter(lab.api(f"{CONFIGURATION}/worker_vm/?name={name}")["objects"]), None)


def patch(lab, name: str, **fields) -> None:
    lab.api(node(lab, name)["resource_uri"], method="PATCH", json=fields)


def reserve(lab, name: str, reason: str) -> None:
    """What an operator does in the administrator interface; without a reason he takes it back."""
    patch(lab, name, maintenance_mode=bool(reason), maintenance_mode_reason=reason)


def instances(lab, name: str) -> list[dict]:
    """A node's live instances, with their tags as a dictionary."""
    found = lab.ec2().describe_instances(Filters=[{"Name": "tag:pexip-infinity-node", "Values": [name]}])
    every = [instance for reservation in found["Reservations"] for instance in reservation["Instances"]]
    live = [instance for instance in every if instance["State"]["Name"] not in ("shutting-down", "terminated")]
    return [instance | {"Tags": {tag["Key"]: tag["Value"] for tag in instance["Tags"]}} for instance in live]


def machine(lab, name: str) -> dict:
    """A node's one instance."""
    (instance,) = instances(lab, name)
    return instance


def state(lab, name: str) -> tuple[str, str | None, str | None]:
    """Its instance's state, the reason of its maintenance mode (None out of it), and the tag pexip-cloud."""
    configured, instance = node(lab, name), machine(lab, name)
    reason = configured["maintenance_mode_reason"] if configured["maintenance_mode"] else None
    return instance["State"]["Name"], reason, instance["Tags"].get("pexip-cloud")


def serves(lab, name: str) -> bool:
    """Whether a node is in contact and not in maintenance mode, as the platform sees it."""
    (row,) = lab.api(f"{STATUS}/worker_vm/?name={name}")["objects"]
    return row["sync_status"] == "SYNCED" and not row["maintenance_mode"]


def row(done, name: str) -> str:
    """A node's line in the table of what would be done; empty when it has none."""
    lines = [line for result in done.results("Tell what would be done") for line in result.get("msg", [])]
    return next((line for line in lines if line.startswith(name)), "")


def resumes(done) -> str:
    """The last line that says which command resumes."""
    return next((result["msg"] for result in done.results("Say how to resume") if "msg" in result), "")


SERVES = ("running", None, None)
STOPPED = ("stopped", "pexip.infinity: stopping", None)


# the floor


def test_the_floor_keeps_the_last_node_of_a_location(lab, run):
    check = run("stop_nodes", "conf0*", check=True).failed()
    london, oslo = sorted(check.failures)
    assert "conf02: without it London has 0 always-on nodes in service" in london
    assert "conf04: without it Oslo has 0 always-on nodes in service" in oslo
    assert "node_maintenance_floor_nodes is 1" in london
    assert "maintenance mode, wait until it carries no conference, stop the instance" in row(check, "conf01")
    assert row(check, "conf04") == ""
    assert lab.writes() == 0
    assert resumes(check).endswith("--check --diff pexip.infinity.stop_nodes --limit conf02,conf04")


def test_nodes_that_are_drained_together_have_one_timeout(lab, module_play):
    inventory = hosts(lab)
    always_on = inventory["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
    always_on["conf03"]["node_maintenance_drain_timeout"] = 60
    always_on["conf03"]["node_maintenance_floor_nodes"] = 0
    lab.requests(reset=True)
    done = module_play(lab, "stop_nodes", "--limit", "conf01,conf03", inventory=inventory).failed()
    (message, *_same) = done.failures
    assert "node_maintenance_drain_timeout is 3600.0 for conf01 and 60.0 for conf03" in message
    assert "floor" not in message  # which is a location's own
    assert lab.writes() == 0


# overflow nodes, before calls in London start them


def test_two_runs_at_once_leave_a_location_the_node_that_its_floor_needs(lab, run, module_play):
    """Both see two nodes in service when they plan; the one that comes last gives its node back."""
    lab.requests(reset=True)
    fault = lab.fault_add("hold", write=1, when="before")
    late = module_play.start(lab, "stop_nodes", "--limit", "conf01", inventory=hosts(lab))
    until(lambda: any(fault["held"] for fault in lab.faults()), "the first run to begin")
    module_play(lab, "stop_nodes", "--limit", "conf02", inventory=hosts(lab)).succeeded()
    lab.fault_clear(fault)
    (message,) = late.wait().failed().failures
    assert "conf01: without it London has 0 always-on nodes in service" in message
    assert "Another run has taken nodes out at the same time. conf01 serves again" in message
    assert (state(lab, "conf01"), state(lab, "conf02")) == (SERVES, STOPPED)
    run("start_nodes", "conf02").succeeded()
    assert state(lab, "conf02") == SERVES


def test_an_overflow_node_is_taken_from_the_platform_and_given_back(lab, run, killed):
    killed("Take the bursting tag away", "stop_nodes", "burst01")
    run("stop_nodes", "burst01").succeeded()
    assert state(lab, "burst01") == STOPPED
    killed("Take the nodes out of maintenance", "start_nodes", "burst01")
    assert state(lab, "burst01") == ("stopped", None, None)
    run("start_nodes", "burst01").succeeded()
    assert state(lab, "burst01") == ("stopped", None, "manager")


def test_an_overflow_node_that_serves_again_is_the_platforms_again(lab, run):
    identity = machine(lab, "burst02")["InstanceId"]
    command = "/api/admin/command/v1/platform/start_cloudnode/"
    lab.api(command, method="POST", json={"instance_id": identity})
    until(lambda: accepts(lab, "burst02"), "burst02 to take calls")
    call = lab.call_start("AWS burst", 2)
    before = lab.status()["dropped"]
    for policy, left in (
        ("restore", ("running", None, "manager")),
        ("fail", ("running", "pexip.infinity: stopping", None)),
        ("restore", ("running", None, "manager")),
    ):
        options = {"node_maintenance_drain_timeout": 1, "node_maintenance_on_timeout": policy}
        run("stop_nodes", "burst02", extra_vars=options).failed()
        assert state(lab, "burst02") == left
    assert lab.status()["dropped"] == before
    lab.call_end(call)


def accepts(lab, name: str) -> bool:
    """Whether a node has reported in since it was started."""
    return any(m.get("name") == name and m.get("contact") == "ok" for m in lab.status()["machines"]) and serves(
        lab, name
    )


# stop and start


def test_a_node_that_carries_calls_is_left_to_them_and_the_others_are_stopped(lab, run):
    reserve(lab, "conf03", "new fan")
    call = lab.call_start("London", 3)
    (placed,) = lab.status()["calls"]
    assert list(placed["nodes"]) == ["conf01"]
    options = {**ALL_OUT, "node_maintenance_drain_timeout": 10}
    done = run("stop_nodes", "conf0*", extra_vars=options).failed()
    (message,) = done.failures
    assert "conf01 still carries 1 conference(s) with 3 participant(s) after 10 seconds" in message
    assert "conf01: conferences 1, participants 3" in done.output
    assert resumes(done).endswith("--limit conf01")
    assert state(lab, "conf01") == ("running", "pexip.infinity: stopping", None)
    assert state(lab, "conf02") == state(lab, "conf04") == STOPPED
    assert state(lab, "conf03") == ("stopped", "new fan", None)

    options |= {"node_maintenance_drain_timeout": 1, "node_maintenance_on_timeout": "restore"}
    done = run("stop_nodes", "conf01", extra_vars=options).failed()
    assert any("It serves again" in message for message in done.failures)
    assert state(lab, "conf01") == SERVES
    assert lab.status()["dropped"] == 0

    run("stop_nodes", "conf01", extra_vars={**options, "node_maintenance_on_timeout": "force"}).succeeded()
    assert state(lab, "conf01") == STOPPED
    assert lab.status()["dropped"] == 3
    lab.call_end(call)


def test_what_is_stopped_is_left_alone(lab, run):
    run("stop_nodes", "conf0*", extra_vars=ALL_OUT).unchanged()
    assert lab.writes() == 0


def test_start_killed_after_every_step(lab, run, killed):
    before = {name: node(lab, name)["static_nat_address"] for name in ("conf03", "conf04")}
    for step in ("Start the instance", "Set the static NAT address", "Take the nodes out of maintenance"):
        killed(step, "start_nodes", "conf04")
        if step != "Take the nodes out of maintenance":
            assert state(lab, "conf04")[1] == "pexip.infinity: stopping", step
    done = run("start_nodes", "conf0*", extra_vars={"pexip_serial": 2}).succeeded()
    for name in ("conf01", "conf02", "conf04"):
        assert state(lab, name) == SERVES
        until(lambda name=name: serves(lab, name), f"{name} to serve")
    assert state(lab, "conf03") == ("running", "new fan", None)
    assert "conf03" in done.output and "stays in maintenance mode: somebody else set it" in done.output
    reserve(lab, "conf03", "")
    assert node(lab, "conf03")["static_nat_address"] == before["conf03"]
    assert node(lab, "conf04")["static_nat_address"] == machine(lab, "conf04")["PublicIpAddress"] != before["conf04"]
    run("start_nodes", "conf03,conf04", check=True).unchanged()
    assert lab.writes() == 0


# restart


@contextmanager
def traffic(lab):
    """Conferences begin and end in London all the time; yields how many nodes were ever in maintenance at once."""
    seen, over = [0], threading.Event()

    def converse():
        calls = []
        while not over.is_set():
            calls.append(lab.call_start("London", 2))
            if len(calls) > 3:
                lab.call_end(calls.pop(0))
            nodes = lab.api(f"{CONFIGURATION}/worker_vm/")["objects"]
            seen.append(sum(node["maintenance_mode"] for node in nodes))
            time.sleep(0.3)  # the pace of the calls
        for call in calls:
            lab.call_end(call)

    thread = threading.Thread(target=converse)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def test_a_rolling_restart_under_live_calls_drops_none(lab, run):
    check = run("restart_nodes", "conf01,conf02", check=True).succeeded()
    told = [line for result in check.results("Tell what would be done") for line in result["msg"]]
    assert sum("stop the instance" in line for line in told) == sum("start the instance" in line for line in told) == 2
    assert lab.writes() == 0
    started = {name: machine(lab, name)["LaunchTime"] for name in ("conf01", "conf02")}
    before = lab.status()
    with traffic(lab) as out_of_service:
        done = run("restart_nodes", "conf01,conf02,burst01").succeeded()
    after = lab.status()
    assert (after["dropped"], after["rejected"]) == (before["dropped"], before["rejected"])
    assert max(out_of_service) == 1
    for name, moment in started.items():
        assert state(lab, name) == SERVES
        assert machine(lab, name)["LaunchTime"] > moment
    assert set(done.stats) == {"conf01", "conf02"}  # overflow nodes start afresh each time


# static NAT addresses


def test_wrong_static_nat_addresses_are_corrected_in_one_run(lab, run):
    for name in ("conf03", "conf04", "burst01"):
        patch(lab, name, static_nat_address="192.0.2.9")
    run("refresh_static_nat").succeeded()
    for name in ("conf03", "conf04"):
        assert node(lab, name)["static_nat_address"] == machine(lab, name)["PublicIpAddress"]
    assert node(lab, "burst01")["static_nat_address"] == "192.0.2.9"  # the inventory gives it no public address
    patch(lab, "conf04", static_nat_address="192.0.2.9")
    check = run("refresh_static_nat", check=True).succeeded()
    assert ("instead of 192.0.2.9" in row(check, "conf04"), row(check, "conf03").endswith("-")) == (True, True)
    assert lab.writes() == 0
    told = run("refresh_static_nat", "conf04", extra_vars={"pexip_public_address": "none"}).unchanged()
    assert (
        f"has the public address {machine(lab, 'conf04')['PublicIpAddress']}, and pexip_public_address is none"
        in told.output
    )
    assert (lab.writes(), node(lab, "conf04")["static_nat_address"]) == (0, "192.0.2.9")


# removal


def allocated(lab) -> set[str]:
    """The account's Elastic IP addresses."""
    return {address["PublicIp"] for address in lab.ec2().describe_addresses()["Addresses"]}


def protect(lab, name: str, value: bool) -> None:
    identity = machine(lab, name)["InstanceId"]
    lab.ec2().modify_instance_attribute(InstanceId=identity, DisableApiTermination={"Value": value})


def test_what_may_not_be_removed_is_refused_before_anything_is_changed(lab, run):
    assert any("--limit" in message for message in run("remove_nodes").failed().failures)
    protect(lab, "conf03", True)
    done = run("remove_nodes", "conf01,conf02,conf03", check=True).failed()
    refused = done.failures
    assert any(
        "conf02: without it London has 0" in message and "node_removal_floor_nodes" in message for message in refused
    )
    assert any("conf03" in message and "termination protection" in message for message in refused)
    assert "delete the node, terminate the instance" in row(done, "conf01")
    assert lab.writes() == 0
    run("remove_nodes", "conf03").failed()
    assert lab.writes() == 0
    protect(lab, "conf03", False)


def test_removal_killed_after_every_step(lab, run, killed):
    ours, foreign = machine(lab, "conf03")["PublicIpAddress"], lab.ec2().allocate_address(Domain="vpc")
    groups = [group["GroupId"] for group in lab.ec2().describe_security_groups()["SecurityGroups"]]
    assert ours in allocated(lab)
    for step in (DRAIN, "Delete the node", "Terminate the instance"):
        killed(step, "remove_nodes", "conf03")
        assert (node(lab, "conf03") is None) == (step != DRAIN), step
        assert (instances(lab, "conf03") == []) == (step == "Terminate the instance"), step
        assert ours in allocated(lab), step
    done = run("remove_nodes", "conf03").succeeded()
    assert f"release {ours}" in done.output
    assert (node(lab, "conf03"), instances(lab, "conf03")) == (None, [])
    assert allocated(lab) == {foreign["PublicIp"]}
    assert groups == [group["GroupId"] for group in lab.ec2().describe_security_groups()["SecurityGroups"]]


def test_what_is_half_gone_already_is_removed(lab, run):
    """conf02 has lost its node and holds somebody else's Elastic IP address; conf04 loses its tags, then its instance."""
    (foreign,) = allocated(lab)
    lab.ec2().associate_address(PublicIp=foreign, InstanceId=machine(lab, "conf02")["InstanceId"])
    lab.api(node(lab, "conf02")["resource_uri"], method="DELETE")
    identity = machine(lab, "conf04")["InstanceId"]
    lab.ec2().delete_tags(Resources=[identity], Tags=[{"Key": "pexip-infinity-node"}])
    done = run("remove_nodes", "conf02,conf04").failed()
    assert any(f"the instance {identity} has its address" in message for message in done.failures)
    assert instances(lab, "conf02") == []
    assert allocated(lab) == {foreign}
    assert node(lab, "conf04") is not None

    lab.ec2().terminate_instances(InstanceIds=[identity])
    lab.clock_advance("10m")
    silence = timedelta(minutes=5)
    until(lambda: reported(lab, "conf01") - reported(lab, "conf04") > silence, "conf04 to be silent")
    run("remove_nodes", "conf02,conf04").succeeded()
    assert node(lab, "conf04") is None
    run("remove_nodes", "conf02,conf03,conf04").unchanged()
    assert lab.writes() == 0
    assert state(lab, "conf01") == SERVES


def test_a_node_whose_instance_was_terminated_a_moment_ago_is_removed(lab, run):
    """It has just reported in, and it is no node that a floor could keep in service."""
    lab.ec2().terminate_instances(InstanceIds=[machine(lab, "conf01")["InstanceId"]])
    run("remove_nodes", "conf01").succeeded()
    assert (node(lab, "conf01"), instances(lab, "conf01")) == (None, [])


def reported(lab, name: str) -> datetime:
    """When a node last reported in."""
    (found,) = lab.api(f"{STATUS}/worker_vm/?name={name}")["objects"]
    return datetime.fromisoformat(found["last_updated"])
