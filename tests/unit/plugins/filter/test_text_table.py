# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The text_table filter."""

from __future__ import annotations

from ansible_collections.pexip.infinity.plugins.filter.text_table import text_table


def test_columns_are_aligned_and_nested_values_found():
    rows = [{"name": "conf01", "status": {"sync": "SYNCED"}}, {"name": "c2", "status": None}]
    assert text_table(rows, {"Node": "name", "Sync": "status.sync"}) == ["Node    Sync", "conf01  SYNCED", "c2      -"]


def test_lists_are_joined_and_empty_values_marked():
    rows = [{"do": ["launch", "register"], "n": 0, "note": ""}]
    assert text_table(rows, {"Do": "do", "N": "n", "Note": "note"}, empty="none") == [
        "Do                N  Note",
        "launch, register  0  none",
    ]


def test_no_rows():
    assert text_table([], {"Node": "name"}) == ["Node"]
