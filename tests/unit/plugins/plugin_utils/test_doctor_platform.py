# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor's judgement of access, nodes, locations and capacity, where it is less than obvious."""

from __future__ import annotations

import json

import pytest
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor import examine
from ansible_collections.pexip.infinity.tests.unit.plugins.plugin_utils.doctor_platform import (
    KEY,
    URI,
    cloud_node,
    codes,
    facts,
    host,
    instance,
    location,
    node,
    policy,
    the,
    without_inventory,
)


def test_the_key_itself_is_not_shown():
    for change in (
        lambda f: f["aws"].update(user=None),
        lambda f: f.user["access_keys"][0].update(status="Inactive"),
        lambda f: f["aws"].update(user_problem="denied"),
    ):
        made = facts()
        change(made)
        assert examine(made) and KEY not in json.dumps(examine(made))


def test_an_inactive_key_and_no_key_at_all():
    made = facts()
    made.user["access_keys"][0]["status"] = "Inactive"
    assert (
        "...WXYZ that the platform holds is inactive" in the(examine(made), "credentials-refused", "pexip")["message"]
    )
    made.settings["aws_access_key"] = None
    assert "aws_access_key is empty" in the(examine(made), "credentials-refused", "Global settings")["message"]


def test_what_the_platform_says_is_told_once_with_its_cause():
    made = facts()
    made.user["policies"][0]["document"] = policy("other")
    made.bursting["issues"] = [
        "Not authorized to perform an operation on i-burst01. Check the policy created for the AWS user."
    ]
    assert codes(examine(made)) == {"policy-host-name"}


@pytest.mark.parametrize(
    ("change", "sees"),
    [
        (lambda f: f["aws"].update(user=None, user_problem="iam:GetUser: AccessDenied"), "policy-unread"),
        (
            lambda f: f.user["policies"][0]["document"]["Statement"][0].update(Action="ec2:DescribeInstances"),
            "policy-actions",
        ),
    ],
)
def test_a_refusal_is_an_error_where_only_warnings_might_explain_it(change, sees):
    made = facts()
    change(made)
    made.bursting["issues"] = [
        "Not authorized to perform an operation on eu-west-1. Check the policy created for the AWS user."
    ]
    found = examine(made)
    assert codes(found) == {"not-authorized", sees}
    refused = the(found, "not-authorized", "eu-west-1")
    assert refused["severity"] == "error" and f"see {sees}" in refused["message"]
    assert "look right" not in refused["message"]


SAID = [
    "AWS refused an operation on eu-west-1: AWS was not able to validate the provided access credentials",
    "An error occurred (SignatureDoesNotMatch) when calling the DescribeInstances operation",
]


@pytest.mark.parametrize("said", SAID)
def test_a_wrong_secret_key_shows_only_in_what_the_platform_says(said):
    made = facts()
    made.bursting.update(issues=[said], nodes=[], locations=[], overflow_locations=[])
    found = examine(made)
    assert codes(found) == {"credentials-refused"}
    refused = the(found, "credentials-refused", "...WXYZ")
    assert said in refused["message"] and "its secret does not fit" in refused["message"]
    assert (refused["severity"], refused["playbook"]) == ("error", "pexip.infinity.enable_bursting")


def test_refused_credentials_are_told_once():
    made = facts()
    made.user["access_keys"][0]["status"] = "Inactive"
    made.bursting.update(issues=SAID[:1], nodes=[])
    assert [f["code"] for f in examine(made)] == ["credentials-refused"]


def test_nodes_that_the_platform_does_not_list_are_told_where_nothing_else_explains_it():
    made = facts()
    made.bursting["nodes"] = []
    found = the(examine(made), "not-listed", "Cloud bursting")
    assert "burst01, burst02" in found["message"] and found["severity"] == "error"
    made.bursting["nodes"] = [cloud_node("burst01")]
    found = the(examine(made), "not-listed", "burst02")
    assert found["severity"] == "warning"
    for change in (
        lambda f: f.user.update(policies=[]),
        lambda f: f.settings.update(bursting_enabled=False),
        lambda f: f.instance("burst02")["tags"].pop("pexip-cloud"),
    ):
        made = facts()
        made.bursting["nodes"] = [cloud_node("burst01")]
        change(made)
        assert "not-listed" not in codes(examine(made))


