# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pexip_bursting_info, pexip_cloud_node and pexip_node_maintenance on a platform that bursts.

London (conf01) and Oslo (conf02) can host 15 HD calls each and overflow to AWS burst (burst01, burst02, stopped).
What happened is read from AWS, from the platform and from the calls themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pexip_lab.testing import until

CONFIGURATION = "/api/admin/configuration/v1/"
STATUS = "/api/admin/status/v1/"
OFF = (False, "")
LONG = 100_000  # minutes that no test lasts in the lab's time


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A platform that bursts; idle nodes run on, so that no test has to hurry."""
    with lab_factory(seed="bursting") as lab:
        lab.api(f"{CONFIGURATION}global/1/", "PATCH", {"bursting_min_lifetime": LONG})
        until(lambda: len(lab.api(f"{STATUS}cloud_node/")["objects"]) == 2, "two overflow nodes")
        yield lab


@pytest.fixture(autouse=True)
def _quiet(lab) -> Iterator[None]:
    """Every test begins without calls and ends with its calls."""
    yield
    lab.call_end()


@pytest.fixture
def run(lab, play):
    """Runs tasks, given as (module, arguments) pairs, and gives the run and each task's result."""

    def runner(*tasks: tuple[str, Any], check: bool = False, args: tuple = (), loop: list[dict] | None = None):
        content = {
            "hosts": "manager",
            "gather_facts": False,
            "tasks": [
                {"name": f"step {n}", f"pexip.infinity.{name}": options, **({"loop": loop} if loop else {})}
                for n, (name, options) in enumerate(tasks)
            ],
        }
        done = play(lab, [content], *args, check=check)
        return done, [event["result"] for event in done.events]

    return runner


def states(lab) -> dict[str, str]:
    """The overflow instances' states in EC2, by name."""
    found = lab.ec2().describe_instances(Filters=[{"Name": "tag:Name", "Values": ["burst*"]}])["Reservations"]
    return {
        next(tag["Value"] for tag in item["Tags"] if tag["Key"] == "Name"): item["State"]["Name"]
        for reservation in found
        for item in reservation["Instances"]
    }


def stop_overflow_nodes(lab) -> None:
    """Stops them in AWS, and waits until the platform knows."""
    rows = lab.api(f"{STATUS}cloud_node/")["objects"]
    lab.ec2().stop_instances(InstanceIds=[row["cloud_instance_id"] for row in rows])
    until(
        lambda: {row["cloud_instance_state"] for row in lab.api(f"{STATUS}cloud_node/")["objects"]} == {"stopped"},
        "stopped overflow nodes",
    )


def modes(lab) -> dict[str, tuple[bool, str]]:
    """Maintenance mode and its reason of every node, as the platform holds them."""
    rows = lab.api(f"{CONFIGURATION}worker_vm/?limit=0")["objects"]
    return {row["name"]: (row["maintenance_mode"], row["maintenance_mode_reason"]) for row in rows}


def set_mode(lab, name: str, mode: bool, reason: str) -> None:
    """Sets the mode as a person does it in the administrator interface."""
    [row] = lab.api(f"{CONFIGURATION}worker_vm/?name={name}")["objects"]
    lab.api(row["resource_uri"], "PATCH", {"maintenance_mode": mode, "maintenance_mode_reason": reason})


