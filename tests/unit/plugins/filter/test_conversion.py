# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""conversion_plans: what differs, what forbids, both ways."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.filter.conversion import conversion_plans

MARKED = {"maintenance_mode": True, "maintenance_mode_reason": "pexip.infinity: converting"}


def node(name, number, location="London", database=True, **more):
    status = {"max_hd_calls": 15}
    return {
        "name": name,
        "address": f"10.0.0.{number}",
        "system_location": location,
        "enable_distributed_database": database,
        "node_type": "CONFERENCING",
        "maintenance_mode": False,
        "maintenance_mode_reason": "",
        "in_contact": True,
        "status": status,
        **more,
    }


def instance(name, number, **tags):
    ours = {"pexip-infinity-node": name, "pexip-infinity-platform": "manager"}
    return {
        "instance_id": f"i-{number}",
        "private_ip_address": f"10.0.0.{number}",
        "tags": {**ours, **{key.replace("_", "-"): value for key, value in tags.items()}},
    }


def wanted(name, overflow, location, public_address="none"):
    return {"name": name, "overflow": overflow, "location": location, "public_address": public_address}


def plan(host, nodes, instances, fleet=(), **more):
    found = {
        "platform": "manager",
        "host_name": "manager",
        "nodes": nodes,
        "instances": instances,
        "locations": ["London", "AWS burst"],
    }
    return conversion_plans([host, *fleet], [host["name"]], {**found, **more})[0]


TO_OVERFLOW = wanted("conf01", True, "AWS burst")
TO_ALWAYS_ON = wanted("conf01", False, "London")


def test_an_always_on_node_becomes_an_overflow_node():
    found = plan(TO_OVERFLOW, [node("conf01", 5)], [instance("conf01", 5)])
    assert found["problems"] == []
    assert found["steps"] == ["move to AWS burst", "distributed database off", "stop and tag pexip-cloud: manager"]
    assert (found["to"], found["instance"]["instance_id"]) == ("overflow", "i-5")
    assert found["does"] == ["maintain"]


def test_an_overflow_node_becomes_an_always_on_node():
    found = plan(
        TO_ALWAYS_ON, [node("conf01", 5, "AWS burst", database=False)], [instance("conf01", 5, pexip_cloud="manager")]
    )
    assert found["problems"] == []
    assert found["steps"] == ["take the tag pexip-cloud away", "move to London", "distributed database on"]
    assert found["does"] == ["untag", "maintain"]


@pytest.mark.parametrize(
    ("host", "current", "tags"),
    [
        pytest.param(
            TO_OVERFLOW, node("conf01", 5, "AWS burst", database=False), {"pexip_cloud": "manager"}, id="over"
        ),
        pytest.param(TO_ALWAYS_ON, node("conf01", 5), {}, id="always-on"),
    ],
)
def test_a_node_that_is_there_needs_nothing(host, current, tags):
    found = plan(host, [current], [instance("conf01", 5, **tags)])
    assert (found["steps"], found["does"], found["problems"]) == ([], [], [])


def test_a_conversion_that_was_killed_before_its_end_is_known_by_its_mark():
    found = plan(
        TO_OVERFLOW,
        [node("conf01", 5, "AWS burst", database=False, **MARKED)],
        [instance("conf01", 5, pexip_cloud="manager")],
    )
    assert found["steps"] == ["finish the conversion that was begun"]


def test_an_operators_own_maintenance_is_not_ours_to_finish():
    operators = {"maintenance_mode": True, "maintenance_mode_reason": "new fan"}
    found = plan(TO_ALWAYS_ON, [node("conf01", 5, **operators)], [instance("conf01", 5)])
    assert found["steps"] == []


def test_a_wrong_tag_value_is_corrected():
    current = node("conf01", 5, "AWS burst", database=False)
    found = plan(TO_OVERFLOW, [current], [instance("conf01", 5, pexip_cloud="other")])
    assert found["steps"] == ["stop and tag pexip-cloud: manager"]


@pytest.mark.parametrize(
    ("nodes", "instances", "more", "words"),
    [
        pytest.param([], [], {}, ["not registered", "onboard_nodes"], id="not registered"),
        pytest.param([node("conf01", 5)], [], {}, ["no EC2 instance", "pexip_adopt"], id="no instance"),
        pytest.param(
            [node("conf01", 5)], [instance("conf01", 5), instance("conf01", 6)], {}, ["i-5, i-6"], id="two instances"
        ),
        pytest.param([node("conf01", 5)], [instance("conf01", 6)], {}, ["10.0.0.6", "10.0.0.5"], id="other address"),
        pytest.param(
            [node("conf01", 5)],
            [instance("conf01", 5)],
            {"locations": ["London"]},
            ["there are: London"],
            id="location",
        ),
    ],
)
def test_what_cannot_be_converted_is_said(nodes, instances, more, words):
    (problem,) = plan(TO_OVERFLOW, nodes, instances, **more)["problems"]
    assert "conf01" in problem
    assert all(word in problem for word in words)