def test_the_platforms_issue_of_a_missing_node_is_not_told_twice():
    made = facts()
    lone = {**instance("burst09"), "tags": {"Name": "spare", "pexip-cloud": "manager"}}
    made["aws"]["instances"].append(lone)
    made.bursting["issues"] = [
        "Instance spare (with IP 10.0.0.29) was found, but no corresponding Conferencing Node has been configured"
    ]
    made.bursting["nodes"].append(
        {
            "name": None,
            "location": None,
            "instance_id": "i-burst09",
            "instance_name": "spare",
            "address": "10.0.0.29",
            "state": "stopped",
        }
    )
    assert [f["code"] for f in examine(made)] == ["instance-without-node"]


def test_what_only_the_platform_sees_is_told():
    made = facts()
    made.bursting["nodes"].append(
        {
            "name": None,
            "location": None,
            "instance_id": "i-7",
            "instance_name": "spare",
            "address": "10.0.0.99",
            "state": "stopped",
        }
    )
    assert "i-7 (spare, 10.0.0.99)" in the(examine(made), "instance-without-node")["message"]


def test_a_policy_that_is_not_attached_goes_before_one_that_is_too_small():
    made = facts()
    made["aws"]["detached_policies"] = made.user["policies"]
    made.user["policies"] = [{"name": "other", "document": {"Statement": []}}]
    assert codes(examine(made)) == {"policy-detached"}


def test_an_unclear_and_a_narrow_policy_are_warnings():
    made = facts()
    describe, steer = made.user["policies"][0]["document"]["Statement"]
    describe["Action"] = ["ec2:DescribeInstances"]
    found = the(examine(made), "policy-actions")
    assert (found["severity"], "less than the guide's ec2:Describe*" in found["message"]) == ("warning", True)
    steer["Condition"]["IpAddress"] = {"aws:SourceIp": "10.0.0.5/32"}
    found = the(examine(made), "policy-actions")
    assert (found["severity"], "was not judged" in found["message"]) == ("warning", True)


def test_another_cloud_is_not_judged_by_its_aws_user():
    made = facts()
    made.settings.update(cloud_provider="AZURE", aws_access_key=None)
    assert "cloud_provider is AZURE" in the(examine(made), "not-enabled")["message"]


def test_a_platform_that_does_not_want_to_burst():
    made = facts()
    made["wanted"] = {}
    made.settings.update(bursting_enabled=False, aws_access_key=None)
    made.bursting.update(enabled=False, locations=[], overflow_locations=[], nodes=[])
    made["aws"]["user"] = None
    assert [(f["code"], f["severity"]) for f in examine(made)] == [("not-enabled", "information")]


# Nodes, locations, capacity


def test_a_location_other_than_the_inventorys_is_a_warning():
    made = facts()
    made.host("conf01")["location"] = "Oslo"
    assert the(examine(made), "location-wrong")["severity"] == "warning"


def test_an_always_on_node_in_a_bursting_location():
    made = facts()
    made.node("conf01")["system_location"] = "AWS burst"
    found = examine(made)
    assert "its location AWS burst is a bursting location" in the(found, "location-wrong")["message"]
    assert the(found, "location-mixed")["object"] == "AWS burst"


def test_an_always_on_node_without_the_database_is_a_warning():
    made = facts()
    made.node("conf01")["enable_distributed_database"] = False
    found = the(examine(made), "distributed-database")
    assert (found["severity"], found["repair"]) == ("warning", False)


def test_static_nat_of_a_node_that_is_to_have_a_public_address():
    made = facts()
    made.instance("conf01")["public_ip_address"] = "203.0.113.9"
    assert examine(made) == []  # a private node in a subnet that hands out public addresses
    made.host("conf01")["public_address"] = "elastic"
    assert the(examine(made), "static-nat-stale")["mend"]["settings"] == {"static_nat_address": "203.0.113.9"}


def test_static_nat_without_a_public_address():
    made = facts()
    made.node("conf01")["static_nat_address"] = "203.0.113.9"
    made.node("burst01")["static_nat_address"] = "203.0.113.8"
    found = examine(made)
    assert "clear it, unless another device" in the(found, "static-nat-stale", "conf01")["message"]
    assert "give it an Elastic IP address or none" in the(found, "static-nat-stale", "burst01")["message"]
    assert {f["severity"] for f in found} == {"warning"} and not any(f["repair"] for f in found)


def test_a_version_is_read_from_the_image_before_a_node_has_reported():
    made = facts()
    made.node("burst01")["status"]["version"] = None
    assert examine(made) == []
    made["aws"]["images"]["ami-conferencing"] = "Pexip Infinity Conferencing Node 10.2.0 (build 23000.0.0)"
    assert "its version is 10.2.0, the" in the(examine(made), "version-differs", "burst01")["message"]