def test_the_status_follows_the_calls_until_the_platform_starts_a_node(lab, run):
    lab.requests(reset=True)
    done, (quiet,) = run(("pexip_bursting_info", {}), check=True)
    done.unchanged()
    bursting = quiet["bursting"]
    assert lab.writes() == 0
    settings = ("enabled", "provider", "threshold", "min_lifetime", "tag_name", "tag_value")
    assert [bursting[key] for key in settings] == [True, "AWS", 5, LONG, "pexip-cloud", "manager"]
    places = [
        (row["name"], row["state"], row["free_hd_calls"], row["overflow_location"]) for row in bursting["locations"]
    ]
    assert places == [("London", "ok", 15, "AWS burst"), ("Oslo", "ok", 15, "AWS burst")]
    assert [row["name"] for row in bursting["overflow_locations"]] == ["AWS burst"]
    nodes = [(node["name"], node["state"], node["in_contact"], node["running_minutes"]) for node in bursting["nodes"]]
    assert nodes == [("burst01", "stopped", False, None), ("burst02", "stopped", False, None)]
    assert bursting["issues"] == []

    call = lab.call_start("London", 8)
    until(
        lambda: lab.api(f"{STATUS}cloud_monitored_location/?name=London")["objects"][0]["free_hd_calls"] == 7, "7 free"
    )
    done, (near,) = run(("pexip_bursting_info", {}))
    assert [row["state"] for row in near["bursting"]["locations"]] == ["approaching threshold", "ok"]
    assert states(lab) == {"burst01": "stopped", "burst02": "stopped"}

    lab.call_join(call, 2)
    wait = {"name": ["burst01"], "start": False, "poll_interval": 1, "wait_timeout": 120}
    done, (waited, reached) = run(("pexip_cloud_node", wait), ("pexip_bursting_info", {}))
    done.unchanged()
    assert (waited["started"], waited["nodes"][0]["in_contact"]) == ([], True)
    assert [row["state"] for row in reached["bursting"]["locations"]] == ["bursting threshold reached", "ok"]
    assert [row["free_hd_calls"] for row in reached["bursting"]["overflow_locations"]] == [15]
    started = reached["bursting"]["nodes"][0]
    assert (started["name"], started["max_hd_calls"], started["running_minutes"] >= 3) == ("burst01", 15, True)
    assert states(lab) == {"burst01": "running", "burst02": "stopped"}


def test_nodes_are_started_by_capacity_and_by_name_and_only_once(lab, run):
    stop_overflow_nodes(lab)
    lab.requests(reset=True)
    done, (one, both, everything) = run(
        ("pexip_cloud_node", {"capacity": 15}),
        ("pexip_cloud_node", {"capacity": 16, "location": "AWS burst"}),
        ("pexip_cloud_node", {"all": True}),
        check=True,
    )
    assert [result["started"] for result in (one, both, everything)] == [["burst01"], *[["burst01", "burst02"]] * 2]
    assert done.succeeded() and all(result["changed"] for result in (one, both, everything))
    assert lab.writes() == 0
    assert states(lab) == {"burst01": "stopped", "burst02": "stopped"}

    pace = {"poll_interval": 1, "wait_timeout": 120}
    done, results = run(
        ("pexip_cloud_node", {"capacity": 10, **pace}),
        ("pexip_cloud_node", {"capacity": 20, "wait": False}),
        ("pexip_cloud_node", {"all": True, **pace}),
        ("pexip_cloud_node", {"capacity": 30, **pace}),
        ("pexip_cloud_node", {"name": ["burst02", "burst01"], **pace}),
        args=("--diff",),
    )
    first, second, everything, capacity, named = done.succeeded() and results
    assert [result["changed"] for result in results] == [True, True, False, False, False]
    assert (first["started"], second["started"]) == (["burst01"], ["burst02"])
    assert first["explanation"] == (
        "10 free HD connections asked for, 0 on the nodes that run or start; "
        "the fewest nodes that bring the other 10: burst01 (15)."
    )
    assert "instance pending" in done.output or "instance running" in done.output, "no progress was shown"
    assert '-    "burst01": "stopped"' in done.output
    assert [node["in_contact"] for node in everything["nodes"]] == [True, True]
    assert "30 on the nodes that run or start; nothing has to be started" in capacity["explanation"]
    assert [node["name"] for node in named["nodes"]] == ["burst02", "burst01"]
    assert states(lab) == {"burst01": "running", "burst02": "running"}
    assert lab.requests().get("POST command/platform/start_cloudnode") == 2


REFUSED = [
    ({"name": ["burst1"]}, ["no cloud overflow node 'burst1'", "'burst01'", "tagged pexip-cloud"]),
    ({"name": ["conf01"]}, ["'conf01'", "is a Conferencing Node", "does not list it", "tagged pexip-cloud"]),
    ({"capacity": 61}, ["61 free HD connections", "together bring 30", "nothing was started"]),
    ({"capacity": 0}, ["capacity: 0"]),
    ({"all": True, "location": "AWS bust"}, ["'AWS bust'", "Existing: 'AWS burst'"]),
    ({"all": True, "capacity": 5}, ["mutually exclusive"]),
]


