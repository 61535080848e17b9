# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bursting status for a terminal, in the words of the status page."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.filter.bursting_lines import FilterModule
from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_words import duration, node_state, percent, share
from ansible_collections.pexip.infinity.tests.unit.plugins.filter.bursting_states import (
    BUSY,
    EMPTY,
    LONG_NAMES,
    STATES,
    bursting,
    node,
    overflow,
)

lines = FilterModule().filters()["bursting_lines"]


def finding(**given) -> dict:
    return {
        "code": "tag-missing",
        "severity": "error",
        "object": "burst01",
        "message": "burst01 has no tag",
        "guide": "How it works",
        "playbook": "pexip.infinity.enable_bursting",
        "repair": True,
        **given,
    }


def test_a_busy_day():
    assert lines(BUSY) == [
        "Bursting on manager: threshold 5 HD connections, minimum lifetime 50 minutes.",
        "",
        "Primary location  Media load  Available HD                         Overflows to",
        "London            95 %        2 of 40, bursting threshold reached  AWS burst",
        "Oslo              55 %        7 of 15, approaching threshold       AWS burst",
        "",
        "Overflow location  Media load  Available HD",
        "AWS burst          33 %        10 of 15",
        "",
        "Overflow node  Location   State                      Running for  Media load  HD  Address     Instance",
        "burst01        AWS burst  running                    23 min       33 %        15  10.44.2.21  i-0123456789abcdef0",
        "burst02        AWS burst  starting                   -            -           15  10.44.2.21  i-0123456789abcdef0",
        "burst03        AWS burst  starting                   2 min        -           15  10.44.2.21  i-0123456789abcdef0",
        "burst04        AWS burst  stopping                   -            -           15  10.44.2.21  i-0123456789abcdef0",
        "burst05        AWS burst  stopped, maintenance mode  -            -           15  10.44.2.21  i-0123456789abcdef0",
    ]


def test_a_platform_without_bursting():
    assert lines(EMPTY) == ["Bursting is not enabled."]
    assert lines({}) == ["There is no platform to ask yet."]


def test_issues_are_shown():
    shown = lines(LONG_NAMES)
    assert shown[shown.index("Issues") + 1] == LONG_NAMES["issues"][0]
    assert any("no Conferencing Node" in line for line in shown)


def test_an_overflow_location_at_its_threshold():
    assert any(
        "5 of 15, bursting threshold reached" in line for line in lines(bursting(overflow_locations=[overflow(free=5)]))
    )


def test_findings_are_told_when_they_were_asked_for():
    assert lines(EMPTY, [])[-1] == "Findings: none"
    found = [finding(), finding(severity="warning", repair=False, playbook=None), finding(repaired=True)]
    assert lines(EMPTY, found)[-4:] == [
        "Findings: 1 error, 1 warning, 1 mended",
        "ERROR tag-missing: burst01 has no tag [guide: How it works; pexip.infinity.enable_bursting; can be mended]",
        "WARNING tag-missing: burst01 has no tag [guide: How it works]",
        "MENDED tag-missing: burst01 has no tag [guide: How it works; mended]",
    ]


@pytest.mark.parametrize("state", STATES)
def test_every_state_can_be_told(state):
    shown, findings = STATES[state]
    assert all(isinstance(line, str) for line in lines(shown, findings))


@pytest.mark.parametrize(
    ("minutes", "said"), [(None, ""), (0, "0 min"), (59, "59 min"), (65, "1 h 05 min"), (24 * 60 * 2 + 185, "2 d 3 h")]
)
def test_durations(minutes, said):
    assert duration(minutes) == said


def test_figures_that_are_not_known():
    assert (percent(None), percent(33.4)) == ("", "33 %")
    assert (share(None, 10), share(5, None), share(20, 10), share(5, 10)) == (0, 0, 100, 50)
    assert node_state(node(None, "running")) == "running"
    assert node_state(node("burst01", None)) == ""
