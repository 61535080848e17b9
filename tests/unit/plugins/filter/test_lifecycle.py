# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""lifecycle_plans: what is left to stop, start, refresh or remove, and what forbids it."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.pexip.infinity.plugins.filter.lifecycle import lifecycle_plans

NOW, LONG_AGO = "2026-11-23T10:00:00", "2026-11-23T09:00:00"
OPERATORS = {"maintenance_mode": True, "maintenance_mode_reason": "new fan"}


def ours(reason="stopping"):
    return {"maintenance_mode": True, "maintenance_mode_reason": f"pexip.infinity: {reason}"}


def node(name, number, location="London", seen=NOW, hd=15, **more):
    return {
        "name": name,
        "address": f"10.0.0.{number}",
        "system_location": location,
        "enable_distributed_database": True,
        "node_type": "CONFERENCING",
        "static_nat_address": None,
        "maintenance_mode": False,
        "maintenance_mode_reason": "",
        "in_contact": True,
        "status": {"max_hd_calls": hd, "last_updated": seen},
        **more,
    }


def instance(name, number, state="running", public=None, **tags):
    mine = {"pexip-infinity-node": name, "pexip-infinity-platform": "manager"} if name else {}
    return {
        "instance_id": f"i-{number}",
        "private_ip_address": f"10.0.0.{number}",
        "public_ip_address": public,
        "vpc_id": "vpc-1",
        "state": {"name": state},
        "tags": {**mine, **{key.replace("_", "-"): value for key, value in tags.items()}},
    }


def eip(address, name, instance_id=None):
    tags = {"pexip-infinity-node": name, "pexip-infinity-platform": "manager"}
    return {"public_ip": address, "instance_id": instance_id, "tags": tags}


def plans(
    job,
    names,
    nodes,
    instances,
    overflow=False,
    public="none",
    adopt=False,
    floor_nodes=0,
    floor_hd=0,
    own=None,
    **more,
):
    """The plans of these nodes; `own` has what a node's host says otherwise."""
    said = {"overflow": overflow, "public_address": public, "adopt": adopt}
    said |= {"floor_nodes": floor_nodes, "floor_hd": floor_hd}
    wanted = [{"name": name, **said, **(own or {}).get(name, {})} for name in names]
    found = {"platform": "manager", "host_name": "manager", "nodes": nodes, "instances": instances}
    return lifecycle_plans(wanted, job, {**found, **more})


def plan(job, nodes, instances, **more):
    return plans(job, ["conf01"], nodes, instances, **more)[0]


def does(job, nodes, instances, **more):
    found = plan(job, nodes, instances, **more)
    assert found["problems"] == []
    return found["does"]


def problem(job, nodes, instances, **more):
    found = plan(job, nodes, instances, **more)
    assert found["steps"] == []
    (sentence,) = found["problems"]
    assert "conf01" in sentence
    return sentence


# stop


@pytest.mark.parametrize(
    ("current", "machine", "steps"),
    [
        pytest.param({}, instance("conf01", 5), ["maintain", "stop"], id="in service"),
        pytest.param({}, instance("conf01", 5, "pending"), ["maintain", "stop"], id="coming up"),
        pytest.param(ours(), instance("conf01", 5), ["maintain", "stop"], id="draining when it was killed"),
        pytest.param(ours(), instance("conf01", 5, "stopping"), ["stop"], id="stopping when it was killed"),
        pytest.param(ours(), instance("conf01", 5, "stopped"), [], id="stopped"),
        pytest.param({}, instance("conf01", 5, "stopped"), ["maintain"], id="stopped by hand"),
        pytest.param(OPERATORS, instance("conf01", 5), ["maintain", "stop"], id="in an operator's maintenance"),
        pytest.param(OPERATORS, instance("conf01", 5, "stopped"), [], id="stopped in an operator's maintenance"),
    ],
)
def test_what_is_left_of_a_stop(current, machine, steps):
    assert does("stop", [node("conf01", 5, **current)], [machine]) == steps


