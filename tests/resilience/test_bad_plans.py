# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks are given what cannot be: each problem is told with its object and variable, and nothing is written."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.pexip.infinity.tests.resilience import bad_plans
from ansible_collections.pexip.infinity.tests.resilience.bad_variables import names

CONFIGURATION = "/api/admin/configuration/v1/"


@pytest.fixture(scope="module")
def lab(lab_factory):
    """An installed platform with conf01 and conf02, which all tests leave as it is."""
    with lab_factory(seed="nodes") as lab:
        yield lab


def problems(run) -> list[str]:
    """The sentences of a verdict, of every failed task."""
    return [line for failure in run.failures for line in failure.splitlines()]


def tells(run, *words: str) -> None:
    """Asserts that one sentence holds all the words."""
    told = problems(run)
    assert any(all(names(word, line) for word in words) for line in told), [line[:300] for line in told]


def overlapping_subnet(lab) -> str:
    """A subnet with the first one's network, in a VPC of its own: AWS has no two that overlap in one VPC."""
    ec2, cidr = lab.ec2(), str(lab.network.subnets[0])
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    return ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"]


def test_a_fleet_of_bad_nodes_is_refused_node_by_node(lab, play, tally):
    counted = tally("bad variable of a playbook")
    (taken,) = (node["address"] for node in lab.api(f"{CONFIGURATION}worker_vm/?name=conf01")["objects"])
    subnet = lab.network.subnets[0]
    addresses = {"first": subnet[0], "router": subnet[1], "last": subnet[-1], "taken": taken, "free": subnet[99]}
    known = {f"{{{name}}}": str(address) for name, address in addresses.items()}
    known["{overlapping}"] = overlapping_subnet(lab)
    inventory = copy.deepcopy(lab.inventory)
    nodes = inventory["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
    for name, (_field, variables) in bad_plans.NODES.items():
        nodes[name] = {"pexip_location": "London"}
        nodes[name] |= {key: known.get(str(value), value) for key, value in variables.items()}
    lab.requests(reset=True)
    run = play(lab, "onboard_nodes", inventory=inventory).failed()
    for name, (field, variables) in bad_plans.NODES.items():
        with counted.case(f"{name}: {field} {variables}"):
            tells(run, name, field)
    assert lab.writes_seen() == []


@pytest.mark.parametrize(("variables", "sentences"), bad_plans.BURSTING, ids=["malformed", "odd", "empty"])
def test_bad_bursting_is_refused_sentence_by_sentence(lab, play, tally, variables, sentences):
    counted = tally("bad variable of a playbook")
    lab.requests(reset=True)
    run = play(lab, "enable_bursting", inventory=play.with_vars(lab.inventory, **variables)).failed()
    for words in sentences:
        with counted.case(" ".join(words)):
            tells(run, *words)
    assert lab.writes_seen() == []


@pytest.mark.parametrize(("playbook", "variables", "words"), bad_plans.ALONE)
def test_a_bad_variable_ends_a_playbook(lab, play, tally, playbook, variables, words):
    with tally("bad variable of a playbook").case(f"{playbook}: {variables}"):
        lab.requests(reset=True)
        run = play(lab, playbook, extra_vars=variables or None).failed()
        tells(run, *words)
        assert lab.writes_seen() == []
