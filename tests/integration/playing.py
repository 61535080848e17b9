# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs and playbook runs, for the tests that run against a lab.

- `lab_factory(seed=None, ...)` is a context manager that brings a lab up and takes it down again, each on a network
  of its own, so that tests in several processes (and labs within one test) do not meet.
- `lab` is an empty account, fresh for each test. A module that can share one lab among its tests makes a
  module-scoped fixture of its own: `with lab_factory(seed="nodes") as lab: yield lab`.
- `play.with_vars(lab.inventory, pexip_version="12")` is an inventory with other variables.
- `play(lab, "deploy_management", "--limit", "manager", check=True, extra_vars={...})` runs a playbook for real, in a
  process of its own, and returns a `Run`. `play.start(...)`, with the same arguments, gives back the `Started` run
  while it goes on. The modules are packed once a session and run by a Python that
  is warm (warm_python.py), unless PEXIP_TEST_COLD is set.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import yaml
from pexip_lab.client import Lab
from pexip_lab.nursery import Nursery

HERE = Path(__file__).parent
# Second octet of the first network: on-premises networks are 100 above, so there is room for about 30 from 20 on.
FIRST_OCTET = int(os.environ.get("PEXIP_TEST_OCTET", "20"))
LABS_PER_WORKER = 8  # that are up at the same time


@dataclass
class Run:
    """What a playbook run did: exit code, everything printed, the recap per host and every task's result."""

    rc: int
    output: str
    stats: dict[str, dict[str, int]]
    events: list[dict] = field(repr=False)

    @property
    def changed(self) -> int:
        """Changed tasks of all hosts together."""
        return sum(host["changed"] for host in self.stats.values())

    @property
    def changed_tasks(self) -> list[str]:
        """Names of the tasks that changed something, for a failing assertion's sake."""
        return [f"{e['host']}: {e['task']}" for e in self.events if e["changed"]]

    @property
    def failures(self) -> list[str]:
        """Messages of the tasks that failed (rescued ones too), in order."""
        return [
            str(result.get("msg", result))
            for event in self.events
            if event["status"] in ("failed", "unreachable")
            for result in [event["result"], *(r for r in event["result"].get("results", []) if r.get("failed"))]
        ]

    def results(self, task: str, host: str | None = None) -> list[dict]:
        """Results of the tasks whose name contains `task`."""
        return [e["result"] for e in self.events if task in e["task"] and host in (None, e["host"])]

    def succeeded(self) -> Run:
        """Itself, or an assertion that shows what went wrong."""
        assert self.rc == 0, "\n".join([f"exit code {self.rc}", *self.failures, self.output[-8000:]])
        return self

    def unchanged(self) -> Run:
        """Itself, or an assertion that names the tasks that changed something."""
        self.succeeded()
        assert self.changed_tasks == [] and self.changed == 0, [e for e in self.events if e["changed"]]
        return self

    def failed(self) -> Run:
        """Itself, or an assertion that it should have failed."""
        assert self.rc != 0, self.output[-8000:]
        return self


