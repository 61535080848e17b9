# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A bursting day: a platform is taught to burst by our playbook, and then calls rise and fall.

Nothing acts on the lab but playbooks and `pexip-lab call`; the test itself only looks.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pexip_lab.testing import until

STATUS = "/api/admin/status/v1/"
BURST = ("burst01", "burst02")
LIFETIME = timedelta(minutes=50)  # guide: a node is never stopped until it has been running for so long


@pytest.fixture(scope="module")
def lab(lab_factory):
    """Always-on nodes in London, Oslo and HQ, 15 HD calls each."""
    with lab_factory(seed="nodes") as lab:
        yield lab


@pytest.fixture
def hosts(lab) -> dict:
    """The lab's inventory, with what an operator adds to have it burst."""
    inventory = copy.deepcopy(lab.inventory)
    groups = inventory["all"]["children"]["pexip_nodes"]["children"]
    groups["pexip_overflow"]["hosts"] = {name: {"pexip_location": "AWS burst"} for name in BURST}
    inventory["all"]["vars"].update(
        pexip_overflow={"London": "AWS burst", "Oslo": "AWS burst"}, pexip_bursting_threshold=5
    )
    return inventory


@pytest.fixture
def call(lab):
    """`pexip-lab call`, as a person types it; gives what it prints."""

    def run(*words: str) -> str:
        command = [Path(sys.executable).with_name("pexip-lab"), "call", *words, "--state", lab.files.directory]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


def power(lab) -> tuple[str, ...]:
    """The states of the overflow nodes' instances in EC2."""
    states = {item["name"]: item["state"] for item in lab.status()["instances"]}
    return tuple(states[name] for name in BURST)


def rows(lab, resource: str, key: str) -> dict[str, dict]:
    """The rows of a status resource by a field."""
    return {row[key]: row for row in lab.api(f"{STATUS}{resource}/")["objects"]}


def free(lab, resource: str, location: str) -> int:
    """HD connections that are free in a location, as the platform shows them."""
    return rows(lab, resource, "name")[location]["free_hd_calls"]


def available(lab, name: str) -> bool:
    """Whether the platform shows an overflow node with a media load, so that it can host calls."""
    return rows(lab, "cloud_node", "workervm_configuration_name")[name]["media_load"] is not None


def test_a_bursting_day(lab, hosts, call, play):
    # The night before: bursting is set up, and the overflow nodes sleep.
    play(lab, "enable_bursting", inventory=hosts).succeeded()
    assert power(lab) == ("stopped", "stopped")
    before = {row["name"]: row for row in lab.api("/api/admin/configuration/v1/worker_vm/")["objects"]}
    lab.requests(reset=True)

    # Morning: London fills, and nothing starts before its threshold.
    until(lambda: "London" in rows(lab, "cloud_monitored_location", "name"), "the platform to look")
    conference = call("start", "--location", "London", "--participants", "9")
    until(lambda: free(lab, "cloud_monitored_location", "London") == 6, "6 free connections")
    assert power(lab) == ("stopped", "stopped")
    call("join", "--id", conference, "--participants", "1")
    until(lambda: available(lab, "burst01"), "burst01 to be available")
    assert power(lab) == ("running", "stopped")

    # Noon: London is full, the first overflow node reaches the threshold, and the next one starts.
    call("join", "--id", conference, "--participants", "14")
    until(lambda: free(lab, "cloud_monitored_location", "London") == 0, "a full London")
    until(lambda: available(lab, "burst02"), "burst02 to be available")
    call("join", "--id", conference, "--participants", "10")
    (carried,) = lab.status()["calls"]
    assert carried["nodes"] == {"conf01": 15, "burst01": 14, "burst02": 5}

    # What the operator sees; and running the set-up again in mid-day hurts nobody.
    shown = play(lab, "bursting_status", inventory=hosts).unchanged().output
    assert "0 of 15, bursting threshold reached" in shown
    play(lab, "enable_bursting", inventory=hosts).unchanged()
    assert lab.status()["calls"] == [carried]
    assert power(lab) == ("running", "running")

    # Evening: the conference ends, and each node is stopped when it is idle and has run for its minimum lifetime.
    call("end", "--id", conference)
    until(lambda: power(lab) == ("stopped", "stopped"), "the overflow nodes to stop", seconds=120)
    history = [entry for entry in lab.status()["bursting"] if entry["node"] in BURST]
    assert [(entry["action"], entry["node"]) for entry in history] == [
        ("start", "burst01"),
        ("start", "burst02"),
        ("stop", "burst01"),
        ("stop", "burst02"),
    ]
    for name in BURST:
        began, ended = (datetime.fromisoformat(entry["time"]) for entry in history if entry["node"] == name)
        assert ended - began >= LIFETIME

    # All that with the key that the playbook made; nobody was turned away, cut off or changed.
    (key,) = lab.iam().list_access_keys(UserName="pexip-manager")["AccessKeyMetadata"]
    assert {"ec2:StartInstances", "ec2:StopInstances"} <= set(lab.aws_actions()[key["AccessKeyId"]])
    assert (lab.status()["rejected"], lab.status()["dropped"]) == (0, 0)
    assert {row["name"]: row for row in lab.api("/api/admin/configuration/v1/worker_vm/")["objects"]} == before
    assert lab.writes() == 0