def test_an_overflow_node_loses_its_tag_before_it_is_stopped():
    machine = instance("conf01", 5, pexip_cloud="manager")
    assert does("stop", [node("conf01", 5)], [machine]) == ["untag", "maintain", "stop"]


@pytest.mark.parametrize("job", ["stop", "start"])
@pytest.mark.parametrize(
    ("nodes", "instances", "words"),
    [
        pytest.param([], [], ["not registered", "onboard_nodes"], id="not registered"),
        pytest.param([node("conf01", 5)], [], ["no EC2 instance", "pexip_adopt"], id="no instance"),
        pytest.param([node("conf01", 5)], [instance("conf01", 5, "shutting-down")], ["no EC2 instance"], id="going"),
        pytest.param([node("conf01", 5)], [instance("conf01", 5), instance("conf01", 6)], ["i-5, i-6"], id="two"),
        pytest.param([node("conf01", 5)], [instance("conf01", 6)], ["10.0.0.6", "10.0.0.5"], id="other address"),
        pytest.param([node("conf01", 5, **ours("converting"))], [instance("conf01", 5)], ["convert_nodes"], id="half"),
    ],
)
def test_what_cannot_be_touched_is_said(job, nodes, instances, words):
    sentence = problem(job, nodes, instances)
    assert all(word in sentence for word in words)


def test_an_instance_set_up_by_hand_is_tagged_when_it_may_be_adopted():
    by_hand = instance(None, 5)
    assert does("stop", [node("conf01", 5)], [by_hand], adopt=True) == ["adopt", "maintain", "stop"]


def test_an_instance_of_another_network_is_not_adopted():
    elsewhere = {**instance(None, 5), "vpc_id": "vpc-2"}
    nodes = [node("conf01", 5), node("conf02", 6)]
    assert "no EC2 instance" in problem("stop", nodes, [elsewhere, instance("conf02", 6)], adopt=True)


# the floor

TWO = (node("conf01", 5), node("conf02", 6))
THEIRS = (instance("conf01", 5), instance("conf02", 6))


def refused(job="stop", nodes=TWO, instances=THEIRS, **floor):
    """Names of the nodes that the floor keeps in service."""
    found = plans(job, [item["name"] for item in nodes], nodes, instances, **floor)
    assert all(f"_floor_nodes is {floor.get('floor_nodes', 0)}" in text for item in found for text in item["problems"])
    return [item["name"] for item in found if item["problems"]]


def test_nodes_are_taken_out_in_order_while_the_floor_holds():
    assert refused(floor_nodes=1) == ["conf02"]
    assert refused(floor_nodes=2) == ["conf01", "conf02"]
    assert refused(floor_hd=15) == ["conf02"]
    assert refused(floor_hd=16) == ["conf01", "conf02"]
    assert refused(floor_nodes=0) == []


def test_the_floor_names_the_numbers_and_the_variables_of_its_role():
    stop = plans("stop", ["conf01"], TWO, THEIRS, floor_nodes=2, floor_hd=3)[0]["problems"][0]
    assert "London has 1 always-on nodes in service (conf02) with 15 HD connections" in stop
    assert "node_maintenance_floor_nodes is 2, node_maintenance_floor_hd 3" in stop
    assert "node_removal_floor_nodes" in plans("remove", ["conf01"], TWO, THEIRS, floor_nodes=2)[0]["problems"][0]


def test_each_location_has_its_own_floor():
    assert refused(nodes=[TWO[0], node("conf02", 6, "Oslo")], floor_nodes=1) == ["conf01", "conf02"]


def test_a_node_may_bring_the_floor_of_its_own_location():
    nodes = [*TWO, node("conf03", 7, "Oslo"), node("conf04", 8, "Oslo")]
    machines = [*THEIRS, instance("conf03", 7), instance("conf04", 8)]
    oslo = {"floor_nodes": 2, "floor_hd": 20}
    found = plans("stop", ["conf01", "conf03"], nodes, machines, floor_nodes=1, own={"conf03": oslo})
    assert found[0]["problems"] == []
    (sentence,) = found[1]["problems"]
    assert "node_maintenance_floor_nodes is 2, node_maintenance_floor_hd 20" in sentence


