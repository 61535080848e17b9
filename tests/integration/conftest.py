# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixtures of the integration tests; playing.py says what they give."""

import pytest
from ansible_collections.pexip.infinity.tests.integration import playing

lab, nursery, lab_factory, warm_python = playing.lab, playing.nursery, playing.lab_factory, playing.warm_python
play, module_play = playing.play, playing.module_play

# A process plays whole files. These take the longest, so they are begun first, and no process is left with one in the end.
LONGEST = (
    "test_lifecycle",
    "test_site",
    "test_convert_nodes",
    "test_onboard_nodes",
    "test_enable_bursting",
    "test_deploy_management",
    "test_modules",
    "test_bursting_day",
    "test_installation",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first; within a file the order stays, for tests go on from one another."""
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONGEST)))
