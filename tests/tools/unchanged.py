# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a playbook run's output and fails unless its recap has hosts, and each with changed=0 and failed=0.

Usage: unchanged.py FILE
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

RECAP = re.compile(r"^(?P<host>\S+)\s*:\s*ok=\d+\s+changed=(?P<changed>\d+)\s+unreachable=\d+\s+failed=(?P<failed>\d+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main(output: str) -> int:
    """Print the verdict; the exit status."""
    hosts = [match for line in output.splitlines() if (match := RECAP.match(COLOUR.sub("", line)))]
    if not hosts:
        print("FAILED: the output has no recap")
        return 1
    changed = [match["host"] for match in hosts if match["changed"] != "0" or match["failed"] != "0"]
    if changed:
        print(f"FAILED: the second run changed something on: {', '.join(changed)}")
        return 1
    print(f"changed=0 on all {len(hosts)} hosts: run again, it changes nothing.")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).read_text()))
