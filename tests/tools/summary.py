# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closes the output of `make test`: each part with its time, and the tests of pytest counted together.

Usage: summary.py DIRECTORY, which holds PART.status files ("exit status, seconds") and PART.xml files (JUnit).
Exit status 1 when a part failed, when a test failed, or when one was skipped for want of anything but a browser.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

PARTS = ("lint", "sanity", "units", "integration", "molecule", "resilience")


# The reasons for which a test may be skipped: nobody has to install a browser for `make test`, and the ansible packages for
# newer Pythons come without awx.awx, which no server is asked for here.
ALLOWED = {"no Chromium is installed", "this ansible package has no awx.awx"}


def count(reports: Path) -> Counter[str]:
    """Tests of all JUnit files by outcome: passed, failed, skipped."""
    outcomes: Counter[str] = Counter()
    for report in sorted(reports.glob("*.xml")):
        for suite in ElementTree.parse(report).iter("testsuite"):
            failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
            skipped = int(suite.get("skipped", 0))
            allowed = sum(item.get("message") in ALLOWED for item in suite.iter("skipped"))
            outcomes["failed"] += failed
            outcomes["skipped"] += skipped - allowed
            outcomes["passed"] += int(suite.get("tests", 0)) - failed - skipped
    return outcomes


def main(reports: Path) -> int:
    """Print the summary; the exit status."""
    failed = False
    print("\n==== summary")
    for part in PARTS:
        status, seconds = map(int, (reports / f"{part}.status").read_text().split())
        failed = failed or status != 0
        print(f"{part:12} {'passed' if status == 0 else 'FAILED'}  {seconds // 60}:{seconds % 60:02}")
    tests = count(reports)
    if tests["skipped"]:
        print(f"FAILED: {tests['skipped']} tests were skipped; see the logs in {reports}")
        failed = True
    if not tests["passed"]:
        print("FAILED: no test ran")
        failed = True
    skipped = f", {tests['skipped']} skipped" if tests["skipped"] else ""
    print(f"{tests['passed']} passed, {tests['failed']} failed{skipped}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
