# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pexip_cloud_node: what is started, when it is there, and what happens to a start that goes wrong."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.modules import pexip_cloud_node
from ansible_collections.pexip.infinity.tests.unit.support import CUT, Fault, Memory, Reply, run_module, run_on

BEFORE, LAUNCH, NOW = "2026-11-23T09:00:00", "2026-11-23T10:00:00", "2026-11-23T10:06:00"
START = "/api/admin/command/v1/platform/start_cloudnode/"


class Bursting(Memory):
    """Three overflow nodes in two locations, all stopped, and a tagged instance without a node."""

    def __init__(self):
        super().__init__({})
        self.status = {"worker_vm": [], "cloud_node": [], "cloud_overflow_location": [], "alarm": []}
        self.started: list[str] = []
        self.refused: dict[str, str] = {}
        for number, (name, place) in enumerate((("b1", "AWS burst"), ("b2", "AWS burst"), ("b3", "AWS two")), 1):
            self.status["worker_vm"].append(
                {"configuration_id": number, "name": name, "sync_status": "SYNCED", "last_updated": BEFORE}
            )
            self.status["cloud_node"].append(self.row(name, number, place))
        self.status["worker_vm"].append({"configuration_id": 9, "name": "conf01", "last_updated": NOW})
        self.status["cloud_node"].append(self.row("stray", None, None))
        for place in ("AWS burst", "AWS two"):
            self.status["cloud_overflow_location"].append({"name": place, "free_hd_calls": 0})

    @staticmethod
    def row(name, key, place):
        return {
            "cloud_instance_id": f"i-{name}",
            "cloud_instance_name": name,
            "cloud_instance_ip": "10.0.0.9",
            "cloud_instance_state": "stopped",
            "cloud_instance_launch_time": BEFORE,
            "workervm_configuration_id": key,
            "workervm_configuration_name": name if key else None,
            "workervm_configuration_location_name": place,
            "max_hd_calls": 15,
        }

    def be(self, name, state, updated=None):
        """An instance is in a state, and its node has reported."""
        node = next(row for row in self.status["cloud_node"] if row["cloud_instance_name"] == name)
        node["cloud_instance_state"] = state
        if state in ("pending", "running"):
            node["cloud_instance_launch_time"] = LAUNCH
        if updated:
            status = next(row for row in self.status["worker_vm"] if row["name"] == name)
            status["last_updated"] = updated

    def __call__(self, request):
        if request.path != START:
            return super().__call__(request)
        key = request.json["instance_id"]
        if key in self.refused:
            return Reply(400, {"status": "failure", "error": self.refused[key]})
        self.started.append(key)
        self.be(key.removeprefix("i-"), "pending")
        return Reply(202, {"status": "success"})


@pytest.fixture
def memory():
    return Bursting()


@pytest.fixture
def api(serve, memory):
    return serve(memory)


def run(api, **options):
    return run_on(api, pexip_cloud_node, **options)


def test_a_named_node_is_started_once_and_waited_for(api, memory):
    first = run(api, name=["b1"], diff=True)
    assert (first["changed"], first["complete"], first["started"]) == (True, False, ["b1"])
    assert memory.started == ["i-b1"]
    assert first["diff"] == [{"before": {"b1": "stopped"}, "after": {"b1": "running"}}]
    assert first["waiting_for"] == "1 of 1 overflow nodes to be available"
    assert first["progress"] == [f"b1: last updated {BEFORE}, SYNCED; instance pending"]
    assert api.lines == [
        "GET worker_vm/",
        "GET cloud_node/",
        "POST platform/start_cloudnode/",
        "GET worker_vm/",
        "GET cloud_node/",
    ]
    memory.be("b1", "running")
    assert run(api, name=["i-b1"])["complete"] is False, "it has not reported since its launch"
    memory.be("b1", "running", NOW)
    done = run(api, name=["b1"])
    assert (done["changed"], done["complete"], done["started"], memory.started) == (False, True, [], ["i-b1"])
    assert [(node["name"], node["in_contact"], node["running_minutes"]) for node in done["nodes"]] == [("b1", True, 6)]


def test_all_are_all_nodes_but_no_instance_without_one(api, memory):
    memory.be("b2", "running", NOW)
    done = run(api, all=True, wait=False)
    assert (done["started"], memory.started, done["complete"]) == (["b1", "b3"], ["i-b1", "i-b3"], True)
    assert [(node["name"], node["state"]) for node in done["nodes"]] == [
        ("b1", "pending"),
        ("b2", "running"),
        ("b3", "pending"),
    ]
    assert done["explanation"] == "all overflow nodes asked for (b1, b2, b3); b2 on already."
    assert run(api, all=True, wait=False)["changed"] is False


def test_a_location_narrows_every_choice(api, memory):
    assert run(api, all=True, location="AWS two", check=True)["started"] == ["b3"]
    assert run(api, capacity=1, location="AWS two", check=True)["started"] == ["b3"]
    assert "no cloud overflow node 'b1'" in run(api, name=["b1"], location="AWS two")["msg"]
    refused = run(api, all=True, location="AWS bust")
    assert "no overflow node is in 'AWS bust'. Existing: 'AWS burst', 'AWS two'." in refused["msg"]
    assert memory.started == []


