# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's README names each variable of its argument spec in its table, with the same type, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROLES = Path(__file__).parents[3] / "roles"


def options_of(role: str) -> dict:
    """The options of a role's main entry point."""
    return yaml.safe_load((ROLES / role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]


@pytest.mark.parametrize("role", ["conferencing_node", "infinity_preflight"])
def test_variables_table_is_that_of_the_argument_specs(role):
    wanted = {
        name: option["type"] + (f" of {option['elements']}" if "elements" in option else "")
        for name, option in options_of(role).items()
    }
    rows = re.findall(rf"^\| `({role}_\w+)` \| ([^|]+?) \|", (ROLES / role / "README.md").read_text(), re.MULTILINE)
    assert dict(rows) == wanted


@pytest.mark.parametrize("role", ["conferencing_node", "infinity_preflight"])
def test_every_option_has_a_default_variable(role):
    assert set(yaml.safe_load((ROLES / role / "defaults/main.yml").read_text())) == set(options_of(role))
