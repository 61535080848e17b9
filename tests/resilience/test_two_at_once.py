# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same playbook started twice together, as two people or a schedule and a person do it.

Each run succeeds or says what it found, no duplicate stays, and whoever runs it again gets what an undisturbed run leaves.
"""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.tests.resilience import picture
from ansible_collections.pexip.infinity.tests.resilience.scenarios import sampled


@pytest.mark.parametrize("scenario", sampled("onboard_nodes"))
def test_two_at_once(scenario, lab_factory, play, undisturbed, tally):
    expected = undisturbed(scenario)
    counted = tally("two at once")
    with scenario.begun(lab_factory, play) as lab, counted.case(scenario.name):
        before = picture.take(lab)
        runs = [started.wait() for started in [scenario.start(lab, play) for _run in range(2)]]
        for run in runs:
            assert run.rc == 0 or run.failures, run.output[-4000:]
            assert "Traceback" not in run.output
        assert picture.surplus(picture.take(lab), before, expected.picture) == []
        scenario.play(lab, play).succeeded()
        assert picture.differences(expected.picture, picture.take(lab)) == []
