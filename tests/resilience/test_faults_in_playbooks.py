# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks under faults of AWS, of the management API, of SSH and of nodes.

A run succeeds, or says what was wrong and how it is resumed. Run again without the fault, it leaves what an undisturbed
run leaves, object by object.
"""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import Play, Run
from ansible_collections.pexip.infinity.tests.resilience import picture, troubles
from ansible_collections.pexip.infinity.tests.resilience.scenarios import SCENARIOS
from ansible_collections.pexip.infinity.tests.resilience.troubles import Trouble
from pexip_lab.client import Lab
from pexip_lab.credentials import ADMIN_PASSWORD, NODE_PASSWORD, WEB_PASSWORD

# How many of the troubles that are known for a playbook; each costs two runs.
SAMPLES = {
    troubles.DEPLOY: 6,
    troubles.ONBOARD: 6,
    troubles.BURST: 5,
    troubles.STOP: 2,
    troubles.START: 2,
    troubles.REMOVE: 2,
}


@pytest.mark.parametrize("scenario", [SCENARIOS[name] for name in SAMPLES])
def test_a_playbook_meets_faults(scenario, lab_factory, warm_python, tmp_path, undisturbed, tally, chance):
    counted = tally("faults in whole playbook runs")
    known = [trouble for trouble in troubles.ALL if scenario.name in trouble.scenarios]
    counted.of = len(known)
    for number, trouble in enumerate(chance.sample(known, SAMPLES[scenario.name])):
        # A directory of its own, or a host might be known at whose address another lab's machine is now.
        play = Play(tmp_path / str(number), warm_python)
        with counted.case(f"{scenario.name}: {trouble}"), scenario.begun(lab_factory, play) as lab:
            lab.fault_add(**trouble.options)
            run = replace(scenario, extra_vars=scenario.extra_vars | trouble.variables).play(lab, play)
            lab.fault_clear()
            survived_or_told(run, trouble)
            if trouble.hopeless and run.rc:
                terminate(lab, run)
            scenario.play(lab, play).succeeded()
            assert picture.differences(undisturbed(scenario).picture, picture.take(lab)) == []


def survived_or_told(run: Run, trouble: Trouble) -> None:
    """A run succeeds, or says what was wrong with what, and how to go on."""
    assert "Traceback" not in run.output, run.output[-8000:]
    for secret in (WEB_PASSWORD, ADMIN_PASSWORD, NODE_PASSWORD):
        assert secret not in run.output
    if run.rc:
        assert re.search(trouble.cause, "\n".join(run.failures)), f"{trouble.cause} is not in {run.failures}"
        said = "\n".join([run.output, *run.failures])
        assert re.search(r"this resumes:\s+ansible-playbook ", said), run.output[-8000:]


def terminate(lab: Lab, run: Run) -> None:
    """Does what the error says: takes away the instances that it names, by id or by address."""
    said, ec2 = "\n".join(run.failures), lab.ec2()
    instances = [item for group in ec2.describe_instances()["Reservations"] for item in group["Instances"]]
    named = [
        item["InstanceId"]
        for item in instances
        if item["State"]["Name"] != "terminated"
        and any(re.search(rf"{re.escape(item[key])}\b", said) for key in ("InstanceId", "PrivateIpAddress"))
    ]
    assert named, f"no instance is named in {run.failures}"
    ec2.terminate_instances(InstanceIds=named)
