# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The coverage table: guide section -> playbook -> role -> module -> test.

Writes docs/coverage.md from docs/coverage.yml. With --check it writes nothing, and fails on a stale docs/coverage.md, on a
section of the guide without a row and, in a row that is not planned, on an empty cell, a name that does not exist, or a
module that none of the row's roles uses.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "docs/coverage.yml"
TARGET = ROOT / "docs/coverage.md"
# What is linked to in the repository, for it is not in what is built and installed.
REPOSITORY = yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]
COLUMNS = ("playbooks", "roles", "modules", "tests")

HEADER = """\
# What of the deployment guide is automated

<!-- Written from coverage.yml by tests/tools/coverage.py: do not edit. -->

| guide section | playbook | role | module | test |
| --- | --- | --- | --- | --- |
"""


def location(column: str, name: str) -> Path:
    """The file that a name in a column stands for."""
    if column == "modules" and "." in name:
        namespace, collection, module = name.split(".")
        found = importlib.util.find_spec(f"ansible_collections.{namespace}.{collection}")
        installed = Path(next(iter(found.submodule_search_locations))) if found else Path(namespace, collection)
        return installed / "plugins/modules" / f"{module}.py"
    return (
        ROOT
        / {
            "playbooks": f"playbooks/{name}.yml",
            "roles": f"roles/{name}/meta/argument_specs.yml",
            "modules": f"plugins/modules/{name}.py",
            "tests": f"tests/{name if '/' in name else 'integration/' + name}.py",
        }[column]
    )


def problems(table: dict[str, Any]) -> list[str]:
    """Everything that is wrong with the table, a line each."""
    guide, rows = table["guide"], table["rows"]
    sections = [row["section"] for row in rows]
    found = [f"no row for the guide's section: {section}" for section in guide if section not in sections]
    found += [f"not a section of the guide: {section}" for section in sections if section not in guide]
    for row in rows:
        unknown = set(row) - {"section", "planned", *COLUMNS}
        found += [f"{row['section']}: unknown column: {key}" for key in sorted(unknown)]
        if row.get("planned"):
            continue
        for column in COLUMNS:
            names = row.get(column) or []
            if not names:
                found.append(f"{row['section']}: no {column}")
            for name in names:
                if not location(column, name).is_file():
                    found.append(f"{row['section']}: {column}: {name} does not exist")
        tasks = "".join(tasks_of(role) for role in row.get("roles") or [])
        for name in row.get("modules") or []:
            if f"{name if '.' in name else 'pexip.infinity.' + name}:\n" not in tasks:
                found.append(f"{row['section']}: modules: {name} is used by none of the roles of its row")
    return found


def tasks_of(role: str) -> str:
    """The text of a role's task files."""
    return "".join(path.read_text() for path in sorted((ROOT / "roles" / role / "tasks").glob("*.yml")))


def cell(column: str, row: dict[str, Any]) -> str:
    """A cell of the table: the names, linked where they are files of this collection."""
    names = row.get(column) or []
    if row.get("planned"):
        return "*planned*" if column == "tests" else ", ".join(f"`{name}`" for name in names)
    links = []
    for name in names:
        path = location(column, name)
        target = path.parents[1] if column == "roles" else path
        base = f"{REPOSITORY}/blob/main" if column == "tests" else ".."
        links.append(f"`{name}`" if "." in name else f"[`{name}`]({base}/{target.relative_to(ROOT)})")
    return "<br>".join(links)


def page(table: dict[str, Any]) -> str:
    """The text of docs/coverage.md."""
    lines = ["| " + " | ".join([row["section"], *(cell(c, row) for c in COLUMNS)]) + " |" for row in table["rows"]]
    return HEADER + "\n".join(lines) + "\n"


def main(arguments: list[str]) -> int:
    """The exit status."""
    table = yaml.safe_load(SOURCE.read_text())
    text = page(table)
    if arguments != ["--check"]:
        TARGET.write_text(text)
        return 0
    found = problems(table)
    if not TARGET.is_file() or TARGET.read_text() != text:
        found.append("docs/coverage.md is stale: run python tests/tools/coverage.py")
    for problem in found:
        print(f"docs/coverage.yml: {problem}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