@dataclass
class Started:
    """A playbook run that goes on."""

    process: subprocess.Popen
    directory: Path

    @property
    def ended(self) -> bool:
        """Whether it is over."""
        return self.process.poll() is not None

    def kill(self) -> None:
        """Kills it with all its children, as a machine that loses power does."""
        # Ansible's workers have sessions of their own, so a process group would not hold them.
        run = psutil.Process(self.process.pid)
        for process in (run, *run.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()

    def wait(self, timeout: float = 900) -> Run:
        """What it did, when it has ended. `timeout`: seconds; who takes longer is killed."""
        try:
            self.process.wait(timeout)
        except BaseException:
            self.kill()
            raise
        record = self.directory / "events.jsonl"
        lines = [json.loads(line) for line in record.read_text().splitlines()] if record.exists() else []
        stats = next((line["stats"] for line in lines if "stats" in line), {})
        events = [line for line in lines if "stats" not in line]
        return Run(self.process.returncode, (self.directory / "output").read_text(errors="replace"), stats, events)


@dataclass
class Play:
    """Runs playbooks of the collection, or files, against a lab. Its call is documented in the module's docstring."""

    directory: Path
    warm_python: str = ""
    count: Iterator[int] = field(default_factory=itertools.count)

    def __call__(
        self,
        lab: Lab,
        playbook: str | Path | list[dict],
        *args: str,
        check: bool = False,
        extra_vars: dict | None = None,
        inventory: dict | None = None,
        environment: dict[str, str] | None = None,
        timeout: float = 900,
    ) -> Run:
        """As `start`, and waits for the end. `timeout`: seconds."""
        started = self.start(
            lab, playbook, *args, check=check, extra_vars=extra_vars, inventory=inventory, environment=environment
        )
        return started.wait(timeout)

    def start(
        self,
        lab: Lab,
        playbook: str | Path | list[dict],
        *args: str,
        check: bool = False,
        extra_vars: dict | None = None,
        inventory: dict | None = None,
        environment: dict[str, str] | None = None,
    ) -> Started:
        """
        `playbook`: a name in the collection (deploy_management), a path, or the plays themselves as data.
        `inventory`: instead of the lab's own. `environment`: on top of the lab's.
        """
        run = self.directory / str(next(self.count))
        run.mkdir(parents=True)
        # One inventory a test: what lies beside it (known hosts) outlives a run, as it does for a person.
        hosts = self.directory / "inventory.yml"
        hosts.write_text(yaml.safe_dump(_plain(inventory or lab.inventory)))
        if isinstance(playbook, list):
            target = run / "playbook.yml"
            target.write_text(yaml.safe_dump(playbook))
        else:
            named = isinstance(playbook, str) and not playbook.endswith((".yml", ".yaml"))
            target = f"pexip.infinity.{playbook}" if named else playbook
        command = [Path(sys.executable).with_name("ansible-playbook"), target, "--inventory", hosts, *args]
        command += ["--check", "--diff"] if check else []
        command += ["--extra-vars", json.dumps(extra_vars)] if extra_vars else []
        record = run / "events.jsonl"
        with open(run / "output", "w") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=run,
                env={**_environment(), **lab.env, **self._plugins(record), **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return Started(process, run)

    def _plugins(self, record: Path) -> dict[str, str]:
        """What the tests' own plugins want to know."""
        warm = {}
        if self.warm_python:
            packed = Path(self.warm_python).with_name("packed")
            packed.mkdir(exist_ok=True)
            warm = {"PEXIP_TEST_WARM_PYTHON": self.warm_python, "PEXIP_TEST_PACKED": str(packed)}
        return {"PEXIP_TEST_RECORD": str(record), **warm}

    @staticmethod
    def with_vars(inventory: dict, **changes) -> dict:
        """A copy of an inventory with other variables for all hosts; None takes one away."""
        changed = _plain(inventory)
        variables = changed["all"].setdefault("vars", {})
        variables.update(changes)
        for name in [name for name, value in variables.items() if value is None]:
            del variables[name]
        return changed


def _plain(data: dict) -> dict:
    return json.loads(json.dumps(data))


def _environment() -> dict[str, str]:
    """The caller's environment without its own ideas of AWS, Pexip or Ansible."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PEXIP_", "ANSIBLE_", "LAB_"))}
    return {
        **clean,
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "plugins" / "callback"),
        "ANSIBLE_CALLBACKS_ENABLED": "record",
        "ANSIBLE_CONNECTION_PLUGINS": str(HERE / "plugins" / "connection"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_LOCALHOST_WARNING": "0",
        "ANSIBLE_INJECT_INVOCATION": "1",  # 2.21 asks for it: what a module was given is to be judged, and searched for secrets
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts labs faster."""
    with Nursery() as nursery:
        yield nursery


@pytest.fixture(scope="session")
def lab_factory(tmp_path_factory, request, nursery) -> Callable[..., contextlib.AbstractContextManager[Lab]]:
    """A context manager that yields a running lab; see the module's docstring."""
    worker = int((getattr(request.config, "workerinput", None) or {}).get("workerid", "gw0").removeprefix("gw"))
    free = [FIRST_OCTET + worker * LABS_PER_WORKER + number for number in range(LABS_PER_WORKER)]

    @contextlib.contextmanager
    def factory(seed: str | None = None, **options) -> Iterator[Lab]:
        octet = free.pop(0)
        try:
            network = f"127.{octet}.0.0/16"
            lab = Lab.up(tmp_path_factory.mktemp("lab"), seed=seed, network=network, start=nursery.start, **options)
            try:
                yield lab
            finally:
                lab.down()
        finally:
            free.append(octet)

    return factory


def add_locations(lab: Lab, *names: str) -> None:
    """System locations for an installed platform, with the DNS and NTP servers that it has."""
    configuration = "/api/admin/configuration/v1"
    servers = {
        f"{kind}_servers": [row["resource_uri"] for row in lab.api(f"{configuration}/{kind}_server/")["objects"]]
        for kind in ("dns", "ntp")
    }
    for name in names:
        lab.api(f"{configuration}/system_location/", "POST", {"name": name, **servers})


@pytest.fixture
def lab(lab_factory) -> Iterator[Lab]:
    """A fresh lab with an empty account."""
    with lab_factory() as lab:
        yield lab


@pytest.fixture(scope="session")
def warm_python(tmp_path_factory) -> Iterator[str]:
    """The socket of the Python that runs the modules; see warm_python.py."""
    if os.environ.get("PEXIP_TEST_COLD"):
        yield ""
        return
    # Not below pytest's own directory: a socket's path is short.
    with tempfile.TemporaryDirectory() as directory:
        place = f"{directory}/python"
        command = [sys.executable, str(HERE / "warm_python.py"), place]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()) as server:
            assert server.stdout.readline() == b"ready\n"
            yield place
            server.stdin.close()


@pytest.fixture
def play(tmp_path, warm_python) -> Play:
    """Runs playbooks; see the module's docstring."""
    return Play(tmp_path / "play", warm_python)


@pytest.fixture(scope="module")
def module_play(tmp_path_factory, warm_python) -> Play:
    """As `play`, for module-scoped fixtures."""
    return Play(tmp_path_factory.mktemp("play"), warm_python)
