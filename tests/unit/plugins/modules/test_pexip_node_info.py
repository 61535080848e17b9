# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Configuration, status and load of nodes joined, and one look of the wait for contact."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.modules import pexip_node_info
from ansible_collections.pexip.infinity.tests.unit.support import Memory, run_module, run_on

T1, T2 = "2026-11-23T10:00:00", "2026-11-23T10:05:00"


@pytest.fixture
def memory():
    """Three nodes: in contact, never in contact, and registered without a status yet."""
    made = Memory({"system_location": [{"name": "London"}, {"name": "Oslo"}], "worker_vm": []}, hidden=())
    rows = []
    for number, (name, kind, place) in enumerate(
        (("b", "CONFERENCING", 1), ("a", "PROXYING", 2), ("c", "CONFERENCING", 2))
    ):
        uri = f"/api/admin/configuration/v1/system_location/{place}/"
        node = made.add(
            "worker_vm", {"name": name, "address": f"10.0.0.{number}", "node_type": kind, "system_location": uri}
        )
        node["password"], node["snmp_community"] = "hunter2", "hunter3"
        row = {"configuration_id": node["id"], "name": name, "id": 100 + node["id"]}
        rows.append({**row, "system_location": "London" if place == 1 else "Oslo"})
    rows[0] |= {"sync_status": "SYNCED", "last_updated": T1, "version": "11.0.0"}
    rows[1] |= {"sync_status": "OUT_OF_SYNC", "last_updated": None}
    shards = [{"node": "b"}, {"node": "10.0.0.0"}, {"node": "other"}]
    callers = [{"media_node": "b"}, {"media_node": "a"}, {"media_node": None}, {"media_node": "10.0.0.0"}]
    made.status = {"worker_vm": rows[:2], "conference_shard": shards, "participant": callers}
    return made


@pytest.fixture
def api(serve, memory):
    return serve(memory)


def run(api, **options):
    return run_on(api, pexip_node_info, **options)


def test_configuration_status_and_load_are_joined_without_secrets(api):
    result = run(api)
    assert [node["name"] for node in result["nodes"]] == ["a", "b", "c"]
    node = result["nodes"][1]
    assert (node["conferences"], node["participants"], node["in_contact"], node["registered"]) == (2, 2, True, True)
    assert (node["system_location"], node["status"]["version"]) == ("London", "11.0.0")
    assert node["last_seen"] == f"b: last updated {T1}, SYNCED"
    assert (result["changed"], result["complete"]) == (False, True)
    assert "hunter" not in result["stdout"]


def test_without_load_neither_shards_nor_participants_are_asked_for(api):
    result = run(api, load=False, name=["b", "a"])
    assert sorted(api.lines) == ["GET system_location/", "GET worker_vm/", "GET worker_vm/"]
    assert [node["in_contact"] for node in result["nodes"]] == [True, False]
    assert [key for node in result["nodes"] for key in ("conferences", "participants") if key in node] == []
    # A number nobody has counted is not given either, least of all for a node that is still waited for.
    waited = run(api, load=False, name=["a", "nobody"], wait="contact")
    assert [key for node in waited["nodes"] for key in ("conferences", "participants") if key in node] == []


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"name": ["c", "b", "nobody"]}, ["c", "b"]),
        ({"name": []}, []),
        ({"system_location": ["Oslo"]}, ["a", "c"]),
        ({"system_location": ["London", "Oslo"], "node_type": "CONFERENCING"}, ["b", "c"]),
        ({"node_type": "PROXYING"}, ["a"]),
        ({"name": ["a"], "node_type": "CONFERENCING"}, []),
    ],
)
def test_filters_pick_nodes_by_name_location_and_type(api, options, names):
    assert [node["name"] for node in run(api, **options)["nodes"]] == names


def test_a_node_without_a_status_has_never_been_seen(api, memory):
    [node] = run(api, name=["c"])["nodes"]
    assert (node["status"], node["in_contact"], node["system_location"]) == (None, False, "Oslo")
    memory.status["worker_vm"].append({"configuration_id": 5, "name": "c", "system_location": "Oslo"})
    before = len(api.requests)
    run(api)
    assert [line for line in api.lines[before:] if "system_location" in line] == []


def test_a_round_of_waiting_is_one_request_and_says_what_is_missing(api):
    result = run(api, name=["b", "a", "c"], wait="contact")
    assert api.lines == ["GET worker_vm/"]
    assert (result["complete"], result["waiting_for"]) == (False, "2 of 3 Conferencing Nodes to be in contact")
    assert result["progress"] == ["a: last updated never, OUT_OF_SYNC", "c: not registered"]
    assert [node["in_contact"] for node in result["nodes"]] == [True, False, False]
    assert "UDP 500 and ESP" in result["remedy"]


@pytest.mark.parametrize(
    ("since", "complete"), [({}, True), ({"b": None}, True), ({"b": T1}, False), ({"b": "2026-11-23T09:59:59"}, True)]
)
def test_only_a_report_newer_than_before_counts(api, since, complete):
    result = run(api, name=["b"], wait="contact", since=since)
    assert (result["complete"], result["nodes"][0]["in_contact"]) == (complete, complete)
    assert ("conferences" in result["nodes"][0]) is True


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"wait": "contact"}, "name"),
        ({"wait": "contact", "name": ["b"], "since": {"b": "yesterday"}}, "since: b: 'yesterday'"),
        ({"node_type": "OTHER"}, "node_type"),
    ],
)
def test_bad_options_are_refused(api, options, words):
    result = run(api, **options)
    assert result["failed"]
    assert words in result["msg"]


def test_check_mode_waits_for_nothing(api):
    result = run(api, check=True, name=["a", "nobody"], wait="contact")
    assert result["complete"]
    assert [(node["name"], node["registered"]) for node in result["nodes"]] == [("a", True), ("nobody", False)]
    assert run_module(pexip_node_info, check=True, host="", name=["a"], wait="contact")["nodes"] == []
