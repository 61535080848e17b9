# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of bursting: the guide's figures, and properties of every choice of nodes."""

from __future__ import annotations

import itertools

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.bursting import (
    Snapshot,
    every_node,
    location_state,
    nodes_by_name,
    nodes_for_capacity,
    overflow_nodes,
    threshold_of,
    view,
)
from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError
from hypothesis import given
from hypothesis import strategies as st

T0, T1, T2 = "2026-11-23T10:00:00", "2026-11-23T10:05:00.250000", "2026-11-23T10:12:59"


@pytest.mark.parametrize(
    ("value", "capacity", "threshold"),
    [
        ("15%", 80, 12),  # the guide's own example
        ("15 %", 80, 12),
        ("12.5%", 80, 10),
        ("15%", 81, 13),
        ("0.1%", 30, 1),
        (5, 80, 5),
        ("5", 0, 5),
        ("100%", 30, 30),
    ],
)
def test_a_threshold_is_a_number_or_a_share_of_the_capacity_rounded_up(value, capacity, threshold):
    assert threshold_of(value, capacity) == threshold


@pytest.mark.parametrize("value", ["many", "-5", -5, "5.5", 5.5, "%", "15%%", "", None, True, "1e2", 0, "0", "0%"])
def test_a_threshold_that_is_none_is_refused_by_its_value(value):
    with pytest.raises(ValueError, match=r"neither a number|the least is 1"):
        threshold_of(value, 80)


def test_a_share_of_nothing_is_no_threshold():
    with pytest.raises(ValueError, match="15% of 0 HD calls is a threshold of 0"):
        threshold_of("15%", 0)


@pytest.mark.parametrize(
    ("free", "state"),
    [
        (8, "ok"),
        (7, "approaching threshold"),
        (6, "approaching threshold"),
        (5, "bursting threshold reached"),
        (0, "bursting threshold reached"),
        (None, None),
    ],
)
def test_a_location_is_said_to_be_where_the_status_page_says_it(free, state):
    assert location_state(free, 5) == state


def test_without_a_threshold_nothing_is_said():
    assert location_state(3, None) is None


def cloud(name, key=None, *, prefix="cloud", state="stopped", launch=None, **more):
    """A cloud_node row."""
    facts = {"id": f"i-{name}", "ip": "10.0.0.9", "launch_time": launch, "name": f"{name}-vm", "state": state}
    row = {f"{prefix}_instance_{field}": value for field, value in facts.items()}
    where = {"workervm_configuration_name": name, "workervm_configuration_location_name": "AWS burst"}
    known = where if key is not None else dict.fromkeys(where)
    return {**row, "workervm_configuration_id": key, **known, "media_load": 0, "max_hd_calls": 15, **more}


def status(key, *, updated=T1, **more):
    """A worker_vm status row."""
    return {"configuration_id": key, "sync_status": "SYNCED", "last_updated": updated, "max_hd_calls": 15, **more}


@pytest.mark.parametrize("prefix", ["cloud", "aws"])
def test_a_node_is_told_under_the_new_names_and_under_the_old(prefix):
    [node] = overflow_nodes([cloud("b1", 7, prefix=prefix, state="running", launch=T0)], [status(7), status(8)])
    assert node == {
        "name": "b1",
        "location": "AWS burst",
        "instance_id": "i-b1",
        "instance_name": "b1-vm",
        "address": "10.0.0.9",
        "state": "running",
        "launch_time": T0,
        "running_minutes": 5,
        "media_load": 0,
        "max_hd_calls": 15,
        "maintenance_mode": False,
        "in_contact": True,
        "configuration_id": 7,
    }


@pytest.mark.parametrize(
    ("state", "launch", "updated", "available", "minutes"),
    [
        ("running", T0, T1, True, 12),
        ("running", T1, T0, False, 7),  # it reported before it was launched, and not since
        ("running", T1, None, False, 7),
        ("pending", T0, T1, False, None),
        ("stopping", T0, T1, False, None),
        ("stopped", T0, T1, False, None),
        ("running", None, T1, True, None),
    ],
)
def test_available_is_running_and_reported_since_its_launch(state, launch, updated, available, minutes):
    """Minutes are reckoned by the newest report of any node, not by the controller's clock."""
    statuses = [status(7, updated=updated), status(8, updated=T2)]
    [node] = overflow_nodes([cloud("b1", 7, state=state, launch=launch)], statuses)
    assert (node["in_contact"], node["running_minutes"]) == (available, minutes)


def test_a_launch_that_is_newer_than_every_report_has_run_for_no_minute():
    assert overflow_nodes([cloud("b1", 7, state="running", launch=T2)], [status(7)])[0]["running_minutes"] == 0
    assert overflow_nodes([cloud("b1", 7, state="running", launch=T2)], [])[0]["running_minutes"] is None


