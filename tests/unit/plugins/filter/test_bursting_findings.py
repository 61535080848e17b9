# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor: a platform where all is well, and each thing that can be wrong with it, one at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.pexip.infinity.plugins.filter.bursting_findings import FilterModule
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_findings import CODES
from ansible_collections.pexip.infinity.tests.unit.plugins.plugin_utils.doctor_platform import (
    URI,
    Facts,
    facts,
    instance,
    policy,
    the,
    without_inventory,
)

examine = FilterModule().filters()["bursting_findings"]


# Each code: what is done to the platform, whom the finding is about, what its message says, and what mends it.
Change = Callable[[Facts], Any]
CASES: dict[str, tuple[Change, str, list[str], dict | None]] = {
    "not-enabled": (
        lambda f: f.settings.update(bursting_enabled=False),
        "Global settings",
        ["bursting_enabled is false", "enable bursting"],
        None,
    ),
    "credentials-refused": (
        lambda f: f["aws"].update(user=None),
        "...WXYZ",
        ["aws_access_key ...WXYZ is not a key of this account", "administrator.apps.cloudbursting"],
        None,
    ),
    "policy-missing": (
        lambda f: f.user.update(policies=[]),
        "pexip",
        ["no policy is attached", "manager"],
        None,
    ),
    "policy-detached": (
        lambda f: f["aws"].update(detached_policies=f.user.pop("policies")),
        "pexip",
        ["pexip-bursting", "is not attached", "attach it"],
        None,
    ),
    "policy-host-name": (
        lambda f: f.user["policies"][0].update(document=policy("manager.example.com")),
        "pexip",
        ["pexip-bursting allows ec2:StartInstances, ec2:StopInstances", "manager.example.com", "host name is manager:"],
        None,
    ),
    "policy-actions": (
        lambda f: f.user["policies"][0]["document"]["Statement"][1].update(Action="ec2:StartInstances"),
        "pexip",
        ["does not allow ec2:StopInstances"],
        None,
    ),
    "policy-broad": (
        lambda f: f.user["policies"][0]["document"]["Statement"][1].pop("Condition"),
        "pexip",
        ["do not carry the tag pexip-cloud"],
        None,
    ),
    "policy-unread": (
        lambda f: f["aws"].update(user=None, user_problem="iam:GetUser: AccessDenied"),
        "...WXYZ",
        ["could not be read", "iam:GetUser: AccessDenied"],
        None,
    ),
    "not-authorized": (
        lambda f: f.bursting["issues"].append(
            "Not authorized to perform an operation on i-burst01. Check the policy created for the AWS user."
        ),
        "i-burst01",
        ["Not authorized to perform an operation on i-burst01", "service control policies", "cloudbursting"],
        None,
    ),
    "not-listed": (
        lambda f: f.bursting["nodes"].clear(),
        "Cloud bursting",
        ["lists none of burst01, burst02", "secret", "eu-west-1"],
        None,
    ),
    "duplicate-host-name": (
        lambda f: f["aws"]["instances"].append(
            {**instance("manager", "management"), "instance_id": "i-other", "private_ip_address": "10.9.0.5"}
        ),
        "manager",
        ["i-other (10.9.0.5)", "give each platform its own"],
        None,
    ),
    "tag-missing": (
        lambda f: f.instance("burst01")["tags"].pop("pexip-cloud"),
        "burst01",
        ["i-burst01 has no tag pexip-cloud", "set the tag pexip-cloud to manager"],
        {"kind": "tag", "name": "i-burst01", "settings": {"pexip-cloud": "manager"}},
    ),
    "tag-wrong": (
        lambda f: f.instance("burst01")["tags"].update({"pexip-cloud": "Manager"}),
        "burst01",
        ["tag pexip-cloud is 'Manager'", "host name is 'manager' (case and spaces count)"],
        {"kind": "tag", "name": "i-burst01", "settings": {"pexip-cloud": "manager"}},
    ),
    "tag-stray": (
        lambda f: f.instance("conf01")["tags"].update({"pexip-cloud": "manager"}),
        "conf01",
        ["i-conf01 is always on and carries the tag pexip-cloud (manager)", "take the tag pexip-cloud away"],
        {"kind": "untag", "name": "i-conf01", "settings": {"pexip-cloud": "manager"}},
    ),
    "instance-without-node": (
        lambda f: f["aws"]["instances"].append(
            {**instance("burst09"), "tags": {"Name": "spare", "pexip-cloud": "manager"}}
        ),
        "spare",
        [
            "i-burst09 (spare, 10.0.0.29)",
            "no Conferencing Node has its address",
            "register the node, or take the tag away",
        ],
        None,
    ),
    "node-without-instance": (
        lambda f: f.instance("burst01")["state"].update(name="terminated"),
        "burst01",
        ["no instance in eu-west-1 has the node's address 10.0.0.21"],
        None,
    ),
    "region-differs": (
        lambda f: f.instance("burst01")["placement"].update(availability_zone="us-east-1a"),
        "burst01",
        ["i-burst01 is in the region us-east-1, the platform in eu-west-1"],
        None,
    ),
    "version-differs": (
        lambda f: f.node("burst01")["status"].update(version="10.2.0 (23000.0.0)"),
        "burst01",
        ["its version is 10.2.0 (23000.0.0)", "the Management Node's 11.0.0 (26902.0.0)"],
        None,
    ),
    "location-wrong": (
        lambda f: f.node("burst01").update(system_location="London"),
        "burst01",
        [
            "is an overflow node by its inventory group",
            "its location London is not a bursting location",
            "moves it to AWS burst",
        ],
        None,
    ),
    "location-mixed": (
        lambda f: f.node("burst01").update(system_location="London"),
        "London",
        ["London holds always-on (conf01) and overflow nodes (burst01)"],
        None,
    ),
    "location-servers": (
        lambda f: f.location("AWS burst").update(dns_servers=[]),
        "AWS burst",
        ["dns_servers is empty", "add servers"],
        None,
    ),
    "overflow-location-missing": (
        lambda f: f.location("Oslo").update(overflow_location1=None),
        "Oslo",
        ["overflow_location1 is empty", "set it to AWS burst"],
        {"kind": "location", "name": "Oslo", "settings": {"overflow_location1": "AWS burst"}},
    ),
    "overflow-location-secondary-only": (
        lambda f: f.location("Oslo").update(overflow_location1=None, overflow_location2=f"{URI}3/"),
        "Oslo",
        ["AWS burst is only its overflow_location2", "never bursts", "make AWS burst the primary one"],
        {
            "kind": "location",
            "name": "Oslo",
            "settings": {"overflow_location1": "AWS burst", "clear": ["overflow_location2"]},
        },
    ),
    "many-overflow-nodes": (
        lambda f: f["wanted"].update(overflow_nodes_per_conference=4),
        "AWS burst",
        ["4 overflow nodes are expected for a single conference", "second overflow location"],
        None,
    ),
    "distributed-database": (
        lambda f: f.node("burst02").update(enable_distributed_database=True),
        "burst02",
        ["enable_distributed_database is true on an overflow node", "set it to false"],
        {"kind": "node", "name": "burst02", "settings": {"enable_distributed_database": False}},
    ),
    "static-nat-stale": (
        lambda f: (
            f.node("conf01").update(static_nat_address="203.0.113.1"),
            f.instance("conf01").update(public_ip_address="203.0.113.9"),
        ),
        "conf01",
        ["static_nat_address is 203.0.113.1", "i-conf01 is 203.0.113.9", "set it to 203.0.113.9"],
        {"kind": "node", "name": "conf01", "settings": {"static_nat_address": "203.0.113.9"}},
    ),
    "maintenance": (
        lambda f: f.node("burst01").update(maintenance_mode=True, maintenance_mode_reason="new disk"),
        "burst01",
        ["maintenance_mode is on (new disk)", "turn it off"],
        None,
    ),
    "node-silent": (
        lambda f: f.run("burst01", 30, in_contact=False),
        "burst01",
        ["i-burst01 runs for 30 minutes", "UDP 500 and ESP", "cloudbursting"],
        None,
    ),
    "idle-overrun": (
        lambda f: f.run("burst01", 56),
        "burst01",
        ["running for 56 minutes without a conference", "bursting_min_lifetime is 50", "cloudbursting"],
        None,
    ),
    "overflow-exhausted": (
        lambda f: (
            f.primary("London").update(free_hd_calls=3, media_load=80, state="bursting threshold reached"),
            f.run("burst01", 20),
            f.run("burst02", 20),
        ),
        "London",
        ["3 HD connections left, the bursting threshold is 5", "AWS burst has no node left to start (2 nodes there)"],
        None,
    ),
    "no-media-load": (
        lambda f: f.primary("London").update(free_hd_calls=0, media_load=0),
        "London",
        ["0 HD connections left", "there is no media load"],
        None,
    ),
    "threshold-unadvised": (
        lambda f: f.settings.update(bursting_threshold=12),
        "Global settings",
        ["bursting_threshold is 12, 40 % of the always-on capacity of 30 HD connections", "here 3 to 6"],
        None,
    ),
    "licences-few": (
        lambda f: f["platform"]["licences"].update(port_total=40),
        "Licences",
        ["port_total is 40", "60 HD connections"],
        None,
    ),
    "platform-issue": (
        lambda f: f.bursting["issues"].append("Something else."),
        "Cloud bursting",
        ["The platform says: Something else.", "cloudbursting"],
        None,
    ),
    "transient": (
        lambda f: f.instance("burst01")["state"].update(name="pending"),
        "burst01",
        ["burst01 is starting", "about 5 minutes"],
        None,
    ),
}


