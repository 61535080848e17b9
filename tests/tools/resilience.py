# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Closes the output of `make resilience`: one table of what was tried, kind by kind, and what was survived.

Usage: resilience.py REPORT, a JUnit file whose test cases have the properties kind, cases, of (how many there could be) and
survived.
Exit status 1 when something was not survived, or a kind of attack was not tried at all.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from xml.etree import ElementTree

from ansible_collections.pexip.infinity.tests.resilience.tally import KINDS


def main(report: str) -> int:
    """Print the table; the exit status."""
    quick = bool(os.environ.get("QUICK"))
    cases: Counter[str] = Counter()
    possible: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for test in ElementTree.parse(report).iter("testcase"):
        found = {item.get("name"): item.get("value") for item in test.iter("property")}
        if "kind" in found:
            cases[found["kind"]] += int(found["cases"])
            possible[found["kind"]] += int(found["of"])
            survived[found["kind"]] += int(found["survived"])
    width = max(map(len, ["Kind", *cases]))
    print(f"\nSeed {os.environ.get('PEXIP_TEST_SEED') or 1}\n")
    print(f"{'Kind':{width}}  {'Cases':>6}  {'Of':>6}  {'Survived':>8}")
    for kind in sorted(cases):
        print(f"{kind:{width}}  {cases[kind]:6}  {possible[kind]:6}  {survived[kind]:8}")
    print(f"{'All':{width}}  {cases.total():6}  {possible.total():6}  {survived.total():8}")
    untried = [kind for kind in (cases if quick else KINDS) if not cases[kind]]
    if untried:
        print(f"\nNot tried: {', '.join(untried)}")
    return int(not cases or bool(untried) or cases != survived)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