def test_a_stopped_node_has_the_capacity_that_it_last_reported():
    rows = [cloud("b1", 7, max_hd_calls=None), cloud("b2", 8, max_hd_calls=None)]
    nodes = overflow_nodes(rows, [status(7, max_hd_calls=27, maintenance_mode=True)])
    assert [(node["max_hd_calls"], node["maintenance_mode"]) for node in nodes] == [(27, True), (None, False)]


NOT_ALLOWED = "Not authorized to perform an operation on i-b1. Check the policy created for the AWS user."


def test_what_the_status_page_shows():
    uri = "/api/admin/status/v1/cloud_overflow_location/4/"
    london = {"name": "London", "media_load": 85, "free_hd_calls": 6, "max_hd_calls": 40, "overflow_location": uri}
    oslo = {**london, "name": "Bergen", "free_hd_calls": None, "overflow_location": {"name": "AWS burst"}, "id": 9}
    burst = {"name": "AWS burst", "media_load": 0, "free_hd_calls": 15, "max_hd_calls": 15}
    shown = view(
        Snapshot(
            settings={
                "bursting_enabled": True,
                "cloud_provider": "AWS",
                "bursting_threshold": 5,
                "aws_secret_key": "x",
            },
            managers=[{"name": "old", "hostname": "old"}, {"name": "mgr", "hostname": "manager", "primary": True}],
            statuses=[status(7)],
            cloud_nodes=[cloud("b2"), cloud("b1", 7)],
            monitored=[london, oslo],
            overflow=[{**burst, "resource_uri": uri, "systemlocation_id": 4}],
            alarms=[
                {"name": "cloud_bursting", "details": NOT_ALLOWED},
                {"name": "something", "details": NOT_ALLOWED},
                {"name": "licenses_low", "details": "few licences"},
            ],
        )
    )
    assert [node["instance_id"] for node in shown.pop("nodes")] == ["i-b1", "i-b2"]
    assert shown == {
        "enabled": True,
        "provider": "AWS",
        "threshold": 5,
        "min_lifetime": None,
        "tag_name": "pexip-cloud",
        "tag_value": "manager",
        "management_node": "mgr",
        "locations": [
            {**london, "name": "Bergen", "free_hd_calls": None, "overflow_location": "AWS burst", "state": None},
            {**london, "overflow_location": "AWS burst", "state": "approaching threshold"},
        ],
        "overflow_locations": [burst],
        "issues": [
            "Instance b2-vm (with IP 10.0.0.9) was found, but no corresponding Conferencing Node has been configured",
            NOT_ALLOWED,
        ],
    }


def test_an_issue_that_the_platform_tells_itself_is_told_once():
    sentence = "Instance b2-vm (with IP 10.0.0.9) was found, but no corresponding Conferencing Node has been configured"
    shown = view(Snapshot(cloud_nodes=[cloud("b2")], alarms=[{"name": "cloud_bursting", "details": f"{sentence}."}]))
    assert [issue.rstrip(".") for issue in shown["issues"]] == [sentence]


def test_an_empty_platform_has_no_bursting():
    shown = view(Snapshot())
    assert (shown["enabled"], shown["locations"], shown["nodes"], shown["tag_value"]) == (False, [], [], None)


def node(name, capacity=15, state="stopped", **more):
    """An overflow node as `overflow_nodes` gives it."""
    plain = {
        "configuration_id": 1,
        "maintenance_mode": False,
        "in_contact": state == "running",
        "location": "AWS burst",
    }
    return {
        "name": name,
        "instance_id": f"i-{name}",
        "address": "10.0.0.9",
        "state": state,
        "max_hd_calls": capacity,
    } | {
        **plain,
        **more,
    }


def place(free, most=None, name="AWS burst"):
    """An overflow location's figures."""
    return [{"name": name, "free_hd_calls": free, "max_hd_calls": most}]


def names(choice):
    return [node["name"] for node in choice.nodes]


def test_nothing_is_started_where_enough_is_free():
    choice = nodes_for_capacity([node("a", state="running"), node("b")], 12, place(12, 15))
    assert (names(choice), choice.off) == (["a"], [])
    assert choice.explanation == (
        "12 free HD connections asked for, 12 on the nodes that run or start; nothing has to be started."
    )


def test_what_is_starting_counts_and_the_last_node_is_the_smallest_that_does():
    fleet = [
        node("a", 20, "running"),
        node("b", 30, "pending"),
        node("c", 8),
        node("d", 27),
        node("e", 15),
        node("f", 15),
    ]
    choice = nodes_for_capacity(fleet, 73, place(4, 20))
    assert names(choice) == ["a", "b", "d", "e"]
    assert [item["name"] for item in choice.off] == ["d", "e"]
    assert choice.explanation == (
        "73 free HD connections asked for, 34 on the nodes that run or start; "
        "the fewest nodes that bring the other 39: d (27), e (15)."
    )


