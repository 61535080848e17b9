# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark as a test, for a report: `pytest -s` shows its table."""

from __future__ import annotations

from ansible_collections.pexip.infinity.tests.benchmarks import bench


def test_every_goal_is_met():
    lines = bench.measure_tasks() + bench.measure_playbooks()
    print("\n" + bench.table(lines))
    assert [f"{line.what}: {line.figure} (goal {line.goal})" for line in lines if not line.met] == []
