# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random sequences of our playbooks between many random calls: nobody is ever disconnected, unless force was given."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from random import Random

from ansible_collections.pexip.infinity.tests.resilience.tally import Tally
from pexip_lab.client import Lab

RUNS = 10
STEPS_A_RUN = 22  # at least, while it goes on
LOCATIONS = ("London", "Oslo")
IMPATIENT = {
    "node_maintenance_drain_timeout": 3,
    "node_removal_drain_timeout": 3,
    "node_conversion_drain_timeout": 3,
    "node_maintenance_floor_nodes": 0,
    "node_removal_floor_nodes": 0,
}
# what a person may do on any day, in any order
JOBS: tuple[tuple[str, tuple[str, ...], dict], ...] = (
    ("stop_nodes", ("--limit", "conf01"), {"node_maintenance_on_timeout": "restore"}),
    ("stop_nodes", ("--limit", "conf02"), {}),
    ("stop_nodes", ("--limit", "burst01"), {}),
    ("start_nodes", (), {}),
    ("restart_nodes", ("--limit", "pexip_always_on"), {"node_maintenance_on_timeout": "restore"}),
    ("onboard_nodes", (), {}),
    ("enable_bursting", (), {}),
    ("convert_nodes", ("--limit", "burst02"), {}),
    ("convert_nodes", ("--limit", "conf02"), {"node_conversion_on_timeout": "restore"}),
    ("remove_nodes", ("--limit", "conf01"), {"node_removal_on_timeout": "restore"}),
    ("start_overflow_nodes", (), {"cloud_bursting_start_all": True}),
    ("check_bursting", (), {"bursting_report_repair": True, "bursting_report_fail_on": "never"}),
    ("refresh_static_nat", (), {}),
)


@dataclass
class Callers:
    """People who call, talk and leave at random."""

    lab: Lab
    chance: Random
    counted: Tally
    calls: list[str] = field(default_factory=list)

    def step(self) -> None:
        """One thing that somebody does; nobody may be thrown out by anything until then."""
        what = self.chance.choice(("start", "start", "join", "end", "time"))
        if what == "start":
            self.calls.append(self.lab.call_start(self.chance.choice(LOCATIONS), self.chance.randint(1, 6)))
        elif what == "time" or not self.calls:
            self.lab.clock_advance(f"{self.chance.randint(1, 20)}s")
        elif what == "join":
            self.lab.call_join(self.chance.choice(self.calls), self.chance.randint(1, 3))
        else:
            self.lab.call_end(self.calls.pop(self.chance.randrange(len(self.calls))))
        with self.counted.case(what):
            assert self.lab.status()["dropped"] == 0

    def leave(self) -> None:
        """Everybody hangs up."""
        self.lab.call_end()
        self.calls.clear()


def test_nobody_is_disconnected(lab_factory, play, tally, chance):
    with lab_factory(seed="bursting") as lab:
        callers = Callers(lab, chance, tally("call between playbooks"))
        done, succeeded = [], 0
        for number in range(RUNS):
            playbook, args, variables = chance.choice(JOBS)
            inventory = _converted(lab.inventory, args[1]) if playbook == "convert_nodes" else lab.inventory
            started = play.start(lab, playbook, *args, inventory=inventory, extra_vars={**IMPATIENT, **variables})
            steps = 0
            while steps < STEPS_A_RUN or not started.ended:
                callers.step()
                steps += 1
            run = started.wait()
            # it may refuse what calls or the floor forbid, and then it says so
            assert run.rc == 0 or run.failures, run.output[-4000:]
            succeeded += run.rc == 0
            done.append(f"{number} {playbook} {' '.join(args)}: {run.rc}")
            if chance.random() < 0.3:
                callers.leave()
        assert lab.status()["dropped"] == 0, done
        assert succeeded >= RUNS / 3, done


def test_with_force_they_are(lab_factory, play, tally):
    """What the other test would see if a playbook did not wait."""
    with lab_factory(seed="nodes") as lab:
        lab.call_start("London", 3)
        variables = {**IMPATIENT, "node_maintenance_on_timeout": "force"}
        play(lab, "stop_nodes", "--limit", "conf01", extra_vars=variables).succeeded()
        with tally("call dropped by force").case("stop_nodes"):
            assert lab.status()["dropped"] == 3


def _converted(inventory: dict, name: str) -> dict:
    """A node as what it is not: burst02 as an always-on node, conf02 as an overflow node."""
    changed = copy.deepcopy(inventory)
    groups = changed["all"]["children"]["pexip_nodes"]["children"]
    kinds, place = ("pexip_overflow", "pexip_always_on"), "London"
    if name in groups["pexip_always_on"]["hosts"]:
        kinds, place = ("pexip_always_on", "pexip_overflow"), "AWS burst"
    node = groups[kinds[0]]["hosts"].pop(name)
    groups[kinds[1]]["hosts"][name] = {**node, "pexip_location": place}
    return changed
