# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance mode: whose it is, what is written, and when a node has drained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.maintenance import MAINTENANCE
from ansible_collections.pexip.infinity.plugins.modules import pexip_node_maintenance
from ansible_collections.pexip.infinity.tests.unit.support import Memory, run_module, run_on

FACTS = Path(__file__).parents[3] / "lab" / "pexip_lab" / "facts" / "configuration.json"
T0, T1 = "2026-11-23T09:50:00", "2026-11-23T10:00:00"
OFF = {"maintenance_mode": False, "maintenance_mode_reason": ""}
OURS = {"maintenance_mode": True, "maintenance_mode_reason": "pexip.infinity: maintenance"}
THEIRS = {"maintenance_mode": True, "maintenance_mode_reason": "Monday: new fans"}


@pytest.fixture
def memory():
    """Four nodes in service; `d` has not reported for ten minutes, for its instance is stopped."""
    made = Memory({"worker_vm": []})
    made.status = {"worker_vm": [], "conference_shard": [], "participant": []}
    for number, name in enumerate("abcd"):
        node = made.add("worker_vm", {"name": name, "address": f"10.0.0.{number}", **OFF})
        times = {"last_updated": T0 if name == "d" else T1, "last_attempted_contact": T1}
        made.status["worker_vm"].append(
            {"configuration_id": node["id"], "name": name, "sync_status": "SYNCED", **times}
        )
    return made


@pytest.fixture
def api(serve, memory):
    return serve(memory)


@pytest.fixture
def holds(memory):
    """Sets, or gives, what the platform holds of a node."""

    def of(name, **values):
        node = next(item for item in memory.of("worker_vm") if item["name"] == name)
        node.update(values)
        return {key: node[key] for key in OFF}

    return of


def run(api, *names, **options):
    return run_on(api, pexip_node_maintenance, name=list(names), **options)


def warnings(result):
    """A module's warnings: ansible-core 2.19 and newer give them as objects."""
    return [str(warning) for warning in result.get("warnings", [])]


def test_the_table_agrees_with_the_facts():
    facts = json.loads(FACTS.read_text(encoding="utf-8"))["worker_vm"]["fields"]
    for field in MAINTENANCE.fields:
        assert field.type == {"string": "str", "boolean": "bool"}[facts[field.name]["type"]]
        assert field.max_length == facts[field.name].get("max_length")


def test_nodes_come_and_go_and_a_second_run_changes_nothing(api, holds):
    done = run(api, "b", "a", "b", reason="stopping", diff=True)
    reason = "pexip.infinity: stopping"
    assert holds("a") == holds("b") == {"maintenance_mode": True, "maintenance_mode_reason": reason}
    assert done["nodes"] == [
        {
            "name": name,
            "maintenance_mode": True,
            "maintenance_mode_reason": reason,
            "ours": True,
            "conferences": 0,
            "participants": 0,
            "drained": True,
        }
        for name in "ba"
    ]
    assert (done["changed"], done["complete"]) == (True, True)
    assert [change["before"] for change in done["diff"]] == [OFF, OFF]
    assert [change["after"]["maintenance_mode_reason"] for change in done["diff"]] == [reason, reason]
    assert [change["before_header"] for change in done["diff"]] == ["Conferencing Node 'b'", "Conferencing Node 'a'"]
    before = len(api.requests)
    again = run(api, "a", "b", reason="stopping")
    assert (again["changed"], "diff" in again) == (False, False)
    assert api.lines[before:] == ["GET worker_vm/", "GET conference_shard/", "GET participant/"]
    gone = run(api, "a", "b", state="absent")
    assert (gone["changed"], holds("a"), holds("b")) == (True, OFF, OFF)
    assert [(node["ours"], node["drained"]) for node in gone["nodes"]] == [(False, False)] * 2
    assert run(api, "a", "b", state="absent")["changed"] is False


def test_another_reason_of_ours_is_replaced(api, holds):
    holds("a", **OURS)
    assert run(api, "a", reason=" converting ")["changed"]
    assert holds("a")["maintenance_mode_reason"] == "pexip.infinity: converting"


@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_somebody_else_set_is_left_alone_unless_told_otherwise(api, holds, state):
    holds("a", **THEIRS)
    done = run(api, "a", state=state)
    assert (done["changed"], api.writes, holds("a")) == (False, [], THEIRS)
    [node] = done["nodes"]
    assert (node["maintenance_mode"], node["ours"]) == (True, False)
    told = [text for text in warnings(done) if "Monday: new fans" in text and "only_ours" in text]
    assert bool(told) is (state == "absent")
    assert run(api, "a", state=state, only_ours=False)["changed"]
    assert holds("a") == (OURS if state == "present" else OFF)