def test_an_instance_set_up_by_hand_is_found_by_its_address_when_it_may_be_adopted():
    by_hand = {"instance_id": "i-7", "private_ip_address": "10.0.0.5", "tags": {"Name": "anything"}}
    found = plan(TO_OVERFLOW, [node("conf01", 5)], [by_hand], adopt=True)
    assert (found["instance"], found["does"]) == (by_hand, ["adopt", "maintain"])


def test_a_dynamic_public_address_is_refused_unless_forced():
    host = wanted("conf01", True, "AWS burst", "dynamic")
    arguments = host, [node("conf01", 5)], [instance("conf01", 5)]
    (problem,) = plan(*arguments)["problems"]
    assert "pexip_public_address" in problem and "elastic" in problem
    assert plan(*arguments, force=True)["problems"] == []


@pytest.mark.parametrize(
    ("public", "elastic", "host", "loses"),
    [
        pytest.param("203.0.113.7", [], TO_OVERFLOW, True, id="assigned"),
        pytest.param("203.0.113.7", ["203.0.113.7"], TO_OVERFLOW, False, id="elastic"),
        pytest.param("203.0.113.9", [], TO_OVERFLOW, False, id="translated by another device"),
        pytest.param(None, [], TO_OVERFLOW, False, id="none"),
        pytest.param("203.0.113.7", [], wanted("conf01", False, "AWS burst"), False, id="stays always-on"),
    ],
)
def test_a_static_nat_address_that_the_stop_takes_away_is_cleared(public, elastic, host, loses):
    machine = {**instance("conf01", 5), "public_ip_address": public}
    found = plan(host, [node("conf01", 5, static_nat_address="203.0.113.7")], [machine], elastic=elastic)
    assert found["problems"] == []
    assert found["loses_address"] is loses
    assert ("clear the static NAT address 203.0.113.7" in found["steps"]) is loses
    there = node("conf01", 5, "AWS burst", database=False, static_nat_address="203.0.113.7")
    tagged = {**instance("conf01", 5, pexip_cloud="manager"), "public_ip_address": public}
    assert plan(TO_OVERFLOW, [there], [tagged], elastic=elastic)["steps"] == []


def test_kinds_do_not_mix_in_a_location():
    stays = node("conf02", 6, "AWS burst")
    arguments = TO_OVERFLOW, [node("conf01", 5), stays], [instance("conf01", 5), instance("conf02", 6)]
    (problem,) = plan(*arguments)["problems"]
    assert "always-on node conf02" in problem
    # one that the inventory converts as well is no obstacle, even when a limit leaves it for later
    assert plan(*arguments, fleet=[wanted("conf02", True, "AWS burst")])["problems"] == []


def test_a_node_elsewhere_is_always_on():
    on_premises = node("onprem01", 9, "AWS burst")
    (problem,) = plan(TO_OVERFLOW, [node("conf01", 5), on_premises], [instance("conf01", 5)])["problems"]
    assert "onprem01" in problem


def test_the_floor_is_kept():
    nodes = [node("conf01", 5), node("conf02", 6), node("conf03", 7, maintenance_mode=True)]
    arguments = TO_OVERFLOW, nodes, [instance("conf01", 5)]
    assert plan(*arguments, floor=15)["problems"] == []
    (problem,) = plan(*arguments, floor=16)["problems"]
    assert "15 of 30" in problem and "pexip_serial" in problem


def test_the_floor_does_not_hold_what_is_out_of_service_already():
    nodes = [node("conf01", 5, in_contact=False), node("conf02", 6)]
    assert plan(TO_OVERFLOW, nodes, [instance("conf01", 5)], floor=40)["problems"] == []


def test_a_node_that_only_moves_leaves_service_for_a_while_too():
    nodes = [node("conf01", 5), node("conf02", 6)]
    host = wanted("conf01", False, "AWS burst")
    (problem,) = plan(host, nodes, [instance("conf01", 5)], floor=16)["problems"]
    assert "node_conversion_floor" in problem


@pytest.mark.parametrize(
    ("host", "words"),
    [
        pytest.param(wanted("conf01", True, "London"), "no overflow location", id="overflow in a primary location"),
        pytest.param(wanted("conf01", False, "AWS burst"), "an overflow location", id="always-on in an overflow one"),
    ],
)
def test_the_map_says_which_locations_are_overflow_locations(host, words):
    overflow = {"London": "AWS burst"}
    (problem,) = plan(host, [node("conf01", 5)], [instance("conf01", 5)], overflow=overflow)["problems"]
    assert words in problem
    assert plan(TO_OVERFLOW, [node("conf01", 5)], [instance("conf01", 5)], overflow=overflow)["problems"] == []


def test_a_node_in_somebody_elses_maintenance_is_not_touched():
    operators = {"maintenance_mode": True, "maintenance_mode_reason": "new fan"}
    (problem,) = plan(TO_OVERFLOW, [node("conf01", 5, **operators)], [instance("conf01", 5)])["problems"]
    assert "new fan" in problem


def test_the_tag_is_the_platforms_own_host_name():
    found = plan(TO_OVERFLOW, [node("conf01", 5)], [instance("conf01", 5)], host_name="mgr")
    assert found["steps"][-1] == "stop and tag pexip-cloud: mgr"