def test_a_conference_on_more_than_three_overflow_nodes():
    made = facts()
    made["platform"]["licences"] = {}
    for number in (3, 4):
        name = f"burst{number:02}"
        made["platform"]["nodes"].append(node(name, "AWS burst"))
        made["wanted"]["nodes"].append(host(name, "AWS burst"))
        made["aws"]["instances"].append(instance(name))
        made.bursting["nodes"].append(cloud_node(name))
    found = the(examine(made), "many-overflow-nodes")
    assert (found["severity"], found["object"]) == ("information", "AWS burst")
    made["wanted"]["overflow_nodes_per_conference"] = 3
    assert examine(made) == []
    nodes = ["burst01", "burst02", "10.0.0.23", "burst04", "conf01"]
    made["platform"]["shards"] = [{"conference": "All hands", "node": name} for name in nodes]
    found = the(examine(made), "many-overflow-nodes")
    assert (found["severity"], found["object"]) == ("warning", "All hands")
    assert "burst01, burst02, burst03, burst04" in found["message"]


def test_two_overflow_locations_need_no_advice():
    made = facts()
    made["wanted"]["overflow"]["Oslo"] = "AWS burst 2"
    made["wanted"]["overflow_nodes_per_conference"] = 5
    made["platform"]["locations"].append({**location("AWS burst"), "name": "AWS burst 2", "resource_uri": f"{URI}4/"})
    made.location("Oslo")["overflow_location1"] = f"{URI}4/"
    assert examine(made) == []


def test_a_map_that_names_what_does_not_exist():
    made = facts()
    made["wanted"]["overflow"] = {"London": "AWS burst", "Bergen": "AWS burst"}
    found = the(examine(made), "overflow-location-missing", "Bergen")
    assert "names a location that does not exist" in found["message"] and not found["repair"]
    made["wanted"]["overflow"] = {"London": "AWS burst", "Oslo": "Cloud"}
    assert "names Cloud, which does not exist" in the(examine(made), "overflow-location-missing", "Oslo")["message"]


def test_without_an_inventory_locations_are_judged_by_their_looks():
    made = without_inventory()
    for name in ("London", "Oslo"):
        made.location(name)["overflow_location1"] = None
    assert the(examine(made), "overflow-location-missing")["object"] == "AWS burst"
    made.location("Oslo").update(overflow_location1=f"{URI}1/", overflow_location2={"resource_uri": f"{URI}3/"})
    found = examine(made)
    assert the(found, "overflow-location-secondary-only")["object"] == "Oslo"
    assert not any(f["repair"] for f in found)


def test_without_an_inventory_a_tag_makes_an_overflow_node():
    made = without_inventory()
    made.instance("conf01")["tags"]["pexip-cloud"] = "manager"
    made["platform"]["nodes"].append(node("conf03", "London"))
    made["platform"]["licences"] = {}
    found = examine(made)
    assert "always-on (conf03) and overflow nodes (conf01)" in the(found, "location-mixed", "London")["message"]


@pytest.mark.parametrize(("threshold", "fine"), [(2, False), (3, True), (6, True), (7, False)])
def test_the_threshold_is_ten_to_twenty_percent(threshold, fine):
    made = facts()
    made.settings["bursting_threshold"] = threshold
    assert ("threshold-unadvised" not in codes(examine(made))) is fine


def test_an_always_on_node_with_a_stray_tag_is_not_told_to_be_idle():
    made = facts()
    made.instance("conf01")["tags"]["pexip-cloud"] = "manager"
    made.bursting["nodes"].append({**made.row("burst01"), "name": "conf01", "state": "running", "running_minutes": 900})
    assert codes(examine(made)) == {"tag-stray"}


def test_a_threshold_above_a_locations_capacity():
    made = facts()
    made.node("conf02")["status"]["max_hd_calls"] = 90
    made.settings["bursting_threshold"] = 15
    made["platform"]["licences"] = {}
    assert "not below the location's capacity of 15" in the(examine(made), "threshold-unadvised", "London")["message"]


def test_a_node_that_can_still_be_started_is_no_exhaustion():
    made = facts()
    made.primary("London").update(free_hd_calls=3, media_load=80)
    made.run("burst01", 20)
    assert examine(made) == []
    made.run("burst02", 20)
    made.bursting["overflow_locations"][0].update(free_hd_calls=20)
    assert examine(made) == []


def test_an_empty_platform():
    assert [f["code"] for f in examine({})] == ["not-enabled"]
    assert [f["code"] for f in examine({"platform": {"bursting": {}}, "aws": {}, "wanted": {}})] == ["not-enabled"]