def test_of_several_floors_for_a_location_the_highest_holds_whoever_comes_first():
    nodes = [*TWO, node("conf03", 7)]
    machines = [*THEIRS, instance("conf03", 7)]
    for high in ("conf01", "conf02"):
        found = plans("stop", ["conf01", "conf02"], nodes, machines, floor_nodes=1, own={high: {"floor_nodes": 2}})
        assert [bool(item["problems"]) for item in found] == [False, True]


def test_a_node_that_was_set_up_by_hand_counts_by_the_instance_at_its_address():
    for by_hand in (instance(None, 6, "stopped"), instance(None, 6, pexip_cloud="manager")):
        found = plans("stop", ["conf01"], TWO, [THEIRS[0], by_hand], floor_nodes=1)
        assert "London has 0 always-on nodes" in found[0]["problems"][0]


@pytest.mark.parametrize(
    ("other", "machine"),
    [
        pytest.param({"in_contact": False}, "running", id="out of contact"),
        pytest.param({"seen": LONG_AGO}, "running", id="silent"),
        pytest.param(OPERATORS, "running", id="in maintenance"),
        pytest.param({"node_type": "PROXYING"}, "running", id="proxying"),
        pytest.param({}, "stopped", id="stopped a moment ago"),
    ],
)
def test_a_node_out_of_service_does_not_count_and_is_not_held(other, machine):
    nodes = [TWO[0], node("conf02", 6, **other)]
    assert refused(nodes=nodes, instances=[THEIRS[0], instance("conf02", 6, machine)], floor_nodes=1) == ["conf01"]


def test_a_node_whose_instance_was_terminated_does_not_count_though_it_has_just_reported_in():
    machines = [THEIRS[0], instance("conf02", 6, "terminated")]
    assert "London has 0 always-on" in plans("stop", ["conf01"], TWO, machines, floor_nodes=1)[0]["problems"][0]


def test_overflow_nodes_neither_count_nor_are_held():
    assert refused(instances=[THEIRS[0], instance("conf02", 6, pexip_cloud="manager")], floor_nodes=1) == ["conf01"]


def test_a_node_outside_ec2_counts():
    found = plans("stop", ["conf01"], [TWO[0], node("onprem01", 9)], [THEIRS[0]], floor_nodes=1)
    assert found[0]["problems"] == []


def test_a_refused_node_takes_no_place_from_the_next():
    nodes = [node("conf01", 5), node("conf02", 6)]
    found = plans("stop", ["conf01", "conf02"], nodes, [THEIRS[1]], floor_nodes=1)
    assert ["no EC2 instance" in found[0]["problems"][0], found[1]["problems"]] == [True, []]


# start


@pytest.mark.parametrize(
    ("current", "machine", "steps"),
    [
        pytest.param(ours(), instance("conf01", 5, "stopped"), ["start", "contact", "leave"], id="stopped"),
        pytest.param({}, instance("conf01", 5, "stopped"), ["maintain", "start", "contact", "leave"], id="by hand"),
        pytest.param(ours("starting"), instance("conf01", 5), ["contact", "leave"], id="killed after the start"),
        pytest.param({}, instance("conf01", 5), [], id="in service"),
        pytest.param(OPERATORS, instance("conf01", 5, "stopped"), ["start", "contact"], id="an operator's"),
        pytest.param(OPERATORS, instance("conf01", 5), [], id="runs in an operator's maintenance"),
    ],
)
def test_what_is_left_of_a_start(current, machine, steps):
    assert does("start", [node("conf01", 5, **current)], [machine]) == steps


def test_somebody_elses_maintenance_is_reported():
    assert plan("start", [node("conf01", 5, **OPERATORS)], [instance("conf01", 5)])["reserved"]
    assert not plan("start", [node("conf01", 5, **ours())], [instance("conf01", 5)])["reserved"]


