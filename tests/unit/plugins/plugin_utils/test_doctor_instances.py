# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor's judgement of instances: what may be mended, tags, and what is only passing."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor import examine
from ansible_collections.pexip.infinity.tests.unit.plugins.plugin_utils.doctor_platform import (
    URI,
    Facts,
    codes,
    facts,
    host,
    instance,
    node,
    the,
)


def by_hand(made: Facts) -> Facts:
    """Nobody's tags but the guide's own."""
    for found in made["aws"]["instances"]:
        found["tags"] = {key: value for key, value in found["tags"].items() if not key.startswith("pexip-infinity")}
    return made


def test_instances_set_up_by_hand_are_found_by_address_and_mended_only_when_adopted():
    made = by_hand(facts())
    assert examine(made) == []
    made.instance("burst01")["tags"] = {"pexip-cloud": "other"}
    found = the(examine(made), "tag-wrong")
    assert not found["repair"] and "pexip_adopt: true" in found["message"]
    made["wanted"]["adopt"] = True
    found = the(examine(made), "tag-wrong")
    assert found["mend"] == {"kind": "tag", "name": "i-burst01", "settings": {"pexip-cloud": "manager"}}
    assert "pexip_adopt" not in found["message"]


def test_another_platforms_instance_with_the_same_address_is_left_alone():
    made = by_hand(facts())
    made["wanted"]["adopt"] = True
    other = {**instance("burst01"), "instance_id": "i-other", "vpc_id": "vpc-2"}
    other["tags"] = {"pexip-infinity-platform": "elsewhere", "pexip-cloud": "elsewhere"}
    made["aws"]["instances"].append(other)
    assert examine(made) == []


def test_a_strangers_instance_with_the_address_of_a_node_elsewhere_is_not_the_node():
    """Private addresses repeat: a node on premises has the address of some instance of another VPC, and its own static NAT."""
    made = facts()
    made["aws"]["instances"].remove(made.instance("conf02"))
    made.node("conf02")["static_nat_address"] = "203.0.113.1"
    stranger = {
        **instance("conf02"),
        "tags": {},
        "vpc_id": "vpc-2",
        "image_id": "ami-web",
        "public_ip_address": "198.51.100.7",
    }
    made["aws"]["instances"].append(stranger)
    made["wanted"]["nodes"].remove(made.host("conf02"))
    assert examine(made) == []
    for reason in ({"vpc_id": "vpc-1"}, {"image_id": "ami-conferencing"}, {"tags": {"pexip-cloud": "manager"}}):
        known = facts()
        known["aws"]["instances"] = [*made["aws"]["instances"][:-1], {**stranger, **reason}]
        known.node("conf02")["static_nat_address"] = "203.0.113.1"
        assert "static-nat-stale" in codes(examine(known))


def test_a_local_zone_is_of_its_region():
    made = facts()
    made.instance("burst01")["placement"]["availability_zone"] = "eu-west-1-lon-1a"
    assert examine(made) == []


def test_two_platforms_of_one_name_and_one_address_are_told():
    """A copy of the VPC: nothing tells the two Management Nodes apart."""
    made = facts()
    copied = {**instance("manager", "management"), "instance_id": "i-other", "vpc_id": "vpc-2"}
    made["aws"]["instances"].append(copied)
    found = the(examine(made), "duplicate-host-name", "manager")
    assert "i-manager, i-other" in found["message"]


def test_two_instances_that_may_be_the_node_are_told_and_not_touched():
    made = by_hand(facts())
    made["wanted"]["adopt"] = True
    made.instance("burst01")["tags"] = {}
    made["aws"]["instances"].append({**instance("burst01"), "instance_id": "i-twin", "tags": {}})
    found = the(examine(made), "node-without-instance")
    assert "i-burst01, i-twin all may be the node at 10.0.0.21" in found["message"]
    assert "tag-missing" not in codes(examine(made))


def test_the_platforms_own_vpc_goes_before_another():
    made = by_hand(facts())
    made["aws"]["instances"].append({**instance("burst01"), "instance_id": "i-twin", "tags": {}, "vpc_id": "vpc-2"})
    made.instance("burst01")["tags"] = {}
    assert the(examine(made), "tag-missing")["message"].startswith("burst01: instance i-burst01")


def test_an_instance_elsewhere_is_never_mended():
    made = facts()
    made.instance("burst01")["placement"]["availability_zone"] = "us-east-1a"
    made.instance("burst01")["tags"].pop("pexip-cloud")
    assert not the(examine(made), "tag-missing")["repair"]


def test_a_node_in_an_always_on_location_is_converted_not_tagged():
    made = facts()
    made.node("burst01")["system_location"] = "London"
    made.instance("burst01")["tags"].pop("pexip-cloud")
    found = the(examine(made), "tag-missing")
    assert (found["repair"], found["playbook"]) == (False, "pexip.infinity.convert_nodes")


