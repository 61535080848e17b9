# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook that writes, killed in the middle of every writing request, and at task boundaries.

A run is killed, and the next one on the same platform is killed one writing request later, until one comes through. So
each run has to carry on from what the killed ones left, and what is there in the end must be what an undisturbed run
leaves, object by object.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import Play, Run
from ansible_collections.pexip.infinity.tests.resilience import picture
from ansible_collections.pexip.infinity.tests.resilience.scenarios import ALL, Scenario, sampled
from pexip_lab.client import Lab
from pexip_lab.testing import until

ONE_BY_ONE = {"ANSIBLE_FORKS": "1"}  # else a kill in one node's request is one in the others' of the same kind, too
BOUNDARIES = 4  # kills after a task, for each scenario


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("scenario", sampled("refresh_static_nat"))
def test_killed_in_every_writing_request(scenario, when, lab_factory, play, undisturbed, tally):
    expected = undisturbed(scenario)
    counted = tally(f"kill {when} a write took effect")
    asked = Counter(map(_named, expected.writes))
    with scenario.begun(lab_factory, play) as lab:
        last, killed = _killed_on_the_way(scenario, lab, play, when, asked)
        with counted.case(*(f"{scenario.name}: {write}" for write in killed.elements())):
            last.succeeded()
            assert picture.differences(expected.picture, picture.take(lab)) == []
    counted.of = (asked | killed).total()
    assert not asked - killed, f"never killed in: {asked - killed}"


@pytest.mark.parametrize("scenario", ALL)
def test_killed_between_tasks(scenario, lab_factory, play, undisturbed, tally, chance):
    expected = undisturbed(scenario)
    counted = tally("kill between two tasks")
    counted.of = len(expected.tasks)
    tasks = sorted(chance.sample(expected.tasks, min(BOUNDARIES, len(expected.tasks))), key=expected.tasks.index)
    killed = []
    with scenario.begun(lab_factory, play) as lab:
        for task in tasks:
            run = scenario.play(lab, play, environment={"PEXIP_TEST_KILL_AFTER": task})
            if run.rc == -9:
                killed.append(f"{scenario.name}: after {task}")
            else:  # it skipped the task, which an earlier run had done
                run.succeeded()
        with counted.case(*killed):
            scenario.play(lab, play).succeeded()
            assert picture.differences(expected.picture, picture.take(lab)) == []


def _killed_on_the_way(
    scenario: Scenario, lab: Lab, play: Play, when: str, asked: Counter[str]
) -> tuple[Run, Counter[str]]:
    """Kills run after run, each in a later writing request; the run that came through, and what was killed.

    :param asked: the writing requests of an undisturbed run
    """
    killed: Counter[str] = Counter()
    number = 1
    while True:
        lab.requests(reset=True)
        fault = lab.fault_add("hold", write=number, when=when)
        started = scenario.start(lab, play, environment=ONE_BY_ONE)
        until(lambda started=started: started.ended or _held(lab), f"{scenario.name} to be held or to end", 300)
        held = _held(lab)
        if held:
            started.kill()
            until(lambda: not _held(lab), "the lab to notice that nobody waits for the answer")
        lab.fault_clear(fault)
        if not held:
            return started.wait(), killed
        write = _named(held)
        if killed[write] < max(asked[write], 1):
            killed[write] += 1
            # A request that was killed before it took effect is the first of the next run, and has to come through there.
            number = 2 if when == "before" else 1
        else:  # what was lost with it is made anew each time, so it would never come further
            number += 1


def _held(lab: Lab) -> dict[str, Any] | None:
    return next((held for fault in lab.faults() for held in fault["held"]), None)


def _named(write: dict[str, Any]) -> str:
    """A writing request by its method and what it is about, without the ids that differ from run to run."""
    path = re.sub(r"\d+/$|\b(i|sg|eipalloc|eipassoc|eni)-[0-9a-f]+|AKIA\w+", "", write["path"])
    return f"{write['method']} {path}"