@pytest.mark.parametrize("public", ["dynamic", "elastic"])
def test_the_static_nat_address_is_set_before_the_node_serves(public):
    before = node("conf01", 5, static_nat_address="198.51.100.1", **ours())
    stopped = does("start", [before], [instance("conf01", 5, "stopped")], public=public)
    assert stopped == ["start", "contact", "nat", "leave"]
    running = plan("start", [before], [instance("conf01", 5, public="198.51.100.2")], public=public)
    assert running["steps"][1] == "static NAT address 198.51.100.2 instead of 198.51.100.1"
    assert does("start", [before], [instance("conf01", 5, public="198.51.100.2")]) == ["contact", "leave"]


def overflow(number=5, **more):
    return node("conf01", number, "AWS burst", enable_distributed_database=False, **more)


@pytest.mark.parametrize(
    ("current", "tag", "steps"),
    [
        pytest.param(ours(), None, ["leave", "tag"], id="stopped"),
        pytest.param({}, None, ["tag"], id="killed before the tag"),
        pytest.param({}, "manager", [], id="the platform's"),
        pytest.param({}, "other", ["tag"], id="wrong value"),
        pytest.param(OPERATORS, None, [], id="an operator's"),
    ],
)
def test_an_overflow_node_goes_back_to_the_platform_untagged_until_it_is_out_of_maintenance(current, tag, steps):
    machine = instance("conf01", 5, "stopped", **({"pexip_cloud": tag} if tag else {}))
    assert does("start", [overflow(**current)], [machine], overflow=True) == steps


@pytest.mark.parametrize(
    ("current", "tags", "more", "words"),
    [
        pytest.param(node("conf01", 5), {"pexip_cloud": "manager"}, {}, "overflow node", id="always-on, tagged"),
        pytest.param(node("conf01", 5), {}, {"overflow": True}, "enable_distributed_database", id="not converted"),
        pytest.param(
            overflow(), {}, {"overflow": True, "map": {"London": "Other"}}, "overflow locations", id="elsewhere"
        ),
    ],
)
def test_a_node_that_is_not_what_its_group_says_is_to_be_converted_first(current, tags, more, words):
    is_overflow, places = more.get("overflow", False), more.get("map", {})
    wanted = [{"name": "conf01", "overflow": is_overflow}]
    found = {"platform": "manager", "host_name": "manager", "nodes": [current], "overflow": places}
    (planned,) = lifecycle_plans(wanted, "start", {**found, "instances": [instance("conf01", 5, "stopped", **tags)]})
    (sentence,) = planned["problems"]
    assert words in sentence and "convert_nodes" in sentence


def test_check_mode_takes_for_stopped_what_a_restart_would_have_stopped():
    assert does("start", [node("conf01", 5)], [instance("conf01", 5)], stopped=["conf01"]) == [
        "start",
        "contact",
        "leave",
    ]


# refresh_static_nat


@pytest.mark.parametrize(
    ("current", "machine", "public", "steps"),
    [
        pytest.param("198.51.100.1", instance("conf01", 5, public="198.51.100.2"), "dynamic", ["nat"], id="differs"),
        pytest.param(None, instance("conf01", 5, public="198.51.100.2"), "elastic", ["nat"], id="missing"),
        pytest.param("198.51.100.2", instance("conf01", 5, public="198.51.100.2"), "dynamic", [], id="right"),
        pytest.param("198.51.100.1", instance("conf01", 5, public="198.51.100.2"), "none", [], id="private"),
        pytest.param("198.51.100.1", instance("conf01", 5, "stopped"), "dynamic", [], id="stopped"),
    ],
)
def test_the_static_nat_address_is_compared(current, machine, public, steps):
    assert (
        does("refresh_static_nat", [node("conf01", 5, static_nat_address=current)], [machine], public=public) == steps
    )


