# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of dynamic bursting: one case for each refusal, what is not refused, and what a plan comes to."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.pexip.infinity.plugins.filter.bursting_problems import bursting_problems

REGION = "eu-west-1"


def host(name, location, overflow=False, **values):
    given = {"name": name, "location": location, "overflow": overflow, "region": REGION, "public_address": "none"}
    return {**given, **values}


def node(name, location, address, hd=15, **values):
    status = {"max_hd_calls": hd, "last_updated": "2026-11-23T10:00:00"}
    return {"name": name, "system_location": location, "address": address, "status": status, **values}


def location(name, uri, **values):
    servers = {"dns_servers": [{"address": "10.0.0.53"}], "ntp_servers": [{"address": "10.0.0.123"}]}
    return {"name": name, "resource_uri": f"/location/{uri}/", "overflow_location1": None, **servers, **values}


def instance(ident, address, **tags):
    return {"instance_id": ident, "private_ip_address": address, "tags": tags, "state": {"name": "running"}}


def good_plan():
    """London in EC2 (80 HD calls) and HQ on premises, both to overflow to "AWS burst", which does not exist yet."""
    return {
        "overflow": {"London": "AWS burst", "HQ": "AWS burst"},
        "threshold": "15%",
        "min_lifetime": 50,
        "region": REGION,
        "tag_value": "manager",
        "force": False,
        "replace": False,
        "check": False,
        "user": {"name": "pexip-manager", "platform": "manager", "exists": False, "ours": False, "adopt": False},
        "hosts": [host("conf01", "London"), host("burst01", "AWS burst", overflow=True)],
        "declared": [{"name": "London"}, {"name": "HQ"}],
        "servers": {"dns_servers": ["10.0.0.53"], "ntp_servers": ["10.0.0.123"]},
        "locations": [location("London", 1), location("HQ", 2), location("Oslo", 3)],
        "nodes": [
            node("conf01", "London", "10.0.0.11", hd=60),
            node("onprem01", "HQ", "192.168.0.9", hd=20),
            node("conf09", "Oslo", "10.0.0.19"),
        ],
        "instances": [instance("i-1", "10.0.0.11", **{"pexip-infinity-node": "conf01"})],
    }


def judged(**changes):
    return bursting_problems({**good_plan(), **changes})


def having(plan, **changes):
    """A good plan with items added to its lists."""
    changed = copy.deepcopy(plan)
    for name, items in changes.items():
        changed[name] += items
    return changed


def test_nothing_to_object_to():
    assert bursting_problems(good_plan()) == {
        "errors": [],
        "warnings": [],
        "threshold": 12,  # the guide's example: 15% of 80
        "locations": [{"name": "AWS burst", "dns_servers": ["10.0.0.53"], "ntp_servers": ["10.0.0.123"]}],
    }


def test_a_registered_overflow_node_is_no_objection():
    ready = having(
        good_plan(),
        locations=[location("AWS burst", 4)],
        nodes=[node("burst01", "AWS burst", "10.0.0.21"), node("old", "AWS burst", "10.0.0.22")],
        instances=[
            instance("i-2", "10.0.0.21", **{"pexip-infinity-node": "burst01"}),
            instance("i-3", "10.0.0.22", **{"pexip-cloud": "manager"}),  # by hand, and not in the inventory
        ],
    )
    ready["locations"][0]["overflow_location1"] = "/location/4/"
    assert bursting_problems(ready)["errors"] == []