def test_a_capacity_counts_what_is_free_in_the_locations_that_are_meant(api, memory):
    memory.be("b2", "running", NOW)
    memory.status["cloud_overflow_location"][0]["free_hd_calls"] = 11
    done = run(api, capacity=30, wait=False)
    assert done["started"] == ["b1", "b3"]
    assert done["explanation"].startswith("30 free HD connections asked for, 11 on the nodes that run or start; ")
    assert run(api, capacity=26, wait=False)["changed"] is False, "what is starting counts"
    assert run(api, capacity=12, location="AWS burst", wait=False, check=True)["started"] == []


def test_a_node_that_has_just_reported_in_is_not_started_beside(api, memory):
    memory.be("b1", "running", NOW)
    memory.status["cloud_overflow_location"][0] |= {"free_hd_calls": 0, "max_hd_calls": 0}
    done = run(api, capacity=15)
    assert (done["changed"], done["complete"], memory.started) == (False, True, [])
    assert api.lines == ["GET cloud_overflow_location/", "GET worker_vm/", "GET cloud_node/"]


def test_more_than_there_is_starts_nothing(api, memory):
    assert "bring 45" in run(api, capacity=46)["msg"]
    assert memory.started == []


def test_check_mode_tells_what_would_be_started_and_waits_for_nothing(api, memory):
    memory.be("b1", "stopping")
    done = run(api, all=True, check=True, diff=True)
    assert (done["changed"], done["complete"], done["started"]) == (True, True, ["b1", "b2", "b3"])
    assert done["diff"][0]["before"] == {"b1": "stopping", "b2": "stopped", "b3": "stopped"}
    assert api.writes == []
    assert run_module(pexip_cloud_node, check=True, host="", all=True)["nodes"] == []


def test_a_node_that_is_stopping_is_started_once_it_has_stopped(api, memory):
    memory.be("b1", "stopping")
    first = run(api, name=["b1", "b2"])
    assert (first["started"], memory.started) == (["b2"], ["i-b2"])
    assert "instance stopping" in first["progress"][0]
    refused = run(api, name=["b1", "b3"], wait=False)
    assert refused["failed"] and "b1: stopping now" in refused["msg"]
    assert memory.started == ["i-b2"]


def test_without_start_nodes_are_waited_for_alone(api, memory):
    done = run(api, name=["b1"], start=False)
    assert (done["complete"], done["changed"], memory.started) == (False, False, [])


def test_a_node_in_maintenance_mode_is_started_by_name_alone_and_warned_of(api, memory):
    memory.status["worker_vm"][0]["maintenance_mode"] = True
    assert run(api, all=True, check=True)["started"] == ["b2", "b3"]
    done = run(api, name=["b1"], wait=False)
    assert memory.started == ["i-b1"]
    assert "b1 is in maintenance mode" in str(done["warnings"])


def test_a_refused_start_names_node_and_reason_and_the_others_are_started(api, memory):
    memory.refused["i-b1"] = "Not authorized to perform an operation on i-b1."
    done = run(api, all=True)
    assert done["failed"]
    for words in ("b1 (i-b1)", "Not authorized to perform an operation on i-b1.", "Started: b2, b3"):
        assert words in done["msg"]
    assert memory.started == ["i-b2", "i-b3"]


@pytest.mark.parametrize("acted", [True, False])
def test_a_start_whose_answer_was_lost_is_looked_up_and_never_repeated(api, memory, acted):
    api.faults = [Fault(CUT, method="POST", acted=acted)]
    done = run(api, name=["b1"])
    assert api.lines.count("POST platform/start_cloudnode/") == 1
    assert bool(done.get("failed")) is not acted
    assert memory.started == (["i-b1"] if acted else [])


def test_a_start_that_the_platform_made_meanwhile_is_no_failure(api, memory):
    memory.refused["i-b1"] = "is already running"
    api.faults = [Fault(Reply(400, {"error": "is already running"}), "POST", then=lambda: memory.be("b1", "pending"))]
    done = run(api, name=["b1"])
    assert (done.get("failed"), done["complete"]) == (None, False)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "one of the following is required"),
        ({"name": ["b1"], "all": True}, "mutually exclusive"),
        ({"all": False}, "all: false asks for no node"),
        ({"capacity": 0}, "capacity: 0"),
        ({"name": ["conf01"]}, "It is a Conferencing Node, but the platform does not list it"),
        ({"name": ["i-stray"]}, "has no Conferencing Node"),
    ],
)
def test_bad_options_are_refused_before_anything_is_started(api, memory, options, words):
    done = run(api, **options)
    assert words in done["msg"]
    assert memory.started == []


def test_where_bursting_is_off_the_error_says_where_to_look(api, memory):
    memory.status["cloud_node"].clear()
    for options in ({"all": True}, {"name": ["b1"]}, {"capacity": 1}):
        assert "Check that bursting is enabled" in run(api, **options)["msg"]


def test_an_error_tells_the_platforms_issues_for_they_may_be_the_cause(api, memory):
    memory.status["cloud_node"].clear()
    issue = "Not authorized to perform an operation on eu-west-1. Check the policy created for the AWS user."
    memory.status["alarm"] = [{"name": "cloud_bursting", "details": issue}, {"name": "other", "details": "x"}]
    assert run(api, name=["b1"])["msg"].endswith(f"Issues of the platform: {issue}")