def test_what_cannot_be_started_is_refused_and_nothing_is_written(lab, run):
    lab.requests(reset=True)
    options = {key: f"{{{{ item.{key} | default(omit) }}}}" for key in ("name", "all", "capacity", "location")}
    done, (result,) = run(("pexip_cloud_node", options), loop=[asked for asked, _words in REFUSED])
    done.failed()
    for item, (_asked, words) in zip(result["results"], REFUSED, strict=True):
        assert item["failed"] and [word for word in words if word not in item["msg"]] == [], item["msg"]
    assert lab.writes() == 0


def test_issues_are_told_in_the_guides_words(lab, run):
    stop_overflow_nodes(lab)
    [policy] = lab.iam().list_attached_user_policies(UserName="pexip-manager")["AttachedPolicies"]
    lab.iam().detach_user_policy(UserName="pexip-manager", PolicyArn=policy["PolicyArn"])
    until(lambda: lab.api(f"{STATUS}alarm/?name=cloud_bursting")["objects"], "an issue")
    done, (info, _refusal) = run(("pexip_bursting_info", {}), ("pexip_cloud_node", {"name": ["burst01"]}))
    assert "Issues of the platform: Not authorized to perform an operation on " in done.failed().failures[0]
    [issue] = info["bursting"]["issues"]
    assert issue.startswith("Not authorized to perform an operation on ")
    lab.iam().attach_user_policy(UserName="pexip-manager", PolicyArn=policy["PolicyArn"])
    until(lambda: not lab.api(f"{STATUS}alarm/?name=cloud_bursting")["objects"], "no issue")

    spare = next(item for item in lab.status()["instances"] if item["name"] == "manager")["id"]
    tag = {"Key": "pexip-cloud", "Value": "manager"}
    lab.ec2().create_tags(Resources=[spare], Tags=[tag])
    until(lambda: len(lab.api(f"{STATUS}cloud_node/")["objects"]) == 3, "a stray instance")
    done, (info, _refusal) = run(("pexip_bursting_info", {}), ("pexip_cloud_node", {"name": [spare]}))
    assert "has no Conferencing Node" in done.failed().failures[0]
    [issue] = info["bursting"]["issues"]
    assert issue.startswith("Instance manager (with IP 127.")
    assert issue.endswith("was found, but no corresponding Conferencing Node has been configured")
    assert [node["configuration_id"] is None for node in info["bursting"]["nodes"]] == [False, False, True]
    lab.ec2().delete_tags(Resources=[spare], Tags=[tag])
    until(lambda: len(lab.api(f"{STATUS}cloud_node/")["objects"]) == 2, "no stray instance")


@pytest.fixture
def in_service(lab) -> Iterator[None]:
    """The nodes are in service again after a test of maintenance mode."""
    yield
    for name in ("conf01", "conf02", "burst01"):
        set_mode(lab, name, False, "")


NODES = {"name": ["conf01", "conf02"]}
DRAIN = {**NODES, "drain": True, "poll_interval": 1, "reason": "stopping"}
OURS = (True, "pexip.infinity: stopping")


def calls(lab) -> tuple[int, int]:
    """Participants that are in a conference, and those that lost their connection."""
    now = lab.status()
    return sum(call["participants"] for call in now["calls"]), now["dropped"]


