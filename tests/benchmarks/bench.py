#!/usr/bin/env python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The performance claims, measured against labs of their own: `make bench`.

- A pexip_node task that finds nothing to do against an ansible.builtin.uri GET of the same node: many of both, in turns, in
  one playbook run, so that whatever else the machine does hits both alike. The ratio of the medians is the figure.
- The requests that each playbook costs, the first time and when there is nothing left to do.

Exits with 1 when a goal is missed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pexip_lab.client import Lab

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("PEXIP_BENCH_ROUNDS", "30"))
WARM_UP = 2  # rounds that do not count
GOAL = 1.1  # no-op pexip_node to uri
NODE = "no-op pexip_node, 1 GET"
NODE_REFERENCE = "no-op pexip_node with a reference, 2 GETs"
URI = "ansible.builtin.uri, 1 GET"


@dataclass
class Measured:
    """One line of the table; without a goal it is for information."""

    what: str
    figure: str
    goal: str = ""
    met: bool = True


@contextlib.contextmanager
def lab(octet: int, seed: str | None = None) -> Iterator[Lab]:
    """A lab for one measurement."""
    state = tempfile.mkdtemp(prefix="pexip-bench-")
    running = Lab.up(state, seed=seed, network=f"127.{octet}.0.0/16")
    try:
        yield running
    finally:
        running.down()
        shutil.rmtree(state)


def play(running: Lab, playbook: str, inventory: Any) -> list[dict[str, Any]]:
    """Runs a playbook and returns what the callback saw of every task; a run that fails ends the benchmark."""
    with tempfile.TemporaryDirectory() as directory:
        record, hosts = Path(directory, "record"), Path(directory, "hosts.json")
        hosts.write_text(json.dumps(inventory))
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "PEXIP_", "AWS_"))}
        environment = {
            **kept,
            **running.env,
            "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "durations",
            "ANSIBLE_PIPELINING": "true",
            "PEXIP_BENCH_RECORD": str(record),
        }
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", str(hosts), playbook]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(f"{playbook} failed:\n{ended.stdout[-6000:]}{ended.stderr[-2000:]}")
        return [json.loads(line) for line in record.read_text().splitlines()]


def comparison(environment: dict[str, str]) -> list[dict[str, Any]]:
    """The playbook that runs the tasks in turns."""
    node = {
        "name": "conf01",
        "node_type": "CONFERENCING",
        "maintenance_mode": False,
        "enable_distributed_database": True,
    }
    uri = {
        "url": f"https://{environment['PEXIP_HOST']}:{environment['PEXIP_PORT']}/api/admin/configuration/v1/worker_vm/?name=conf01",
        "url_username": environment["PEXIP_USERNAME"],
        "url_password": environment["PEXIP_PASSWORD"],
        "force_basic_auth": True,
        "validate_certs": False,
    }
    turn = [
        {"name": NODE, "pexip.infinity.pexip_node": node},
        {"name": URI, "ansible.builtin.uri": uri},
        {"name": NODE_REFERENCE, "pexip.infinity.pexip_node": {**node, "system_location": "London"}},
    ]
    return [{"hosts": "localhost", "gather_facts": False, "tasks": turn * (WARM_UP + ROUNDS)}]


def measure_tasks() -> list[Measured]:
    """The time of a task that finds nothing to do."""
    with lab(97, "nodes") as running, tempfile.TemporaryDirectory() as directory:
        playbook = Path(directory, "bench.yml")
        playbook.write_text(yaml.safe_dump(comparison(running.env), sort_keys=False))
        variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        tasks = play(running, str(playbook), {"all": {"hosts": {"localhost": variables}}})
        writes = running.writes()
    if writes or any(task["changed"] for task in tasks):
        raise SystemExit(f"{writes} writes: these tasks should find nothing to do")
    seconds: dict[str, list[float]] = {}
    for task in tasks:
        seconds.setdefault(task["task"], []).append(task["seconds"])
    medians = {name: statistics.median(times[WARM_UP:]) for name, times in seconds.items()}
    lines = [Measured(f"{name} (median of {ROUNDS})", f"{1000 * value:.0f} ms") for name, value in medians.items()]
    for name in (NODE, NODE_REFERENCE):
        ratio = medians[name] / medians[URI]
        lines.append(Measured(f"{name} / uri", f"{ratio:.2f}", f"at most {GOAL}", ratio <= GOAL))
    return lines


def summary(requests: dict[str, int]) -> tuple[str, str]:
    """Requests to the management API and to AWS: the sum, and what they were, most frequent first."""
    figures = []
    for ours in (True, False):
        counted = Counter({name: count for name, count in requests.items() if name.startswith("aws ") is not ours})
        kinds = ", ".join(f"{count} {name.removeprefix('aws ')}" for name, count in counted.most_common(6))
        figures.append(f"{counted.total()} ({kinds}{', ...' if len(counted) > 6 else ''})" if counted else "0")
    return figures[0], figures[1]


def measure_playbooks() -> list[Measured]:
    """The requests of each playbook for a platform with four nodes: made from nothing, and found as it should be."""
    lines = []
    for playbooks in (("deploy_management", "onboard_nodes"), ("site",)):
        with lab(98) as running:
            for playbook in playbooks:
                for which in ("first run", "second run"):
                    lines += measure_run(running, playbook, which)
    return lines


def measure_run(running: Lab, playbook: str, which: str) -> list[Measured]:
    """The requests of one run; a second one has the goal to change nothing."""
    running.requests(reset=True)
    tasks = play(running, f"pexip.infinity.{playbook}", running.inventory)
    api, aws = summary(running.requests())
    lines = [Measured(f"{playbook}, {which}: API requests", api), Measured(f"{playbook}, {which}: AWS requests", aws)]
    if which == "second run":
        changed = [task["task"] for task in tasks if task["changed"]]
        writes = running.writes()
        lines.append(Measured(f"{playbook}, {which}: requests that write", str(writes), "0", writes == 0))
        lines.append(Measured(f"{playbook}, {which}: changed tasks", ", ".join(changed) or "0", "0", not changed))
    return lines


def table(lines: list[Measured]) -> str:
    """The figures in columns."""
    rows = [("measured", "figure", "goal", "")]
    rows += [
        (line.what, line.figure, line.goal, "" if not line.goal else "met" if line.met else "MISSED") for line in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in (0, 2)]
    return "\n".join(f"{what:{widths[0]}}  {goal:{widths[1]}}  {met:6}  {figure}" for what, figure, goal, met in rows)


def main() -> int:
    """Measures, prints, and says whether every goal was met."""
    lines = measure_tasks() + measure_playbooks()
    print(table(lines))
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