ELSEWHERE = {"public_address": "dynamic", "region": "us-east-1"}
CASES = {
    "no map": ({"overflow": {}}, "pexip_overflow is not given"),
    "an empty name": ({"overflow": {"London": ""}}, "London has no overflow location"),
    "itself": ({"overflow": {"London": "London"}}, "London is its own overflow location"),
    "chained": (
        {"overflow": {"London": "AWS burst", "AWS burst": "HQ"}},
        "AWS burst is the overflow location of London and itself a primary location",
    ),
    "no such location": (
        {"overflow": {"Lisbon": "AWS burst"}},
        "there is no location Lisbon: name one of these: HQ, London, Oslo",
    ),
    "host elsewhere": (
        {"hosts": [host("burst01", "Oslo", overflow=True)]},
        "burst01: pexip_location Oslo of an overflow node is no overflow location of pexip_overflow: give one of these: AWS burst",
    ),
    "to be converted": (
        {"hosts": [host("conf09", "AWS burst", overflow=True)]},
        "conf09 is an overflow node and registered in Oslo: move it to AWS burst with pexip.infinity.convert_nodes",
    ),
    "other region": (
        {"hosts": [host("burst01", "AWS burst", overflow=True, **ELSEWHERE)]},
        "burst01: pexip_region us-east-1, and the platform bursts in eu-west-1",
    ),
    "dynamic address": (
        {"hosts": [host("burst01", "AWS burst", overflow=True, **ELSEWHERE)]},
        "burst01: pexip_public_address dynamic on an overflow node",
    ),
    "threshold of none": ({"threshold": "0"}, "pexip_bursting_threshold 0: 0 is a threshold of 0, and the least is 1"),
    "threshold in words": ({"threshold": "some"}, "pexip_bursting_threshold some: 'some' is neither"),
    "threshold too high": (
        {"threshold": "80"},
        "gives 80, which is not below the always-on capacity of HQ, London, 80 HD calls",
    ),
    "threshold of the whole": ({"threshold": "100%"}, "gives 80, which is not below the always-on capacity"),
    "percentage of nothing": ({"nodes": []}, "no always-on node of HQ, London has told its capacity yet"),
    "short life": ({"min_lifetime": 4}, "pexip_bursting_min_lifetime 4 is too short"),
    "no servers": (
        {"servers": {}},
        "The overflow location AWS burst has no dns_servers and no ntp_servers",
    ),
    "declared without": (
        {"declared": [{"name": "AWS burst", "ntp_servers": []}]},
        "The overflow location AWS burst has no ntp_servers",
    ),
    "two wishes": (
        {"declared": [{"name": "London", "overflow_location1": "Oslo"}]},
        "pexip_locations gives London the overflow_location1 Oslo, and pexip_overflow AWS burst",
    ),
    "half of the credentials": (
        {"user": {"name": "pexip", "access_key_given": True}},
        "cloud_bursting_access_key and cloud_bursting_secret_key go together",
    ),
    "somebody else's user": (
        {"user": {"name": "pexip", "platform": "manager", "exists": True}},
        "There is an IAM user pexip without the tag pexip-infinity-platform: manager",
    ),
    "long name": ({"user": {"name": "p" * 65}}, "has 65 characters, IAM takes 64"),
}


@pytest.mark.parametrize(("changes", "said"), CASES.values(), ids=CASES)
def test_refused(changes, said):
    errors = judged(**changes)["errors"]
    assert [sentence for sentence in errors if said in sentence], errors


def test_all_is_told_at_once():
    errors = judged(threshold="0", min_lifetime=1, overflow={"London": "London"}, servers={})["errors"]
    assert len(errors) >= 4


MIXED = {
    "an always-on node in the overflow location": having(
        good_plan(), locations=[location("AWS burst", 4)], nodes=[node("conf02", "AWS burst", "10.0.0.12")]
    ),
    "one that the inventory wants there": having(good_plan(), hosts=[host("conf02", "AWS burst")]),
    "one on another hypervisor": having(
        good_plan(), locations=[location("AWS burst", 4)], nodes=[node("onprem02", "AWS burst", "192.168.0.10")]
    ),
    "an overflow node in a primary location": having(
        good_plan(),
        nodes=[node("old", "London", "10.0.0.22")],
        instances=[instance("i-3", "10.0.0.22", **{"pexip-cloud": "manager"})],
    ),
}


@pytest.mark.parametrize("plan", MIXED.values(), ids=MIXED)
def test_always_on_and_overflow_nodes_are_not_mixed(plan):
    (error,) = bursting_problems(plan)["errors"]
    assert "would hold always-on (" in error and "and overflow nodes (" in error