def test_a_node_without_its_public_address_is_a_problem():
    arguments = "refresh_static_nat", [node("conf01", 5)], [instance("conf01", 5)]
    assert "onboard_nodes" in problem(*arguments, public="elastic")
    assert "pexip_public_address is dynamic" in problem(*arguments, public="dynamic")
    assert does("refresh_static_nat", [], [], public="none") == []


# remove


@pytest.mark.parametrize(
    ("nodes", "instances", "addresses", "steps"),
    [
        pytest.param(
            [node("conf01", 5)], [instance("conf01", 5)], [], ["maintain", "delete", "terminate", "await"], id="serving"
        ),
        pytest.param(
            [node("conf01", 5, **ours())],
            [instance("conf01", 5, "stopped")],
            [eip("198.51.100.1", "conf01", "i-5")],
            ["delete", "terminate", "await", "release"],
            id="stopped, with an address",
        ),
        pytest.param([], [instance("conf01", 5)], [], ["terminate", "await"], id="node gone"),
        pytest.param([], [instance("conf01", 5, "shutting-down")], [], ["await"], id="being terminated"),
        pytest.param([node("conf01", 5, seen=LONG_AGO), node("conf02", 6)], [], [], ["delete"], id="instance gone"),
        pytest.param([node("conf01", 5, seen=None)], [], [], ["delete"], id="never was in contact"),
        pytest.param(
            [node("conf01", 5)], [instance("conf01", 5, "terminated")], [], ["delete"], id="instance gone a moment ago"
        ),
        pytest.param([], [], [eip("198.51.100.1", "conf01")], ["release"], id="address left"),
        pytest.param([], [], [eip("198.51.100.1", "conf02")], [], id="nothing left"),
    ],
)
def test_what_is_left_of_a_removal(nodes, instances, addresses, steps):
    assert does("remove", nodes, instances, addresses=addresses) == steps


def test_an_overflow_node_is_the_platforms_no_more_before_it_is_removed():
    found = does("remove", [overflow()], [instance("conf01", 5, "stopped", pexip_cloud="manager")])
    assert found == ["untag", "maintain", "delete", "terminate", "await"]


@pytest.mark.parametrize(
    ("nodes", "instances", "addresses", "words"),
    [
        pytest.param([node("conf01", 5)], [instance("conf01", 6)], [], "10.0.0.6", id="other address"),
        pytest.param([], [instance("conf01", 5), instance("conf01", 6)], [], "i-5, i-6", id="two instances"),
        pytest.param([node("conf09", 5)], [instance("conf01", 5)], [], "conf09", id="another node's address"),
        pytest.param([node("conf01", 5)], [instance(None, 5, "stopped")], [], "pexip_adopt", id="by hand"),
        pytest.param([node("conf01", 5)], [], [], "reported in", id="runs elsewhere"),
        pytest.param([], [], [eip("198.51.100.1", "conf01", "i-9")], "i-9", id="address of another instance"),
    ],
)
def test_what_is_not_removed_is_said(nodes, instances, addresses, words):
    assert words in problem("remove", nodes, instances, addresses=addresses)


def test_an_instance_set_up_by_hand_is_removed_when_it_is_adopted():
    steps = ["adopt", "maintain", "delete", "terminate", "await"]
    nodes = [node("conf01", 5), node("conf02", 6)]
    assert does("remove", nodes, [instance(None, 5), instance("conf02", 6)], adopt=True) == steps


def test_one_of_several_nodes_may_be_one_that_was_set_up_by_hand():
    first, second = plans(
        "stop", ["conf01", "conf02"], TWO, [instance(None, 5), instance(None, 6)], own={"conf02": {"adopt": True}}
    )
    assert "pexip_adopt" in first["problems"][0]
    assert second["does"] == ["adopt", "maintain", "stop"]


def test_a_terminated_instance_says_not_in_which_network_the_platform_is():
    gone = {**instance("conf02", 6, "terminated"), "vpc_id": None}
    assert does("stop", TWO[:1], [instance(None, 5), gone], adopt=True) == ["adopt", "maintain", "stop"]


