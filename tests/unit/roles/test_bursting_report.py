# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The README of bursting_report lists the doctor's codes as they are; run as a script it writes the table anew."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_findings import CODES

README = Path(__file__).parents[3] / "roles/bursting_report/README.md"
HEAD = "| code | usual severity | meaning |\n| --- | --- | --- |\n"


def table() -> str:
    """The codes, as they are ordered in a report."""
    rows = [f"| `{name}` | {code.severity} | {code.meaning} |\n" for name, code in CODES.items()]
    return HEAD + "".join(rows)


def test_the_readme_lists_every_code():
    assert table() in README.read_text()


if __name__ == "__main__":
    README.write_text(re.sub(re.escape(HEAD) + r"(?:\|.*\n)+", lambda unused: table(), README.read_text()))
