# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The labs of the integration tests, and ansible-runner with the built collection; jobs.py says how."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.pexip.infinity.tests.integration import playing
from ansible_collections.pexip.infinity.tests.runner import jobs

nursery, lab_factory, warm_python, play = playing.nursery, playing.lab_factory, playing.warm_python, playing.play


@pytest.fixture(scope="module")
def job(tmp_path_factory) -> Iterator[jobs.Jobs]:
    """Runs jobs. In the end each must have taken every task from the installed collection, or from a playbook of its project."""
    directory = tmp_path_factory.mktemp("runner")
    run = jobs.Jobs(directory, jobs.machine(directory))
    try:
        yield run
    finally:
        run.end()
    here = directory / "collections/ansible_collections/pexip/infinity"
    strangers = {
        file
        for started in run.started
        for file in started.files
        if not file.is_relative_to(here) and not file.is_relative_to(started.private_data / "project/playbooks")
    }
    assert strangers == set()
