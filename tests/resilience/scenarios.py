# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook that writes, with the smallest platform that it can be tried on."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import Play, Run, Started, add_locations
from pexip_lab.client import Lab
from pexip_lab.testing import until

BURST = "AWS burst"
CONFIGURATION = "/api/admin/configuration/v1/"
TAG = "pexip-cloud"


@dataclass(frozen=True)
class Scenario:
    """A playbook, the seed that it begins with, and what the lab and its inventory need besides.

    `prepare` changes the lab before the first run, `adapt` the inventory (a copy). `first` names another scenario that is
    played before this one begins: what is started must have been stopped.
    """

    name: str
    playbook: str
    seed: str | None
    args: tuple[str, ...] = ()
    extra_vars: dict[str, Any] = field(default_factory=dict)
    prepare: Callable[[Lab], None] = lambda lab: None
    adapt: Callable[[dict], None] = lambda inventory: None
    first: str | None = None

    def __str__(self) -> str:
        return self.name

    @contextmanager
    def begun(self, lab_factory: Callable[..., Any], play: Play) -> Iterator[Lab]:
        """A lab in the state that the playbook begins with."""
        with lab_factory(seed=self.seed) as lab:
            self.prepare(lab)
            if self.first:
                SCENARIOS[self.first].play(lab, play).succeeded()
            yield lab

    def start(self, lab: Lab, play: Play, **options: Any) -> Started:
        """Begins a run."""
        inventory = copy.deepcopy(lab.inventory)
        self.adapt(inventory)
        return play.start(
            lab, self.playbook, *self.args, inventory=inventory, extra_vars=self.extra_vars or None, **options
        )

    def play(self, lab: Lab, play: Play, **options: Any) -> Run:
        """A whole run."""
        return self.start(lab, play, **options).wait()


def nodes_of(inventory: dict, group: str) -> dict[str, dict]:
    """The nodes of a group with their variables."""
    return inventory["all"]["children"]["pexip_nodes"]["children"][group].setdefault("hosts", {})


def _two_public_nodes(inventory: dict) -> None:
    """One node with an Elastic IP, one with a dynamic public address, both where the run would put them anyway."""
    hosts = nodes_of(inventory, "pexip_always_on")
    for name, kind in (("conf02", None), ("conf04", None), ("conf01", "elastic"), ("conf03", "dynamic")):
        if kind:
            hosts[name]["pexip_public_address"] = kind
        else:
            del hosts[name]
    inventory["all"]["vars"]["pexip_deployment"] = "hybrid"


def _becomes_overflow(inventory: dict) -> None:
    node = nodes_of(inventory, "pexip_always_on").pop("conf02")
    nodes_of(inventory, "pexip_overflow")["conf02"] = {**node, "pexip_location": BURST}


def _becomes_always_on(inventory: dict) -> None:
    node = nodes_of(inventory, "pexip_overflow").pop("burst01")
    nodes_of(inventory, "pexip_always_on")["burst01"] = {**node, "pexip_location": "London"}


def _bursts(inventory: dict) -> None:
    nodes_of(inventory, "pexip_overflow")["burst01"] = {
        **nodes_of(inventory, "pexip_always_on")["conf01"],
        "pexip_location": BURST,
    }
    inventory["all"]["vars"] |= {"pexip_overflow": {"London": BURST}, "pexip_bursting_threshold": 5}


def _burst_location(lab: Lab) -> None:
    lab.api(f"{CONFIGURATION}system_location/", method="POST", json={"name": BURST})


def _locations(lab: Lab) -> None:
    """What deploy_management makes of the inventory's locations."""
    add_locations(lab, "London", "Oslo")


def _wrong_static_nat(lab: Lab) -> None:
    """A node with an Elastic IP that the platform does not know of."""
    (instance,) = (item for item in lab.status()["instances"] if item["name"] == "conf01")
    ec2 = lab.ec2()
    tags = [
        {"Key": f"pexip-infinity-{key}", "Value": value} for key, value in (("node", "conf01"), ("platform", "manager"))
    ]
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=[{"ResourceType": "elastic-ip", "Tags": tags}])
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=instance["id"])


def _conf01_is_elastic(inventory: dict) -> None:
    nodes_of(inventory, "pexip_always_on")["conf01"]["pexip_public_address"] = "elastic"


def _looked(lab: Lab) -> None:
    """The platform has seen its overflow nodes."""
    until(lambda: lab.api("/api/admin/status/v1/cloud_node/")["objects"], "the overflow nodes to be seen")


def _stray_tags(lab: Lab) -> None:
    """What the doctor mends: a tag that is missing, and one with a wrong value."""
    ids = {item["name"]: item["id"] for item in lab.status()["instances"]}
    ec2 = lab.ec2()
    ec2.delete_tags(Resources=[ids["burst01"]], Tags=[{"Key": TAG}])
    ec2.create_tags(Resources=[ids["burst02"]], Tags=[{"Key": TAG, "Value": "somebody"}])


NO_FLOOR = {"node_maintenance_floor_nodes": 0, "node_removal_floor_nodes": 0}
ALL = [
    Scenario("deploy_management", "deploy_management", None),
    Scenario("onboard_nodes", "onboard_nodes", "platform", prepare=_locations, adapt=_two_public_nodes),
    Scenario("enable_bursting", "enable_bursting", "nodes", adapt=_bursts),
    Scenario("disable_bursting", "enable_bursting", "bursting", extra_vars={"cloud_bursting_state": "absent"}),
    Scenario(
        "convert_to_overflow",
        "convert_nodes",
        "nodes",
        ("--limit", "conf02"),
        prepare=_burst_location,
        adapt=_becomes_overflow,
    ),
    Scenario("convert_to_always_on", "convert_nodes", "bursting", ("--limit", "burst01"), adapt=_becomes_always_on),
    Scenario(
        "start_overflow_nodes",
        "start_overflow_nodes",
        "bursting",
        extra_vars={"cloud_bursting_start_all": True},
        prepare=_looked,
    ),
    Scenario(
        "check_bursting",
        "check_bursting",
        "bursting",
        extra_vars={"bursting_report_repair": True, "bursting_report_fail_on": "never"},
        prepare=_stray_tags,
    ),
    Scenario("stop_nodes", "stop_nodes", "nodes", extra_vars=NO_FLOOR),
    Scenario("start_nodes", "start_nodes", "nodes", first="stop_nodes"),
    Scenario("restart_nodes", "restart_nodes", "nodes", ("--limit", "conf02"), extra_vars=NO_FLOOR),
    Scenario("refresh_static_nat", "refresh_static_nat", "nodes", prepare=_wrong_static_nat, adapt=_conf01_is_elastic),
    Scenario(
        "remove_nodes",
        "remove_nodes",
        "nodes",
        ("--limit", "conf01"),
        extra_vars=NO_FLOOR,
        prepare=_wrong_static_nat,
        adapt=_conf01_is_elastic,
    ),
]
SCENARIOS = {scenario.name: scenario for scenario in ALL}


def sampled(*quick: str) -> list[Any]:
    """All scenarios as parameters of a test; those named are its quick part."""
    return [pytest.param(one, marks=[pytest.mark.quick] if one.name in quick else []) for one in ALL]
