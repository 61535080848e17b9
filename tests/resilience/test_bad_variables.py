# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every variable of every role is given values of another type: it is named, and nothing is written to AWS or the platform."""

from __future__ import annotations

import copy
import itertools
from typing import Any

import pytest
from ansible_collections.pexip.infinity.tests.resilience import bad_variables
from ansible_collections.pexip.infinity.tests.resilience.bad_variables import names


def including(role: str, entry: str, hosts: str) -> dict[str, Any]:
    """A play that includes a role for each host. A rescued failure leaves the host in the play, and is in the record all the same."""
    given = {"name": f"pexip.infinity.{role}", "tasks_from": entry}
    block = {
        "name": "Bad input",
        "block": [{"name": "Include the role", "ansible.builtin.include_role": given}],
        "rescue": [{"name": "Refused", "ansible.builtin.debug": {"msg": "refused"}}],
    }
    return {"name": "Bad input", "hosts": hosts, "gather_facts": False, "tasks": [block]}


@pytest.fixture(scope="module")
def lab(lab_factory):
    """An installed platform with conf01 and conf02, which all tests leave as it is."""
    with lab_factory(seed="nodes") as lab:
        yield lab


def test_variables_of_another_type_and_unknown_ones_are_refused_by_name(lab, play, tally):
    counted = tally("bad variable of a role")
    inventory, plays, cases = copy.deepcopy(lab.inventory), [], {}
    # A host a case. What is unknown the roles refuse themselves, some once for all hosts of a play: it has a play of its own.
    for kind, found in (("typed", bad_variables.of_roles()), ("unknown", bad_variables.unheard_of())):
        for (role, entry), members in itertools.groupby(found, lambda case: (case.role, case.entry)):
            group = f"{kind}_{role}_{entry}"
            named = {f"{group}{number}": case for number, case in enumerate(members)}
            hosts = {host: {"pexip_location": "London", case.variable: case.value} for host, case in named.items()}
            inventory["all"]["children"][group] = {"hosts": hosts}
            plays.append(including(role, entry, group))
            cases |= named
    lab.requests(reset=True)
    run = play(lab, plays, "--forks", "4", inventory=inventory).succeeded()
    failures = {event["host"]: str(event["result"].get("msg")) for event in run.events if event["status"] == "failed"}
    for host, case in cases.items():
        with counted.case(str(case)):
            assert names(case.named, failures.get(host, "")), failures.get(host, "accepted")[:400]
    assert lab.writes_seen() == []
