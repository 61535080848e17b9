# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What nodes carry, and whether they still report, by the platform's own times."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.node import Load, moment, newest_report, silent
from ansible_collections.pexip.infinity.tests.unit.support import Memory

A, B = {"name": "a", "address": "10.0.0.1"}, {"name": "b", "address": "10.0.0.2"}


def test_load_is_found_under_a_nodes_name_and_its_address(serve):
    memory = Memory()
    memory.status = {
        "conference_shard": [{"node": "a"}, {"node": "10.0.0.1"}, {"node": "10.0.0.2"}, {"node": None}],
        "participant": [
            {"media_node": "10.0.0.1", "signalling_node": "10.0.0.2"},
            {"media_node": "a", "signalling_node": "10.0.0.1", "proxy_node": None},
            {},
        ],
    }
    server = serve(memory)
    load = Load.read(server.client())
    assert server.lines == ["GET conference_shard/", "GET participant/"]
    assert [load.conferences(node) for node in (A, B)] == [2, 1]
    assert [load.participants(node) for node in (A, B)] == [2, 0]
    assert [load.participants(node, "media_node", "signalling_node") for node in (A, B)] == [2, 1]


@pytest.mark.parametrize(
    ("updated", "attempted", "others", "quiet"),
    [
        ("2026-11-23T10:00:00", None, [], False),
        ("2026-11-23T10:00:00", None, ["2026-11-23T10:05:00"], False),
        ("2026-11-23T10:00:00", None, ["2026-11-23T10:05:00.000001"], True),
        ("2026-11-23T10:00:00", "2026-11-23T10:06:00", [], True),  # the platform tries, and gets no answer
        (None, "2026-11-23T10:06:00", [], True),
    ],
)
def test_a_node_is_silent_once_the_fleet_is_five_minutes_ahead_of_it(updated, attempted, others, quiet):
    row = {"last_updated": updated, "last_attempted_contact": attempted}
    assert silent(row, [row, *({"last_updated": time} for time in others)]) is quiet


def test_a_node_without_a_status_is_silent():
    assert silent(None, [{"last_updated": "2026-11-23T10:00:00"}])
    assert silent(None, [])


def test_the_newest_report_is_of_any_node_and_either_kind():
    rows = [{"last_updated": "2026-11-23T10:00:00+00:00"}, {"last_attempted_contact": "2026-11-23T10:00:01"}, {}]
    assert newest_report(rows) == moment("2026-11-23T10:00:01")
    assert newest_report([]) is None
