# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unit tests import the collection by its own name, `ansible_collections.pexip.infinity`, and need no environment."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def pytest_configure() -> None:
    """Refuse to test another copy of the collection than this one."""
    found = importlib.util.find_spec("ansible_collections.pexip.infinity")
    places = [Path(place).resolve() for place in found.submodule_search_locations] if found else []
    if ROOT not in places:
        raise pytest.UsageError(f"ansible_collections.pexip.infinity is not {ROOT}: run the tests by `make units`")


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller's own platform, account and certificates never reach a unit test."""
    for name in os.environ:
        if name.startswith(("PEXIP_", "AWS_")) or name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
            monkeypatch.delenv(name)
