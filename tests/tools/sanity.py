# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs `ansible-test sanity` on the staged copy of the collection, and sees to it that no test was left out.

A test that ansible-test skips counts as a failure, unless the collection has no file of the kind that it looks at.
"""

from __future__ import annotations

import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

from ansible_test._internal.python_requirements import get_venv_packages

COPY = Path(".cache/ansible_collections/pexip/infinity").absolute()
LOG = Path(".cache/reports/sanity-tools.log").absolute()
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
# What ansible-test itself writes for a test that found no file to look at.
NO_FILES = "No tests applicable."

# Stands in for pip's bootstrap script: the pip that comes with Python installs the pip that was asked for.
BOOTSTRAP = """\
import subprocess
import sys

subprocess.run([sys.executable, "-m", "ensurepip", "--default-pip"], check=True, stdout=subprocess.DEVNULL)
packages = [word for word in sys.argv[1:] if not word.startswith("-")]
subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *packages], check=True)
"""


def provide_pip_bootstrap() -> None:
    """Put pip's bootstrap script where ansible-test looks for it: the real one or, behind a closed network, ours.

    ansible-test would download it by itself, but has no way on where it cannot.
    """
    version = get_venv_packages(SimpleNamespace(version=PYTHON))["pip"]
    script = Path(f"~/.ansible/test/cache/get_pip_{version.replace('.', '_')}.py").expanduser()
    if script.exists():
        return
    url = f"https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            content = answer.read().decode()
    except (urllib.error.URLError, TimeoutError) as error:
        print(f"pip's bootstrap script cannot be downloaded ({error}): the pip that comes with Python is used")
        content = BOOTSTRAP
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(content)


def ansible_test(*options: str, **how) -> int:
    """Run `ansible-test sanity` with the version of Python that this one has; its exit status."""
    command = ["ansible-test", "sanity", "--color", "no", "--requirements", "--python", PYTHON, *options]
    return subprocess.run(command, cwd=COPY, stdin=subprocess.DEVNULL, check=False, **how).returncode


def install_tools() -> None:
    """Let ansible-test make the environments of its tests; pip's many lines are shown only when it fails."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    with LOG.open("w") as log:
        status = ansible_test("--prime-venvs", stdout=log, stderr=subprocess.STDOUT)
    if status:
        sys.exit(f"{LOG.read_text()}\nsanity: the tools could not be installed")


def outcomes() -> dict[str, str | None]:
    """Each test of ansible-test's reports, with the reason if it was skipped."""
    outcome = {}
    for report in (COPY / "tests/output/junit").glob("*.xml"):
        for case in ElementTree.parse(report).iter("testcase"):
            skipped = case.find("skipped")
            outcome[case.get("name")] = None if skipped is None else skipped.get("message") or skipped.text or "?"
    return dict(sorted(outcome.items()))


def main() -> int:
    """The exit status: 0 when every test ran and found nothing."""
    provide_pip_bootstrap()
    install_tools()
    status = ansible_test("--junit", *sys.argv[1:])
    tests = outcomes()
    not_applicable = [test for test, reason in tests.items() if reason == NO_FILES]
    left_out = {test: reason for test, reason in tests.items() if reason not in (None, NO_FILES)}
    for test in not_applicable:
        print(f"not applicable, the collection has no such files: {test}")
    for test, reason in left_out.items():
        print(f"FAILED: skipped: {test}: {reason}")
    ran = len(tests) - len(not_applicable) - len(left_out)
    failed = bool(status or left_out or not ran)
    print(f"sanity: {ran} tests ran: {'FAILED' if failed else 'passed'}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