def test_a_reason_of_ours_that_was_left_behind_is_taken_away(api, holds):
    holds("a", maintenance_mode=False, maintenance_mode_reason="pexip.infinity: old")
    assert run(api, "a", state="absent")["changed"]
    assert holds("a") == OFF
    holds("b", maintenance_mode=False, maintenance_mode_reason="Monday: new fans")
    assert run(api, "b", state="absent")["changed"] is False


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_name_that_is_not_registered_is_refused_before_anything_is_written(api, state, holds):
    holds("a", **(OFF if state == "present" else OURS))
    done = run(api, "a", "conf1", state=state)
    assert "there is no Conferencing Node 'conf1'. Existing: 'a', 'b', 'c', 'd'." in done["msg"]
    assert api.writes == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reason": "  "}, "reason is empty"),
        ({"reason": "x" * 240}, "reason: 'pexip.infinity: xxx"),
        ({"reason": "bell\a"}, "control characters"),
        ({"state": "absent", "drain": True}, "drain: true is for state present"),
        ({"on_timeout": "hope"}, "on_timeout"),
    ],
)
def test_bad_options_are_refused_before_anything_is_asked(api, options, words):
    done = run(api, "a", **options)
    assert words in done["msg"]
    assert api.lines == []


def test_a_drain_waits_for_the_nodes_that_carry_something(api, memory, holds):
    for name in "abc":
        holds(name, **OURS)
    memory.status["conference_shard"] = [{"node": "10.0.0.0"}, {"node": "a"}, {"node": "10.0.0.9"}]
    memory.status["participant"] = [
        {"media_node": "10.0.0.0", "signalling_node": "10.0.0.0"},
        {"media_node": "10.0.0.9", "signalling_node": "b", "proxy_node": None},
        {"media_node": "10.0.0.9", "signalling_node": "10.0.0.9", "proxy_node": "10.0.0.9"},
    ]
    done = run(api, "a", "b", "c", drain=True)
    assert (done["changed"], done["complete"]) == (False, False)
    assert [(node["conferences"], node["participants"], node["drained"]) for node in done["nodes"]] == [
        (2, 1, False),
        (0, 1, False),  # the media are elsewhere, yet the call would end with the node that signals it
        (0, 0, True),
    ]
    assert done["waiting_for"] == "2 of 3 Conferencing Nodes to carry no conference"
    assert done["progress"] == ["a: conferences 2, participants 1", "b: conferences 0, participants 1"]
    assert api.lines == ["GET worker_vm/", "GET conference_shard/", "GET participant/", "GET worker_vm/"]
    memory.status["conference_shard"] = memory.status["participant"] = []
    assert run(api, "a", "b", "c", drain=True)["complete"]


def test_a_node_drains_only_once_it_has_heard_of_its_maintenance_mode(api, memory):
    """Until then a conference may begin on it."""
    first = run(api, "a", drain=True)
    assert (first["changed"], first["complete"]) == (True, False)
    assert first["progress"] == [
        "a: carries nothing that the platform knows of; has yet to confirm its maintenance mode"
    ]
    memory.status["worker_vm"][0]["sync_status"] = "SYNCING"
    assert run(api, "a", drain=True)["complete"] is False
    memory.status["worker_vm"][0]["sync_status"] = "SYNCED"
    assert run(api, "a", drain=True)["complete"]


def test_a_node_whose_instance_is_stopped_has_nothing_to_hear(api, memory):
    memory.status["worker_vm"][3]["sync_status"] = "SYNCING"
    done = run(api, "d", drain=True)
    assert (done["changed"], done["complete"], done["nodes"][0]["drained"]) == (True, True, True)


def test_a_node_that_runs_and_is_not_heard_of_may_carry_calls(api, memory):
    assert run(api, "d", drain=True, in_contact=True)["complete"] is False
    again = run(api, "d", drain=True, in_contact=True)
    assert (again["complete"], again["nodes"][0]["drained"]) == (False, False)
    memory.status["worker_vm"][3]["last_updated"] = None  # one that never reported hosts nothing
    assert run(api, "d", drain=True, in_contact=True)["complete"]


def test_check_mode_writes_nothing_waits_for_nothing_and_warns_of_calls(api, memory):
    memory.status["conference_shard"] = [{"node": "a"}]
    done = run(api, "a", "b", drain=True, check=True, diff=True)
    assert (done["changed"], done["complete"], api.writes) == (True, True, [])
    assert [(node["maintenance_mode"], node["drained"]) for node in done["nodes"]] == [(True, False), (True, True)]
    assert [change["after"] for change in done["diff"]] == [OURS, OURS]
    [warning] = warnings(done)
    assert "'a' carries calls: conferences 1, participants 0; the drain would wait" in warning
    assert warnings(run(api, "a", check=True, state="absent")) == []


def test_check_mode_takes_a_node_that_may_come_to_exist_for_one_that_does(api):
    done = run(api, "conf9", check=True)
    assert done["nodes"][0]["maintenance_mode"] is True
    assert "may come to exist" in warnings(done)[0]
    assert run_module(pexip_node_maintenance, check=True, host="", name=["conf9"], drain=True)["complete"]


def test_no_names_are_nothing_to_do(api):
    done = run(api, drain=True)
    assert (done["changed"], done["nodes"], done["complete"]) == (False, [], True)