def test_an_overflow_node_alone_in_a_primary_location():
    plan = having(
        good_plan(),
        nodes=[node("old", "Oslo", "10.0.0.22")],
        instances=[instance("i-3", "10.0.0.22", **{"pexip-cloud": "manager"})],
    )
    plan["nodes"] = [found for found in plan["nodes"] if found["name"] != "conf09"]
    plan["overflow"]["Oslo"] = "AWS burst"
    (error,) = bursting_problems(plan)["errors"]
    assert error.startswith("The primary location Oslo would hold overflow nodes (old)")


def test_a_registered_overflow_host_without_an_instance_in_the_region():
    plan = having(good_plan(), locations=[location("AWS burst", 4)], nodes=[node("burst01", "AWS burst", "10.0.0.21")])
    (error,) = bursting_problems(plan)["errors"]
    assert error.startswith("burst01 is registered with the address 10.0.0.21 and has no instance in eu-west-1")


def test_an_overflow_to_always_on_nodes_is_not_lost_unasked():
    plan = good_plan()
    plan["locations"][0]["overflow_location1"] = "/location/3/"
    (error,) = bursting_problems(plan)["errors"]
    assert error.startswith("The location London overflows to Oslo, which holds always-on nodes (conf09)")
    assert "cloud_bursting_replace: true" in error
    assert bursting_problems({**plan, "replace": True})["errors"] == []
    plan["nodes"] = [found for found in plan["nodes"] if found["name"] != "conf09"]  # nobody is there
    assert bursting_problems(plan)["errors"] == []


def test_force_allows_a_dynamic_address():
    hosts = [host("burst01", "AWS burst", overflow=True, public_address="dynamic")]
    assert judged(hosts=hosts, force=True)["errors"] == []


def test_given_credentials_leave_names_alone():
    user = {"name": "p" * 65, "exists": True, "access_key_given": True, "secret_key_given": True}
    assert judged(user=user)["errors"] == []
    assert judged(user={"name": "pexip", "exists": True, "adopt": True})["errors"] == []


def test_the_working_key_of_another_user_is_not_replaced_unasked():
    def user(name="by-hand", status="Active", **more):
        owner = {
            "name": name,
            "access_keys": [{"id": "AKIAOLD", "status": "Inactive"}, {"id": "AKIA1", "status": status}],
        }
        return {"name": "pexip-manager", "key_held": "AKIA1", "key_owner": owner, **more}

    (error,) = judged(user=user())["errors"]
    assert error.startswith("The platform logs in to AWS as the IAM user by-hand with the active access key AKIA1")
    assert "set cloud_bursting_user: by-hand and pexip_adopt: true" in error
    assert judged(user=user(), replace=True)["errors"] == []
    given = {"access_key_given": True, "secret_key_given": True}
    for harmless in (user("pexip-manager"), user(status="Inactive"), user(**given), {**user(), "key_owner": {}}):
        assert judged(user=harmless)["errors"] == []
    (warning,) = judged(user={**user(), "key_owner": {}, "key_problem": "not allowed"})["warnings"]
    assert "whose access key AKIA1 is, which the platform holds (not allowed)" in warning


def test_check_mode_before_there_is_a_platform():
    verdict = judged(check=True, locations=[], nodes=[], instances=[])
    assert (verdict["errors"], verdict["threshold"]) == ([], None)
    assert judged(check=True, locations=[], nodes=[], threshold=5)["threshold"] == 5


def test_a_location_smaller_than_the_threshold_is_warned_of():
    (warning,) = judged(threshold="20")["warnings"]
    assert "HQ has 20 HD calls in all" in warning


def test_servers_of_an_overflow_location():
    own = {"dns_servers": [{"address": "10.9.9.9"}]}
    (kept,) = judged(locations=[*good_plan()["locations"], location("AWS burst", 4, **own)])["locations"]
    assert kept == {"name": "AWS burst", "dns_servers": ["10.9.9.9"], "ntp_servers": ["10.0.0.123"]}
    declared = [{"name": "AWS burst", "mtu": 1400, "ntp_servers": ["ntp.example.com"]}]
    (made,) = judged(declared=declared)["locations"]
    assert made == {**declared[0], "dns_servers": ["10.0.0.53"]}