@pytest.mark.parametrize(
    ("figures", "there"),
    [
        (place(0, 0), 30),  # neither of the two that have just reported in is counted yet
        (place(11, 15), 26),
        (place(26, 30), 26),
        (place(26, 45), 26),  # a node in maintenance mode, which hosts nothing new, has its capacity
        (place(26), 26),
        ([], 0),
    ],
)
def test_a_node_that_has_just_reported_in_counts_before_its_location_counts_it(figures, there):
    fleet = [node("a", state="running"), node("b", state="running"), node("c")]
    choice = nodes_for_capacity(fleet, max(there, 1), figures)
    assert f"{there} on the nodes that run or start" in choice.explanation
    assert bool(choice.off) == (there == 0)


def test_what_one_location_has_more_makes_no_other_have_less():
    fleet = [node("a", state="running"), node("b", state="pending", location="AWS two")]
    figures = [*place(15, 45), *place(0, 0, "AWS two")]
    assert "30 on the nodes" in nodes_for_capacity(fleet, 30, figures).explanation


def test_a_stopped_node_comes_before_one_that_is_still_stopping():
    assert names(nodes_for_capacity([node("a", state="stopping"), node("b")], 5, place(0))) == ["b"]


def test_nodes_that_could_host_nothing_are_left_out():
    fleet = [
        node("a", maintenance_mode=True),
        node("b", configuration_id=None),
        node("c", state="terminated"),
        node("d", 15),
    ]
    choice = nodes_for_capacity(fleet, 15, place(0))
    assert names(choice) == ["d"]
    assert "a left out (maintenance mode)" in choice.explanation
    assert names(every_node(fleet)) == ["d"]


def test_more_than_there_is_starts_nothing_and_says_how_much_there_is():
    fleet = [node("a", state="running"), node("b"), node("c", None), node("d", maintenance_mode=True)]
    with pytest.raises(PexipError) as caught:
        nodes_for_capacity(fleet, 60, place(10, 15))
    assert str(caught.value) == (
        "capacity: 60 free HD connections asked for, and all overflow nodes together bring 25 "
        "(10 on the nodes that run or start); d left out (maintenance mode); c never reported a capacity; "
        "nothing was started. Ask for less, or say all: true"
    )


@given(st.lists(st.integers(1, 45), min_size=1, max_size=7), st.integers(1, 200), st.integers(0, 60))
def test_no_fewer_nodes_would_bring_the_capacity(capacities, wanted, free):
    fleet = [node(f"n{number}", capacity) for number, capacity in enumerate(capacities)]
    lacking = max(0, wanted - free)
    if sum(capacities) < lacking:
        with pytest.raises(PexipError, match="nothing was started"):
            nodes_for_capacity(fleet, wanted, place(free))
        return
    chosen = [item["max_hd_calls"] for item in nodes_for_capacity(fleet, wanted, place(free)).nodes]
    fewest = next(
        count
        for count in range(len(capacities) + 1)
        if any(sum(some) >= lacking for some in itertools.combinations(capacities, count))
    )
    assert sum(chosen) >= lacking
    assert len(chosen) == fewest
    assert nodes_for_capacity(fleet[::-1], wanted, place(free)) == nodes_for_capacity(fleet, wanted, place(free))


def test_nodes_are_named_by_name_or_instance_each_once():
    fleet = [node("a"), node("b", state="running")]
    choice = nodes_by_name(fleet, ["b", "i-a", "a"], [])
    assert names(choice) == ["b", "a"]
    assert choice.explanation == "b, a asked for by name; b on already."


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("burst3", ["no cloud overflow node 'burst3'", "Existing: 'burst1', 'i-burst2'", "tagged pexip-cloud"]),
        ("conf01", ["'conf01'", "It is a Conferencing Node, but the platform does not list it", "tagged pexip-cloud"]),
        ("i-burst2", ["i-burst2", "10.0.0.9", "no Conferencing Node", "pexip-cloud"]),
        ("burst4", ["burst4", "shutting-down", "cannot start"]),
    ],
)
def test_a_name_that_cannot_be_started_is_refused(name, words):
    fleet = [node("burst1"), node(None, instance_id="i-burst2", configuration_id=None)]
    fleet += [node("burst4", state="shutting-down")] if name == "burst4" else []
    with pytest.raises(PexipError) as caught:
        nodes_by_name(fleet, ["burst1", name], ["conf01", "burst1"])
    assert [word for word in words if word not in str(caught.value)] == []


def test_all_of_none_is_an_error():
    with pytest.raises(PexipError, match="there is no cloud overflow node.*bursting is enabled"):
        every_node([])