@pytest.mark.usefixtures("in_service")
def test_nodes_go_into_maintenance_mode_drain_and_come_back(lab, run):
    call = lab.call_start("London", 3)
    dropped = calls(lab)[1]
    lab.requests(reset=True)
    done, (told,) = run(("pexip_node_maintenance", DRAIN), check=True)
    assert (told["changed"], told["complete"], lab.writes()) == (True, True, 0)
    assert (
        "'conf01' carries calls: conferences 1, participants 3; the drain would wait for them"
        in done.succeeded().output
    )
    assert modes(lab)["conf01"] == OFF

    def end_the_call() -> None:
        until(lambda: lab.requests().get("GET status/conference_shard", 0) > 2, "two looks")
        lab.call_end(call)

    lab.requests(reset=True)
    ender = threading.Thread(target=end_the_call)
    ender.start()
    done, (drained, again) = run(
        ("pexip_node_maintenance", {**DRAIN, "drain_timeout": 120}), ("pexip_node_maintenance", DRAIN), args=("--diff",)
    )
    ender.join()
    done.succeeded()
    assert "conf01: conferences 1, participants 3" in done.output
    assert '+    "maintenance_mode": true' in done.output
    assert [(node["name"], node["drained"], node["ours"]) for node in drained["nodes"]] == [
        ("conf01", True, True),
        ("conf02", True, True),
    ]
    assert (drained["changed"], again["changed"], again["complete"]) == (True, False, True)
    assert calls(lab) == (0, dropped)
    assert {name: modes(lab)[name] for name in DRAIN["name"]} == dict.fromkeys(DRAIN["name"], OURS)
    assert lab.requests()["PATCH worker_vm"] == 2

    absent = ("pexip_node_maintenance", {**NODES, "state": "absent"})
    done, results = run(absent, absent)
    assert [result["changed"] for result in done.succeeded() and results] == [True, False]
    assert {name: modes(lab)[name] for name in DRAIN["name"]} == dict.fromkeys(DRAIN["name"], OFF)


@pytest.mark.usefixtures("in_service")
def test_what_becomes_of_a_node_that_does_not_drain(lab, run):
    """A node that has drained is told from one that has not, whatever the operator decided for the latter."""
    lab.call_start("London", 2)
    before = calls(lab)
    short = {**DRAIN, "drain_timeout": 1}
    done, (verdict, forced) = run(
        ("pexip_node_maintenance", {**DRAIN, "drain_timeout": 8, "fail_on_missing": False}),
        ("pexip_node_maintenance", {**short, "on_timeout": "force"}),
    )
    for result in (verdict, forced):
        assert [(node["name"], node["drained"]) for node in result["nodes"]] == [("conf01", False), ("conf02", True)]
    assert "what follows drops their calls" in done.succeeded().output
    assert modes(lab)["conf01"] == modes(lab)["conf02"] == OURS

    done, _results = run(("pexip_node_maintenance", {**short, "on_timeout": "restore", "fail_on_missing": False}))
    done.succeeded()
    assert (modes(lab)["conf01"], modes(lab)["conf02"]) == (OFF, OURS)
    done, _results = run(("pexip_node_maintenance", {**short, "on_timeout": "restore"}))
    [message] = done.failed().failures
    for words in ("1 of 2 Conferencing Nodes", "conf01: conferences 1, participants 2", "conf01, conf02 taken out"):
        assert words in message
    assert modes(lab)["conf01"] == modes(lab)["conf02"] == OFF
    assert calls(lab) == before


@pytest.mark.usefixtures("in_service")
def test_what_a_person_did_is_left_alone_and_an_unknown_name_writes_nothing(lab, run):
    set_mode(lab, "conf01", True, "Monday: new fans")
    lab.requests(reset=True)
    done, results = run(
        ("pexip_node_maintenance", {"name": ["conf01"]}),
        ("pexip_node_maintenance", {"name": ["conf01"], "state": "absent"}),
        ("pexip_node_maintenance", {"name": ["conf02", "conf1"]}),
    )
    assert [result["changed"] for result in done.failed() and results[:2]] == [False, False]
    assert "stays in maintenance mode: somebody else set it" in done.output
    assert "there is no Conferencing Node 'conf1'. Existing: 'conf01'" in done.failures[0]
    assert (lab.writes(), modes(lab)["conf01"]) == (0, (True, "Monday: new fans"))
    run(("pexip_node_maintenance", {"name": ["conf01"], "state": "absent", "only_ours": False}))[0].succeeded()
    assert modes(lab)["conf01"] == OFF


@pytest.mark.usefixtures("in_service")
def test_a_stopped_node_has_drained(lab, run):
    """It cannot hear of its maintenance mode, and hosts nothing."""
    stop_overflow_nodes(lab)
    wait = {"name": ["burst01"], "drain": True, "poll_interval": 1, "drain_timeout": 60}
    done, (result,) = run(("pexip_node_maintenance", wait))
    assert done.succeeded() and result["nodes"][0]["drained"]
    assert modes(lab)["burst01"] == (True, "pexip.infinity: maintenance")
