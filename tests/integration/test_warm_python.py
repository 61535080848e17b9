# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python that runs the modules of these tests does what a cold one does; see warm_python.py."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from pexip_lab.testing import until

NO_LAB = SimpleNamespace(env={}, inventory={"all": {"hosts": {"here": {"ansible_connection": "local"}}}})
SPEAK = """
import os, sys
print(os.getcwd(), os.environ["SPOKEN"], sys.argv, __name__)
print("aside", file=sys.stderr)
sys.exit(3)
"""
TASKS = [
    {"name": "result", "ansible.builtin.ping": {"data": "æøå"}},
    {"name": "crash", "ansible.builtin.ping": {"data": "crash"}, "ignore_errors": True},
    {"name": "refusal", "ansible.builtin.file": {"path": "/nonexistent", "state": "file"}, "ignore_errors": True},
    {
        "name": "process",
        "ansible.builtin.command": {"argv": ["{{ ansible_playbook_python }}", "-c", SPEAK]},
        "environment": {"SPOKEN": "aloud"},
        "ignore_errors": True,
    },
    {"name": "our own", "pexip.infinity.pexip_location": {"host": "https://x/", "name": "x"}, "ignore_errors": True},
]


@pytest.fixture
def results(play, tmp_path):
    """What each task gives, without times."""

    def run(warm_python: str) -> dict:
        runner = type(play)(tmp_path / ("warm" if warm_python else "cold"), warm_python)
        tasks = [{"hosts": "here", "gather_facts": False, "tasks": TASKS}]
        interpreter = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        events = runner(NO_LAB, tasks, extra_vars=interpreter).succeeded().events
        shown = ("ping", "msg", "failed", "rc", "stdout_lines", "stderr_lines", "changed")
        return {e["task"]: {key: e["result"][key] for key in shown if key in e["result"]} for e in events}

    return run


def test_modules_do_the_same_as_from_a_cold_start(results, warm_python):
    if not warm_python:
        pytest.skip("PEXIP_TEST_COLD is set")
    cold = results("")
    assert len(cold) == len(TASKS) and cold["process"]["rc"] == 3
    warm = results(warm_python)
    directories = [found["process"]["stdout_lines"].pop() for found in (cold, warm)]
    assert directories[0].split()[1:] == directories[1].split()[1:]
    assert warm == cold


def test_a_module_dies_with_its_run(play, tmp_path):
    pid = tmp_path / "pid"
    argv = ["sh", "-c", f"echo $PPID > {pid}; exec tail --pid=$PPID -f /dev/null"]
    tasks = [{"hosts": "here", "gather_facts": False, "tasks": [{"ansible.builtin.command": {"argv": argv}}]}]
    interpreter = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    started = play.start(NO_LAB, tasks, extra_vars=interpreter)
    until(lambda: pid.exists() and pid.read_text().strip(), "the module to run")
    started.kill()
    until(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists(), "the module to end")
