# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role infinity_platform on an installed Management Node, judged by the platform itself."""

from __future__ import annotations

import pytest

CONFIGURATION = "/api/admin/configuration/v1"


def objects(lab, resource: str) -> list[dict]:
    return lab.api(f"{CONFIGURATION}/{resource}/?limit=100")["objects"]


def locations(lab) -> dict[str, dict]:
    return {location["name"]: location for location in objects(lab, "system_location")}


def managers(lab) -> list[str]:
    """Ids of the instances that live."""
    live = [{"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}]
    found = lab.ec2().describe_instances(Filters=live)["Reservations"]
    return [instance["InstanceId"] for reservation in found for instance in reservation["Instances"]]


def with_role(name: str) -> list[dict]:
    """A playbook that runs a role of the collection for the Management Node."""
    step = {"name": name, "ansible.builtin.include_role": {"name": f"pexip.infinity.{name}"}}
    return [{"name": "Test", "hosts": "pexip_management", "gather_facts": False, "tasks": [step]}]


@pytest.fixture(scope="module")
def lab(lab_factory):
    with lab_factory(seed="platform") as lab:
        yield lab


@pytest.fixture
def configure(lab, play):
    role_tasks = with_role("infinity_platform")
    return lambda check=False, **variables: play(lab, role_tasks, "-vvv", check=check, extra_vars=variables)


def test_locations_may_overflow_to_each_other(lab, configure):
    wanted = [
        {"name": "Paris", "overflow_location1": "Rome", "description": "Gare du Nord"},
        {"name": "Rome", "overflow_location1": "Paris", "ntp_servers": ["ntp.example.com"]},
    ]
    lab.requests(reset=True)
    configure(check=True, pexip_locations=wanted).succeeded()
    assert lab.writes() == 0
    configure(pexip_locations=wanted).succeeded()
    found = locations(lab)
    assert found["Paris"]["overflow_location1"] == found["Rome"]["resource_uri"]
    assert found["Rome"]["overflow_location1"] == found["Paris"]["resource_uri"]
    assert [server["address"] for server in found["Rome"]["ntp_servers"]] == ["ntp.example.com"]
    assert [server["address"] for server in found["Rome"]["dns_servers"]] == [lab.network.resolver]
    configure(pexip_locations=wanted).unchanged()
    configure(check=True, pexip_locations=wanted).unchanged()


def test_licences_and_global_settings(lab, configure):
    wanted = {
        "pexip_locations": [],
        "pexip_licences": ["AAAA-1111 BBBB-2222"],
        "infinity_platform_global_settings": {"enable_chat": False, "bursting_threshold": 7},
    }
    run = configure(**wanted).succeeded()
    assert [licence["entitlement_id"] for licence in objects(lab, "licence")] == ["AAAA-1111BBBB-2222"]
    settings = lab.api(f"{CONFIGURATION}/global/1/")
    assert (settings["enable_chat"], settings["bursting_threshold"]) == (False, 7)
    assert "AAAA-1111BBBB-2222" not in run.output
    again = configure(**wanted).unchanged()
    assert "AAAA-1111BBBB-2222" not in again.output


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"pexip_locations": [{"name": "Bad", "mtu": 100}]}, "mtu"),
        ({"infinity_platform_license": ["x"]}, "did you mean infinity_platform_licences?"),
    ],
)
def test_bad_input_is_refused(lab, configure, variables, message):
    lab.requests(reset=True)
    run = configure(**variables).failed()
    assert message in " ".join(run.failures)
    assert lab.writes() == 0


def test_a_found_management_node_is_taken_by_its_tags(lab, play):
    """The seed's instance carries our tags: nothing is launched beside it, and its pin is the tag's."""
    before = managers(lab)
    inventory = play.with_vars(lab.inventory, pexip_host=None, pexip_tls_fingerprint=None)
    hidden = {"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": ""}
    play(lab, with_role("management_node"), inventory=inventory, environment=hidden).unchanged()
    assert managers(lab) == before and len(before) == 1
