# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""changes: one row a change, with and without a loop."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.filter.changes import changes


def test_a_loop_gives_a_row_for_each_changed_item():
    registered = {"changed": True, "results": [{"changed": True, "item": "a"}, {"changed": False, "item": "b"}]}
    assert changes(registered, "group", "make") == [{"object": "group", "name": "a", "action": "make"}]


def test_a_name_is_a_path_or_itself():
    registered = {"results": [{"changed": True, "item": {"key": "a"}}]}
    assert changes(registered, "group", "make", name="item.key")[0]["name"] == "a"
    assert changes({"changed": True}, "node", "launch", name="manager.example")[0]["name"] == "manager.example"


@pytest.mark.parametrize("registered", [None, {}, {"changed": False}, {"skipped": True, "changed": False}])
def test_what_did_not_change_gives_no_row(registered):
    assert changes(registered, "group", "make") == []
