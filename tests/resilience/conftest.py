# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the attacks share: labs and runs as the integration tests have them, a seed, and a tally for the table.

- `tally(kind)` counts cases; it is closed when the test ends.
- `chance` is the test's own random generator, from PEXIP_TEST_SEED and the test's name.
- `undisturbed(scenario)` is the picture of what an undisturbed run of a scenario leaves behind.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.pexip.infinity.tests.integration import playing
from ansible_collections.pexip.infinity.tests.integration.playing import Play
from ansible_collections.pexip.infinity.tests.resilience import picture
from ansible_collections.pexip.infinity.tests.resilience.scenarios import Scenario
from ansible_collections.pexip.infinity.tests.resilience.tally import Tally

lab, nursery, lab_factory, warm_python = playing.lab, playing.nursery, playing.lab_factory, playing.warm_python
play, module_play = playing.play, playing.module_play

SEED = os.environ.get("PEXIP_TEST_SEED") or "1"


def pytest_report_header() -> str:
    """The seed, so that a failure can be had again."""
    return f"seed: {SEED} (PEXIP_TEST_SEED)"


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Random choices that the same seed makes again."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def tally(record_property) -> Iterator[Callable[[str], Tally]]:
    """Begins a tally."""
    begun: list[Tally] = []

    def begin(kind: str) -> Tally:
        begun.append(Tally(kind, record_property))
        return begun[-1]

    yield begin
    for one in begun:
        one.close()


@dataclass(frozen=True)
class Undisturbed:
    """What an undisturbed run did and left: writing requests, names of the tasks that were not skipped, the picture."""

    writes: list[dict[str, Any]]
    tasks: list[str]
    picture: dict[str, Any]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory, lab_factory, warm_python) -> Callable[[Scenario], Undisturbed]:
    """Plays each scenario once without a disturbance."""
    known: dict[str, Undisturbed] = {}

    def find(scenario: Scenario) -> Undisturbed:
        if scenario.name not in known:
            runner = Play(tmp_path_factory.mktemp("undisturbed"), warm_python)
            with scenario.begun(lab_factory, runner) as lab:
                lab.requests(reset=True)
                run = scenario.play(lab, runner).succeeded()
                tasks = list(dict.fromkeys(event["task"] for event in run.events if event["status"] == "ok"))
                known[scenario.name] = Undisturbed(lab.writes_seen(), tasks, picture.take(lab))
        return known[scenario.name]

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A scenario's tests share what an undisturbed run of it left, and a file's other tests their lab: one process each."""
    for item in items:
        scenario = item.callspec.params.get("scenario") if hasattr(item, "callspec") else None
        item.add_marker(pytest.mark.xdist_group(str(scenario or item.path.stem)))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Scenarios by their names."""
    return str(val) if isinstance(val, Scenario) else None
