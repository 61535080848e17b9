# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""lifecycle_plans: what holds for every fleet, whatever state its nodes and instances are in."""

from __future__ import annotations

from ansible_collections.pexip.infinity.plugins.filter.lifecycle import lifecycle_plans
from ansible_collections.pexip.infinity.plugins.plugin_utils.node_instance import at_address
from hypothesis import given
from hypothesis import strategies as st

PLATFORM = "manager"
LOCATIONS = ("London", "Oslo")
STATES = ("pending", "running", "stopping", "stopped", "shutting-down", "terminated")
REASONS = (None, "", "new fan", "pexip.infinity: stopping", "pexip.infinity: restarting", "pexip.infinity: converting")


@st.composite
def machines(draw, number):
    """The instances of a node: mostly one of ours at its address, sometimes none, two, or somebody else's."""
    found = []
    for twin in range(draw(st.sampled_from((1, 1, 1, 0, 2)))):
        tags = {"pexip-infinity-node": f"conf{number}", "pexip-infinity-platform": PLATFORM}
        if draw(st.booleans()):
            tags["pexip-cloud"] = PLATFORM
        found.append(
            {
                "instance_id": f"i-{number}{twin}",
                "private_ip_address": f"10.0.{draw(st.sampled_from((0, 0, 0, 1)))}.{number}",
                "public_ip_address": draw(st.sampled_from((None, f"198.51.100.{number}"))),
                "vpc_id": draw(st.sampled_from(("vpc-1", "vpc-1", "vpc-2"))),
                "state": {"name": draw(st.sampled_from(STATES))},
                "tags": tags if draw(st.integers(0, 4)) else {},
            }
        )
    return found


@st.composite
def configured(draw, number):
    """A node as pexip_node_info returns it; None where it is not registered."""
    if not draw(st.integers(0, 5)):
        return None
    reason = draw(st.sampled_from(REASONS))
    seen = draw(st.sampled_from(("2026-11-23T10:00:00", "2026-11-23T09:00:00", None)))
    return {
        "name": f"conf{number}",
        "address": f"10.0.0.{number}",
        "system_location": draw(st.sampled_from(LOCATIONS)),
        "enable_distributed_database": draw(st.booleans()),
        "node_type": draw(st.sampled_from(("CONFERENCING", "CONFERENCING", "PROXYING"))),
        "static_nat_address": draw(st.sampled_from((None, f"198.51.100.{number}", "192.0.2.1"))),
        "maintenance_mode": reason is not None,
        "maintenance_mode_reason": reason or "",
        "in_contact": seen is not None and draw(st.booleans()),
        "status": {"max_hd_calls": draw(st.integers(0, 20)), "last_updated": seen},
    }


@st.composite
def fleets(draw):
    """Some nodes of a platform, what the inventory says of them, and the account's instances."""
    numbers = range(1, draw(st.integers(1, 6)) + 1)
    wanted = [
        {
            "name": f"conf{number}",
            "overflow": draw(st.booleans()),
            "public_address": draw(st.sampled_from(("none", "dynamic", "elastic"))),
            "adopt": draw(st.booleans()),
            "floor_nodes": draw(st.integers(0, 3)),
            "floor_hd": draw(st.integers(0, 40)),
        }
        for number in numbers
    ]
    return wanted, {
        "platform": PLATFORM,
        "host_name": PLATFORM,
        "nodes": [node for number in numbers if (node := draw(configured(number)))],
        "instances": [machine for number in numbers for machine in draw(machines(number))],
        "addresses": [
            {"public_ip": "198.51.100.1", "tags": {"pexip-infinity-node": "conf1", "pexip-infinity-platform": PLATFORM}}
        ],
    }


def serving(found, without=()):
    """HD connections of the nodes in service, by location: the platform's view, written down once more and independently."""
    newest = max((n["status"]["last_updated"] or "" for n in found["nodes"]), default="")
    rows = {location: [] for location in LOCATIONS}
    for node in found["nodes"]:
        if node["maintenance_mode"] or node["node_type"] != "CONFERENCING" or node["name"] in without:
            continue
        mine = [i for i in found["instances"] if i["tags"].get("pexip-infinity-node") == node["name"]]
        if not any(i["state"]["name"] not in ("shutting-down", "terminated") for i in mine):
            mine = at_address(found["instances"], node["address"], PLATFORM) or mine
        live = [i for i in mine if i["state"]["name"] not in ("shutting-down", "terminated")] or mine
        alive = not live or (live[0]["state"]["name"] == "running" and "pexip-cloud" not in live[0]["tags"])
        heard = node["in_contact"] and node["status"]["last_updated"] == newest
        if alive and heard:
            rows[node["system_location"]].append(node["status"]["max_hd_calls"])
    return rows


@given(fleets())
def test_no_location_falls_below_the_floor(fleet):
    wanted, found = fleet
    places = {node["name"]: node["system_location"] for node in found["nodes"]}
    before = serving(found)
    for job in ("stop", "remove"):
        leaving = [plan["name"] for plan in lifecycle_plans(wanted, job, found) if plan["steps"]]
        after = serving(found, leaving)
        for location in LOCATIONS:
            if len(after[location]) < len(before[location]):
                there = [node for node in wanted if places.get(node["name"]) == location]
                assert len(after[location]) >= max(node["floor_nodes"] for node in there), (job, location)
                assert sum(after[location]) >= max(node["floor_hd"] for node in there), (job, location)


@given(fleets(), st.sampled_from(("stop", "start", "restart", "refresh_static_nat", "remove")))
def test_what_has_a_problem_is_not_touched_and_what_is_touched_is_the_nodes(fleet, job):
    wanted, found = fleet
    nodes = {node["name"]: node for node in found["nodes"]}
    for node, plan in zip(wanted, lifecycle_plans(wanted, job, found), strict=True):
        name, instance = node["name"], plan["instance"]
        assert all(name in sentence for sentence in plan["problems"])
        if plan["problems"]:
            assert (plan["does"], plan["steps"], plan["releases"]) == ([], [], [])
        elif plan["does"] and instance:
            assert instance["state"]["name"] not in ("shutting-down", "terminated")
            assert instance["tags"].get("pexip-infinity-node", name) == name
            assert node["adopt"] or "pexip-infinity-node" in instance["tags"]
            if name in nodes:
                assert instance["private_ip_address"] == nodes[name]["address"]


@given(fleets())
def test_a_stop_that_is_done_leaves_nothing_to_do(fleet):
    wanted, found = fleet
    done = {plan["name"]: plan for plan in lifecycle_plans(wanted, "stop", found) if not plan["problems"]}
    ids = {plan["instance"]["instance_id"]: name for name, plan in done.items()}
    out = {"maintenance_mode": True, "in_contact": False}
    ours = {"pexip-infinity-platform": PLATFORM}
    after = {
        **found,
        "nodes": [
            {**n, **out, "maintenance_mode_reason": n["maintenance_mode_reason"] or "pexip.infinity: stopping"}
            if n["name"] in done
            else n
            for n in found["nodes"]
        ],
        "instances": [
            {**i, "state": {"name": "stopped"}, "tags": ours | {"pexip-infinity-node": ids[i["instance_id"]]}}
            if i["instance_id"] in ids
            else i
            for i in found["instances"]
        ],
    }
    for plan in lifecycle_plans(wanted, "stop", after):
        if plan["name"] in done:
            assert (plan["problems"], plan["steps"]) == ([], [])
