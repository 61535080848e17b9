# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two job slices side by side: one runs here, the other on another machine, and only the first has the Management Node's host.

conf01 and conf02 are in London, conf03 and conf04 in Oslo, so each slice has one node of each location.
"""

from __future__ import annotations

import copy
from collections import Counter

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import add_locations
from ansible_collections.pexip.infinity.tests.runner import jobs

pytestmark = pytest.mark.quick

CONFIGURATION = "/api/admin/configuration/v1"
NODES = {"conf01": "London", "conf02": "London", "conf03": "Oslo", "conf04": "Oslo"}


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A ready platform: an installed Management Node, the nodes' security group, and the locations."""
    with lab_factory(seed="platform") as lab:
        add_locations(lab, "London", "Oslo")
        yield lab


@pytest.fixture(scope="module")
def inventory(lab, tmp_path_factory) -> dict:
    """The whole inventory: it says which Management Node it is for, the credential where that is."""
    result = copy.deepcopy(lab.inventory)
    variables = result["all"]["vars"]
    del variables["pexip_host"], variables["pexip_tls_fingerprint"]
    variables["pexip_hostname"] = "manager"
    return jobs.listed(result, tmp_path_factory.mktemp("inventory"))


@pytest.fixture
def slices(lab, job, inventory):
    """Runs both slices of a playbook side by side."""

    def run(playbook: str, words: str = "") -> list[jobs.Job]:
        started = [
            job.start(lab, playbook, jobs.sliced(inventory, number, 2), words, elsewhere=number == 2)
            for number in (1, 2)
        ]
        first, second = ended = [one.wait() for one in started]
        assert first.span[0] < second.span[1] and second.span[0] < first.span[1], "one after the other"
        return ended

    return run


def serving(lab) -> Counter[str]:
    """The nodes that are in service, counted by location."""
    running = instances(lab, "running")
    nodes = lab.api(f"{CONFIGURATION}/worker_vm/")["objects"]
    return Counter(NODES[node["name"]] for node in nodes if not node["maintenance_mode"] and node["name"] in running)


def instances(lab, *states: str) -> list[str]:
    """The nodes whose instances are in one of these states; one with two instances is there twice."""
    wanted = [{"Name": "tag-key", "Values": ["pexip-infinity-node"]}, {"Name": "instance-state-name", "Values": states}]
    found = [
        row for group in lab.ec2().describe_instances(Filters=wanted)["Reservations"] for row in group["Instances"]
    ]
    tags = [{tag["Key"]: tag["Value"] for tag in row["Tags"]} for row in found]
    return sorted(tag["pexip-infinity-node"] for tag in tags if tag["pexip-infinity-node"] in NODES)


def test_the_hosts_are_dealt_out(inventory):
    first, second = (sorted(jobs.sliced(inventory, number, 2)["_meta"]["hostvars"]) for number in (1, 2))
    assert (first, second) == (["conf01", "conf03", "manager"], ["conf02", "conf04"])


def test_each_onboards_its_nodes(lab, slices):
    for one in slices("onboard_nodes"):
        one.succeeded()
    assert sorted(node["name"] for node in lab.api(f"{CONFIGURATION}/worker_vm/")["objects"]) == sorted(NODES)
    assert instances(lab, "pending", "running", "stopping", "stopped") == sorted(NODES)
    assert serving(lab) == {"London": 2, "Oslo": 2}


def test_the_floor_holds_for_both_together(lab, slices):
    """Each alone could take out its node of each location."""
    ended = slices("stop_nodes")
    assert min(serving(lab)[location] for location in ("London", "Oslo")) >= 1, serving(lab)
    assert "failed" in [one.status for one in ended]
    assert all("node_maintenance_floor_nodes is 1" in one.output for one in ended if one.status == "failed")


def test_all_are_drained_and_stopped(lab, slices):
    for one in slices("stop_nodes", "-e node_maintenance_floor_nodes=0"):
        one.succeeded()
    assert instances(lab, "stopped") == sorted(NODES)
    assert serving(lab) == {}


def test_all_are_started(lab, slices):
    for one in slices("start_nodes"):
        one.succeeded()
    assert serving(lab) == {"London": 2, "Oslo": 2}
