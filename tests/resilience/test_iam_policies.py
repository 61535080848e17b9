# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook in all its branches, run by an IAM user who has exactly its policy of docs/iam; and with one action less.

With PEXIP_IAM_RECORD (a directory; `make iam`) the user may do everything, and what she asks for is left there.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from ansible_collections.pexip.infinity.tests.integration.operators import ADMINISTRATOR, asked, operator, policy
from ansible_collections.pexip.infinity.tests.resilience.branches import BRANCHES
from ansible_collections.pexip.infinity.tests.tools import iam_policies
from ansible_collections.pexip.infinity.tests.tools.iam_policies import Asked

# What amazon.aws says of a security group when one of these is refused: it keeps AWS's answer to itself.
SILENT = {
    "ec2:CreateSecurityGroup": "Unable to create security group",
    "ec2:CreateTags": "Unable to create security group",
    "ec2:AuthorizeSecurityGroupIngress": "Unable to authorize ingress rules",
    "ec2:AuthorizeSecurityGroupEgress": "Unable to authorize egress rules",
    "ec2:RevokeSecurityGroupIngress": "Unable to revoke ingress rules",
    "ec2:RevokeSecurityGroupEgress": "Unable to revoke egress rules",
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress": "Unable to update rule description",
    "ec2:UpdateSecurityGroupRuleDescriptionsEgress": "Unable to update rule description",
}
RECORD = os.environ.get("PEXIP_IAM_RECORD")


@pytest.mark.parametrize("branch", BRANCHES, ids=str)
def test_under_exactly_its_policy(branch, lab_factory, play, tally, chance):
    counted = tally("playbook with exactly its IAM policy")
    with branch.begun(lab_factory, play) as lab, counted.case(str(branch)):
        user = operator(lab, "operator", ADMINISTRATOR if RECORD else policy(branch.playbook))
        if branch.plain:
            branch.play(lab, play, environment=user, check=True).succeeded()
        if branch.plain and not RECORD:
            lacking = chance.choice(actions(branch))
            poor = operator(lab, "poor", policy(branch.playbook, without=lacking))
            refused = branch.play(lab, play, environment=poor).failed()
            silent = lacking in SILENT and SILENT[lacking] in refused.output and lacking.split(":")[1] in refused.output
            assert silent or f"not authorized to perform: {lacking}" in refused.output, refused.failures
        with branch.disturbed(lab):
            branch.play(lab, play, environment=user).succeeded()
        if branch.plain:
            again = branch.play(lab, play, environment=user)
            assert again.succeeded() if branch.playbook == "restart_nodes" else again.unchanged()
        questions = {Asked(*question) for question in asked(lab, user)}
        if RECORD:
            leave(branch, questions)
        else:
            judge(branch, questions)


def actions(branch) -> list[str]:
    """The actions that a branch asks for: those that change something, or if there is none those that look."""
    record = iam_policies.recorded().get(branch.playbook, {})
    mine = [one for one, branches in record.items() if branch.name in branches]
    return sorted({one.action for one in mine if not one.reads} or {one.action for one in mine})


def judge(branch, questions: set[Asked]) -> None:
    """Nothing was refused in passing, and what the record says that the branch changes is what it changed."""
    record = iam_policies.recorded()
    assert questions <= iam_policies.wanted(record)[branch.playbook] | {Asked(free, "*") for free in iam_policies.FREE}
    known = {one for one, branches in record.get(branch.playbook, {}).items() if branch.name in branches}
    assert {one for one in questions if not one.reads} <= {one for one in known if not one.reads}, "run make iam"


def leave(branch, questions: set[Asked]) -> None:
    """Leaves what was asked for, for the record."""
    run = {"playbook": branch.playbook, "branch": branch.name, "asked": sorted(map(list, questions))}
    (Path(RECORD) / f"{str(branch).replace('/', ' ')}.json").write_text(json.dumps(run))
