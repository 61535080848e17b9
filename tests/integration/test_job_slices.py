# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Slices of an inventory as AWX makes them: each job has a part of the hosts, and only one of them the Management Node's.

extensions/awx asks for a number of slices for the playbooks that are run here.
"""

from __future__ import annotations

import copy

import pytest
import yaml
from ansible_collections.pexip.infinity.tests.integration.playing import HERE, add_locations

WORKER_VM = "/api/admin/configuration/v1/worker_vm/"
SLICED = ("stop_nodes", "start_nodes", "refresh_static_nat")  # in an order in which they can be run


@pytest.fixture(scope="module")
def lab(lab_factory):
    """An installed Management Node with a location London, and the nodes' security group."""
    with lab_factory(seed="platform") as lab:
        add_locations(lab, "London")
        yield lab


def inventory(lab, nodes: list[str], *, management: bool = False, **variables) -> dict:
    """A slice: these nodes and, on request, the Management Node's host. Its address comes from the environment."""
    result = copy.deepcopy(lab.inventory)
    shared, children = result["all"]["vars"], result["all"]["children"]
    shared.pop("pexip_host")
    shared.pop("pexip_tls_fingerprint")
    shared.update(variables)
    always_on = {name: {"pexip_location": "London", "pexip_subnet_id": lab.env["LAB_SUBNET_A"]} for name in nodes}
    children["pexip_nodes"]["children"] = {"pexip_always_on": {"hosts": always_on}}
    if not management:
        del children["pexip_management"]
    return result


def test_slices_side_by_side_onboard_their_own_nodes(lab, play, module_play):
    refused = play(lab, "onboard_nodes", inventory=inventory(lab, ["conf02"])).failed()
    assert "give pexip_hostname and pexip_host (or PEXIP_HOST) to all hosts" in refused.output
    assert lab.api(WORKER_VM)["objects"] == []

    first = play.start(
        lab, "onboard_nodes", inventory=inventory(lab, ["conf01"], management=True, pexip_hostname="manager")
    )
    second = module_play.start(
        lab, "onboard_nodes", inventory=inventory(lab, ["conf02", "conf03"], pexip_hostname="manager")
    )
    first.wait().succeeded()
    second.wait().succeeded()
    assert sorted(node["name"] for node in lab.api(WORKER_VM)["objects"]) == ["conf01", "conf02", "conf03"]

    # The whole inventory then finds nothing to do: no slice has tagged an instance for another platform.
    whole = inventory(lab, ["conf01", "conf02", "conf03"], management=True)
    play(lab, "onboard_nodes", inventory=whole).unchanged()


@pytest.mark.parametrize("playbook", SLICED)
def test_a_slice_finds_its_nodes(lab, play, playbook):
    part = inventory(lab, ["conf02", "conf03"], pexip_hostname="manager", node_maintenance_floor_nodes=0)
    run = play(lab, playbook, inventory=part).succeeded()
    changed = {"conf02", "conf03"} if playbook in ("stop_nodes", "start_nodes") else set()
    assert {host for host, said in run.stats.items() if said["changed"]} == changed
    states = {node["name"]: node["maintenance_mode"] for node in lab.api(WORKER_VM)["objects"]}
    stopped = playbook == "stop_nodes"
    assert states == {"conf01": False, "conf02": stopped, "conf03": stopped}


def test_these_are_the_playbooks_that_may_be_sliced():
    templates = yaml.load((HERE.parents[1] / "extensions/awx/job_templates.yml").read_text(), Loader=yaml.BaseLoader)
    sliced = {
        template["playbook"]
        for template in templates["configure_awx_job_templates"]
        if template.get("ask_job_slice_count_on_launch") == "true"
    }
    assert sliced == {f"playbooks/{name}.yml" for name in (*SLICED, "onboard_nodes")}
