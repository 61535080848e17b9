# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight's verdict as a whole; its rules are tested by subject beside this file."""

from __future__ import annotations

from ansible_collections.pexip.infinity.plugins.filter.preflight import preflight
from ansible_collections.pexip.infinity.tests.unit.plugins.filter.plans import changed, good_plan, judged, several


def test_a_good_plan_gives_no_warning():
    assert preflight(good_plan()) == {"errors": [], "warnings": []}


def test_all_problems_at_once():
    changes = (
        changed("nodes.0.private_ip", "10.0.0.1"),
        changed("nodes.1.location", "Lisbon"),
        changed("version", ""),
        changed("setup.management_cidrs", []),
    )
    assert len(judged(several(*changes))["errors"]) == 4


def test_a_sentence_is_said_once():
    """The installation's servers are the platform's, too."""
    wrong = several(changed("management.dns_servers", ["ten"]), changed("setup.dns_servers", ["ten"]))
    assert len(judged(wrong)["errors"]) == 1