def test_what_a_conversion_will_do_is_not_done_before():
    made = facts()
    made.node("burst01").update(system_location="London", enable_distributed_database=True)
    found = the(examine(made), "distributed-database")
    assert (found["repair"], found["playbook"]) == (False, "pexip.infinity.convert_nodes")
    made = facts()
    made.host("burst01")["overflow"] = False
    found = the(examine(made), "tag-stray", "burst01")
    assert not found["repair"] and "convert the node" in found["message"]


def test_a_primary_overflow_location_that_is_set_is_not_overwritten():
    made = facts()
    made.location("Oslo").update(overflow_location1=f"{URI}1/", overflow_location2=f"{URI}3/")
    found = the(examine(made), "overflow-location-secondary-only", "Oslo")
    assert not found["repair"] and "overflow_location1 is London, which is not overwritten" in found["message"]
    made.location("Oslo").update(overflow_location2=None)
    found = the(examine(made), "overflow-location-missing", "Oslo")
    assert not found["repair"] and "overflow_location1 is London" in found["message"]


# Tags


def test_a_running_untagged_overflow_node_costs_money_and_that_is_said():
    made = facts()
    made.instance("burst01")["tags"].pop("pexip-cloud")
    made.instance("burst01")["state"]["name"] = "running"
    made.node("burst01")["in_contact"] = True
    assert "it is running now, and nobody stops it" in the(examine(made), "tag-missing")["message"]


def test_the_full_name_in_the_tag_is_recognised():
    made = facts()
    made.instance("burst01")["tags"]["pexip-cloud"] = "manager.example.com"
    assert "(without the domain)" in the(examine(made), "tag-wrong")["message"]


def test_another_platforms_value_on_an_always_on_node_is_a_warning():
    made = facts()
    made.instance("conf01")["tags"]["pexip-cloud"] = "elsewhere"
    assert the(examine(made), "tag-stray")["severity"] == "warning"


def test_a_tagged_management_node_is_stray():
    made = facts()
    made.instance("manager")["tags"]["pexip-cloud"] = "manager"
    found = examine(made)
    assert the(found, "tag-stray")["object"] == "manager"
    assert "instance-without-node" not in codes(found)


def test_another_platforms_overflow_instances_are_no_concern():
    made = facts()
    made["aws"]["instances"].append({**instance("burst09"), "tags": {"pexip-cloud": "elsewhere"}})
    assert examine(made) == []


# Transients


def converting(made: Facts, name: str) -> None:
    made.node(name).update(maintenance_mode=True, maintenance_mode_reason="pexip.infinity: converting to overflow")


def test_a_node_that_is_being_converted_is_no_error_at_any_step():
    made = facts()
    converting(made, "burst01")
    made.node("burst01").update(system_location="London", enable_distributed_database=True)
    made.instance("burst01")["tags"].pop("pexip-cloud")
    found = examine(made)
    assert [f for f in found if f["severity"] == "error"] == []
    assert the(found, "transient", "burst01")["playbook"] == "pexip.infinity.convert_nodes"


@pytest.mark.parametrize(
    ("reason", "playbook"), [("stopping", "start_nodes"), ("being set up as an overflow node", "enable_bursting")]
)
def test_a_node_that_a_playbook_has_taken_out_of_service_is_no_error(reason, playbook):
    made = facts()
    made.node("burst01").update(maintenance_mode=True, maintenance_mode_reason=f"pexip.infinity: {reason}")
    made.instance("burst01")["tags"].pop("pexip-cloud")
    found = examine(made)
    assert [f for f in found if f["severity"] == "error"] == []
    assert the(found, "transient", "burst01")["playbook"] == f"pexip.infinity.{playbook}"


@pytest.mark.parametrize("state", ["pending", "stopping"])
def test_starting_and_stopping_are_information(state):
    made = facts()
    made.instance("burst01")["state"]["name"] = state
    assert [f["severity"] for f in examine(made)] == ["information"]


def test_a_started_node_has_time_to_report_in():
    made = facts()
    made.run("burst01", 4, in_contact=False)
    found = examine(made)
    assert codes(found) == {"transient"} and "started 4 minutes ago" in found[0]["message"]


def test_a_node_that_is_being_deployed_is_information():
    made = facts()
    made["wanted"]["nodes"].append(host("burst09", "AWS burst"))
    made["aws"]["instances"].append(instance("burst09"))
    assert {(f["code"], f["severity"]) for f in examine(made)} == {("transient", "information")}
    new = node("burst09", "AWS burst")
    new["status"] = None
    made["platform"]["nodes"].append(new)
    made.instance("burst09")["state"]["name"] = "running"
    made.instance("burst09")["tags"].pop("pexip-cloud")
    made["platform"]["licences"]["port_total"] = 75
    found = examine(made)
    assert codes(found) == {"transient"} and "has never reported in" in found[0]["message"]


def test_an_idle_node_within_its_lifetime_is_no_finding():
    made = facts()
    made.run("burst01", 49)
    assert examine(made) == []
    made.run("burst01", 200)
    made.row("burst01")["media_load"] = 10
    assert examine(made) == []
    made.row("burst01")["media_load"] = 0
    made.node("burst01")["conferences"] = 1
    assert examine(made) == []