def test_nothing_is_terminated_by_its_address_where_no_tag_says_in_which_network_the_platform_is():
    sentence = problem("remove", [node("conf01", 5)], [{**instance(None, 5), "vpc_id": "vpc-9"}], adopt=True)
    assert all(word in sentence for word in ("i-5", "vpc-9", "pexip-infinity-platform: manager"))


def test_an_instance_that_runs_at_the_address_of_a_node_that_is_silent_may_be_anothers():
    nodes = [node("conf01", 5, seen=LONG_AGO), node("conf02", 6)]
    assert "may be another's" in problem("remove", nodes, [instance(None, 5), instance("conf02", 6)], adopt=True)
    stopped = [instance(None, 5, "stopped"), instance("conf02", 6)]
    assert "terminate" in does("remove", nodes, stopped, adopt=True)


def test_an_instance_with_another_platforms_tags_is_not_left_behind():
    nodes = [node("conf01", 5, seen=LONG_AGO), node("conf02", 6)]
    sentence = problem("remove", nodes, [instance("conf01", 5, "stopped")], platform="conf01")
    assert all(word in sentence for word in ("i-5", "pexip-infinity-platform: manager", "pexip_hostname"))


@pytest.mark.parametrize(
    "use", [{"instance_id": "i-9"}, {"network_interface_id": "eni-1", "association_id": "eipassoc-1"}]
)
def test_an_address_that_something_else_uses_is_not_released(use):
    address = {**eip("198.51.100.1", "conf01"), **use}
    sentence = problem("remove", [node("conf01", 5)], [instance("conf01", 5)], addresses=[address])
    assert "in use by " + next(iter(use.values())) in sentence


# restart


@pytest.mark.parametrize(
    ("current", "state", "steps"),
    [
        pytest.param({}, "running", ["restart"], id="in service"),
        pytest.param(ours("restarting"), "running", ["restart"], id="draining when it was killed"),
        pytest.param(ours("restarting"), "stopped", ["restart"], id="stopped when it was killed"),
        pytest.param(ours("starting"), "stopped", ["restart"], id="starting when it was killed"),
        pytest.param(ours(), "stopped", [], id="stopped on purpose"),
        pytest.param(OPERATORS, "stopped", [], id="stopped by an operator"),
        pytest.param({}, "stopped", [], id="stopped by hand"),
    ],
)
def test_who_is_restarted(current, state, steps):
    assert does("restart", [node("conf01", 5, **current)], [instance("conf01", 5, state)]) == steps


def test_a_restart_takes_no_overflow_node_for_an_always_on_one():
    """Stopped it would lose its tag, and then nothing would tell any more what it is."""
    sentence = problem("restart", [overflow()], [instance("conf01", 5, pexip_cloud="manager")])
    assert "conf01 is an overflow node" in sentence and "pexip_overflow" in sentence


def test_a_restart_takes_them_one_after_the_other():
    nodes = [node("conf01", 5), node("conf02", 6), node("conf03", 7, "Oslo")]
    machines = [instance(one["name"], number) for number, one in enumerate(nodes, 5)]
    judged = plans("restart", ["conf01", "conf02", "conf03"], nodes, machines, floor_nodes=1)
    assert [found["does"] for found in judged] == [["restart"], ["restart"], []]
    (sentence,) = judged[2]["problems"]
    assert "conf03: without it Oslo has 0 always-on nodes in service" in sentence


def test_only_addresses_with_the_nodes_tags_are_released():
    addresses = [eip("198.51.100.1", "conf01", "i-5"), eip("198.51.100.2", "conf02"), {"public_ip": "198.51.100.3"}]
    found = plan("remove", [node("conf01", 5)], [instance("conf01", 5)], addresses=addresses)
    assert found["releases"] == ["198.51.100.1"]


def test_an_unknown_job_is_an_error():
    with pytest.raises(
        AnsibleFilterError, match=r"no job 'halt'; there are stop, start, restart, refresh_static_nat, remove"
    ):
        plan("halt", [], [])
