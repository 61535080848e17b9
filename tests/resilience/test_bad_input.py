# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module is given nonsense: it names the option and refuses before anything is written, or the platform does."""

from __future__ import annotations

import importlib
import os
import re
from typing import Any

import pytest
from ansible_collections.pexip.infinity.tests.resilience import picture
from ansible_collections.pexip.infinity.tests.resilience.bad_options import BAD, Case, cases, told_by_the_platform
from ansible_collections.pexip.infinity.tests.unit.support import run_module
from pexip_lab.client import Lab

LONGEST_MESSAGE = 5100  # characters, however long the input was
QUICK = ("pexip_location", "pexip_node", "pexip_node_maintenance", "pexip_cloud_node")


@pytest.fixture(scope="module")
def lab(lab_factory):
    """An installed platform with conf01, conf02 and onprem01, which all tests together leave as it was, object by object."""
    with lab_factory(seed="nodes") as lab:
        before = picture.take(lab)
        yield lab
        assert picture.differences(before, picture.take(lab)) == []


@pytest.fixture
def refused(lab, tmp_path, monkeypatch):
    """Runs a module that must fail and name the option."""
    for name in os.environ:
        if name.startswith("PEXIP_"):
            monkeypatch.delenv(name)

    def run(case: Case) -> dict[str, Any]:
        given = {**connection(lab), **case.options}
        if case.module == "pexip_node" and "config_path" not in given:
            given["config_path"] = str(tmp_path)
        module = importlib.import_module(f"ansible_collections.pexip.infinity.plugins.modules.{case.module}")
        result = run_module(module, **{name: value for name, value in given.items() if value is not None})
        assert result.get("failed"), f"accepted: {result['stdout'][:500]}"
        assert re.search(rf"(?<![\w.]){re.escape(case.named)}(?!\w)", result["msg"]), f"unnamed: {result['msg'][:500]}"
        assert len(result["msg"]) < LONGEST_MESSAGE
        assert "Traceback" not in result["stdout"]
        assert list(tmp_path.iterdir()) == []
        return result

    return run


def connection(lab: Lab) -> dict[str, Any]:
    """The options that lead to the platform."""
    env = lab.env
    return {
        "host": env["PEXIP_HOST"],
        "port": int(env["PEXIP_PORT"]),
        "password": env["PEXIP_PASSWORD"],
        "tls_fingerprint": env["PEXIP_TLS_FINGERPRINT"],
    }


@pytest.mark.parametrize(
    "module", [pytest.param(name, marks=[pytest.mark.quick] if name in QUICK else []) for name in BAD]
)
def test_bad_options_are_refused_by_name_before_any_write(module, lab, refused, tally):
    counted = tally("bad option of a module")
    for case in cases(module):
        lab.requests(reset=True)
        with counted.case(str(case)):
            refused(case)
            assert lab.writes_seen() == []


def test_what_only_the_platform_knows_is_told_in_its_words_and_changes_nothing(lab, refused, tally):
    counted = tally("bad option of a module, refused by the platform")
    for case in told_by_the_platform():
        with counted.case(str(case)):
            assert refused(case)["status"] == 400
