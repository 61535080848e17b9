# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two playbooks, run by users who have exactly their policies of docs/iam; tests/resilience has all of them in all branches.

site is run so by test_site.py.
"""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.tests.integration.operators import asked, operator, policy

VARIABLES = {"node_maintenance_floor_nodes": 0}
FOUND_BY_TAGS = {"PEXIP_HOST": "", "PEXIP_TLS_FINGERPRINT": ""}


@pytest.fixture(scope="module")
def lab(lab_factory):
    """conf01 and conf02, both in service."""
    with lab_factory(seed="nodes") as lab:
        yield lab


@pytest.fixture(scope="module")
def run(lab, module_play):
    """Runs a playbook for conf02 as a user with these keys; the Management Node is found by its tags."""
    inventory = module_play.with_vars(lab.inventory, pexip_host=None, pexip_tls_fingerprint=None)

    def run(playbook: str, user: dict[str, str]):
        return module_play(
            lab,
            playbook,
            "--limit",
            "conf02",
            inventory=inventory,
            extra_vars=VARIABLES,
            environment=FOUND_BY_TAGS | user,
        )

    return run


@pytest.mark.parametrize(
    ("playbook", "lacking"), [("stop_nodes", "ec2:StopInstances"), ("start_nodes", "ec2:StartInstances")]
)
def test_the_policy_suffices_and_without_an_action_the_error_names_it(lab, run, playbook, lacking):
    poor = operator(lab, f"{playbook}-poor", policy(playbook, without=lacking))
    refused = run(playbook, poor).failed()
    assert any(f"not authorized to perform: {lacking}" in told for told in refused.failures), refused.failures
    user = operator(lab, playbook, policy(playbook))
    run(playbook, user).succeeded()
    assert [lacking, "instance", ""] in asked(lab, user)
    run(playbook, user).unchanged()