def test_all_is_well():
    assert examine(facts()) == []


def test_all_is_well_without_an_inventory():
    assert examine(without_inventory()) == []


def test_every_code_has_a_case():
    assert set(CASES) == set(CODES)


@pytest.mark.parametrize("code", CASES)
def test_present(code):
    change, name, said, mend = CASES[code]
    made = facts()
    change(made)
    found = the(examine(made), code, name)
    assert [words for words in said if words not in found["message"]] == [], found["message"]
    known = CODES[code]
    assert (found["severity"], found["guide"], found["playbook"]) == (known.severity, known.guide, known.playbook)
    assert (found["repair"], found["mend"]) == (mend is not None, mend)
    assert set(found) == {"code", "severity", "object", "message", "guide", "playbook", "repair", "mend"}


@pytest.mark.parametrize("code", CASES)
def test_one_mistake_gives_no_other_errors(code):
    """What follows from a mistake is not told as a mistake of its own, but for a node in the wrong place."""
    made = facts()
    CASES[code][0](made)
    together = {"location-wrong", "location-mixed"}
    expected = together if code in together else {code}
    assert {f["code"] for f in examine(made) if f["severity"] != "information" or f["code"] == code} <= expected


def test_the_guides_sections_are_sections_of_the_guide():
    """Titles as the guide has them; the list is the guide's table of contents for what is cited."""
    sections = {
        "Setting up your bursting nodes in AWS and enabling bursting in Pexip Infinity",
        "Configuring an AWS user and policy for controlling overflow nodes",
        "Manually starting an overflow node",
        "Viewing cloud bursting status",
        "Deployment guidelines and additional information",
        "How it works",
        "Limitations",
        "No AWS nodes appear in the Cloud overflow nodes area of the Status > Cloud Bursting page",
        "Instance found but no corresponding Conferencing Node",
        "Connectivity errors in the administrator log",
        "Not authorized to perform an operation",
        "Temporarily removing (stopping) a Conferencing Node instance",
        "Reinstating (restarting) a stopped Conferencing Node instance",
        "Deploying a Conferencing Node in AWS",
    }
    assert {code.guide for code in CODES.values()} == sections


def test_the_worst_comes_first_and_the_report_is_plain_data():
    made = facts()
    for code in ("transient", "licences-few", "tag-stray", "policy-missing", "location-mixed", "no-media-load"):
        CASES[code][0](made)
    found = examine(made)
    order = ["error", "warning", "information"]
    assert [order.index(f["severity"]) for f in found] == sorted(order.index(f["severity"]) for f in found)
    assert json.loads(json.dumps(found)) == found
