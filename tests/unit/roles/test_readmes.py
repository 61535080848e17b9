# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's README, defaults and argument specs say the same, and its example is what its molecule scenario runs.

After a change to the specs or defaults, `python tests/unit/roles/test_readmes.py` writes the tables anew.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
ROLES = sorted(path.parent.name for path in (ROOT / "roles").glob("*/README.md"))
HEAD = "| variable | default | meaning |\n| --- | --- | --- |\n"
TABLE = re.compile(re.escape(HEAD) + r"(?:\|.*\n)+")


def load(role: str, name: str) -> Any:
    return yaml.safe_load((ROOT / "roles" / role / name).read_text())


def options(role: str) -> dict[str, dict]:
    """The options of all entry points, in the order in which they are specified."""
    specs = load(role, "meta/argument_specs.yml")["argument_specs"]
    return {name: option for spec in specs.values() for name, option in spec.get("options", {}).items()}


def plain(text: str) -> str:
    """A description with Ansible's markup as Markdown."""
    return re.sub(
        r"\b[OVCMEFP]\((?:pexip\.infinity\.(?=\w+#role))?((?:[^()\\]|\\.)*)\)",
        lambda match: f"`{match[1].split(':')[-1].removesuffix('#role')}`",
        " ".join(text.split()),
    )


def default(name: str, option: dict, given: Any) -> str:
    """The shared variable that a default takes up, and the value where that is not set either."""
    shared = re.search(r"\bpexip_(?!infinity\b)\w+", str(given)) if isinstance(given, str) else None
    value = option.get("default", None if isinstance(given, str) and "{{" in given else given)
    said = [f"`{shared[0]}`"] if shared else []
    if value not in (None, "", [], {}):
        said.append(f"`{str(value).lower() if isinstance(value, bool) else value}`")
    return ", else ".join(said)


def table(role: str) -> str:
    """The table of the role's variables."""
    defaults = load(role, "defaults/main.yml") or {}
    rows = []
    for name, option in options(role).items():
        said = option["description"]
        meaning = plain(said if isinstance(said, str) else " ".join(said))
        rows.append(f"| `{name}` | {default(name, option, defaults.get(name))} | {meaning} |\n")
    return HEAD + "".join(rows)


@pytest.mark.parametrize("role", ROLES)
def test_the_table_of_variables_is_that_of_the_argument_specs(role):
    assert table(role) in (ROOT / "roles" / role / "README.md").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_every_default_is_specified(role):
    assert set(load(role, "defaults/main.yml") or {}) <= set(options(role))


@pytest.mark.parametrize("role", ROLES)
def test_the_example_is_what_molecule_runs(role):
    converge = (ROOT / "extensions/molecule" / role / "converge.yml").read_text()
    assert f"```yaml\n{converge}```" in (ROOT / "roles" / role / "README.md").read_text()


@pytest.mark.parametrize("role", ROLES)
def test_the_permissions_are_named(role):
    assert "## IAM permissions" in (ROOT / "roles" / role / "README.md").read_text()


if __name__ == "__main__":
    for name in ROLES:
        readme = ROOT / "roles" / name / "README.md"
        readme.write_text(TABLE.sub(lambda unused, role=name: table(role), readme.read_text()))
