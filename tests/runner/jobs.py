# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs as AWX runs them: ansible-runner, a private data directory, an inventory script, credentials in the environment.

The machine that a job runs on has the built collection and amazon.aws and finds no other: neither this repository nor
what pip has installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pexip_lab.client import Lab

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
IDENT = "job"
TIMEOUT = 600  # seconds


def machine(directory: Path) -> dict[str, str]:
    """Installs the built artefact below ``directory``, as in an execution environment; gives the environment of its jobs.

    :raises subprocess.CalledProcessError: it was not built or not installed
    """
    collections, amazon = directory / "collections", directory / "collections/ansible_collections/amazon"
    amazon.mkdir(parents=True)
    (amazon / "aws").symlink_to(Path(sysconfig.get_path("purelib")) / "ansible_collections/amazon/aws")
    (directory / "home").mkdir()
    environment = {
        "PATH": os.pathsep.join([str(BIN), os.environ["PATH"]]),
        "HOME": str(directory / "home"),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
        "ANSIBLE_PIPELINING": "true",
    }

    def galaxy(*words: str | Path) -> None:
        command = [BIN / "ansible-galaxy", "collection", *words]
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)

    galaxy("build", "--output-path", directory)
    (artefact,) = directory.glob("pexip-infinity-*.tar.gz")
    galaxy("install", artefact, "--offline", "--collections-path", collections)
    return environment


@dataclass
class Job:
    """A job that was started: its processes, the last of which writes the artifacts, and where they are written to."""

    processes: list[subprocess.Popen[bytes]]
    private_data: Path
    artifacts: Path

    def wait(self) -> Job:
        """Itself, when it has ended."""
        for process in self.processes:
            process.wait(TIMEOUT)
        return self

    @property
    def output(self) -> str:
        """What Ansible printed."""
        return (self.artifacts / "stdout").read_text()

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its events, in order."""
        found = [json.loads(path.read_text()) for path in (self.artifacts / "job_events").glob("*.json")]
        return sorted(found, key=lambda event: event["counter"])

    @property
    def span(self) -> tuple[str, str]:
        """When its first and its last event were made, as ISO 8601."""
        made = [event["created"] for event in self.events]
        return made[0], made[-1]

    @property
    def files(self) -> set[Path]:
        """The files that its tasks stand in."""
        return {
            Path(event["event_data"]["task_path"].rsplit(":", 1)[0])
            for event in self.events
            if event.get("event_data", {}).get("task_path")  # a line of output alone has no data
        }

    @property
    def changed(self) -> dict[str, int]:
        """Changed tasks by host; a host without any is left out."""
        (stats,) = [event["event_data"] for event in self.events if event["event"] == "playbook_on_stats"]
        return stats["changed"]

    @property
    def status(self) -> str:
        """``successful``, ``failed``, ... as AWX shows it."""
        return (self.artifacts / "status").read_text()

    def succeeded(self) -> Job:
        """Itself, or an assertion that shows what went wrong."""
        assert self.status == "successful", self.output[-8000:]
        return self

    def failed(self) -> Job:
        """Itself, or an assertion that it should have failed."""
        assert self.status == "failed", self.output[-8000:]
        return self

    def unchanged(self) -> Job:
        """Itself, or an assertion that shows what it changed."""
        assert self.succeeded().changed == {}, self.output[-8000:]
        return self


@dataclass
class Jobs:
    """Starts jobs on a machine, which ``environment`` describes; each has a private data directory below ``directory``."""

    directory: Path
    environment: Mapping[str, str]
    started: list[Job] = field(default_factory=list)

    def prepare(
        self, lab: Lab, inventory: Mapping[str, Any], words: str, key: str | None, extra: Mapping[str, Any] | None
    ) -> Path:
        """A private data directory; ``words`` are for ansible-playbook, ``key`` is the private key for an agent."""
        private_data = self.directory / str(len(self.started))
        environment = {name: value for name, value in lab.env.items() if name.startswith(("AWS_", "PEXIP_"))}
        files = {
            # AWX, too, gives the inventory as a script that prints it.
            "inventory/hosts": f"#!/usr/bin/env python3\nprint(r'''{json.dumps(inventory)}''')\n",
            "env/envvars": yaml.safe_dump(environment),
            "env/cmdline": words,
            **({"env/ssh_key": key} if key else {}),
            **({"env/extravars": json.dumps(extra)} if extra else {}),
        }
        for name, text in files.items():
            path = private_data / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(0o700 if name == "inventory/hosts" else 0o600)
            path.write_text(text)
        (private_data / "project").mkdir()
        return private_data

    def start(
        self,
        lab: Lab,
        playbook: str,
        inventory: Mapping[str, Any],
        words: str = "",
        *,
        key: str | None = None,
        extra: Mapping[str, Any] | None = None,
        elsewhere: bool = False,
        project: bool = False,
    ) -> Job:
        """Starts a playbook of the collection.

        :param extra: extra variables, in the file in which AWX gives answers of a survey and what a credential injects
        :param project: as a file of a project, which is how AWX's job templates name it; the roles and plugins are those that are
            installed
        :param elsewhere: as AWX's mesh does it: transmitted to a worker, which has nothing but what it is sent, and whose
            results are processed here
        """
        private_data = self.prepare(lab, inventory, words, key, extra)
        name = f"pexip.infinity.{playbook}"
        if project:
            shutil.copytree(ROOT / "playbooks", private_data / "project/playbooks")
            name = f"playbooks/{playbook}.yml"
        play = [private_data, "--playbook", name, "--ident", IDENT]
        if elsewhere:
            results = private_data.with_name(f"{private_data.name}-results")
            # Only the worker has the collection.
            here = {name: value for name, value in self.environment.items() if not name.startswith("ANSIBLE_")}
            transmit = self._runner("transmit", *play, environment=here)
            worker = self._runner("worker", stdin=transmit.stdout)
            process = self._runner("process", results, "--ident", IDENT, environment=here, stdin=worker.stdout)
            processes, artifacts = [transmit, worker, process], results / "artifacts" / IDENT
            for passed_on in (transmit, worker):
                passed_on.stdout.close()  # a pipe ends when the one who writes does
        else:
            processes, artifacts = [self._runner("run", *play)], private_data / "artifacts" / IDENT
        process = processes[-1]
        self.started.append(Job(processes, private_data, artifacts))
        return self.started[-1]

    def __call__(self, *arguments: Any, **options: Any) -> Job:
        """As ``start``, and waits for the end."""
        return self.start(*arguments, **options).wait()

    def end(self) -> None:
        """Ends what still runs, as when AWX cancels a job: ansible-runner ends Ansible."""
        for process in [process for job in self.started for process in job.processes if process.poll() is None]:
            process.terminate()
            process.wait(TIMEOUT)

    def _runner(
        self, *words: str | Path, environment: Mapping[str, str] | None = None, stdin: Any = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        ends = words[0] in ("run", "process")
        return subprocess.Popen(
            [BIN / "ansible-runner", *words],
            cwd=self.directory,
            env=self.environment if environment is None else environment,
            stdin=stdin,
            stdout=subprocess.DEVNULL if ends else subprocess.PIPE,
        )


def listed(inventory: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """An inventory as AWX reads it from a project: what ansible-inventory lists."""
    source = directory / "inventory.yml"
    source.write_text(yaml.safe_dump(json.loads(json.dumps(inventory))))
    command = [BIN / "ansible-inventory", "--inventory", source, "--list"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def sliced(inventory: Mapping[str, Any], number: int, count: int) -> dict[str, Any]:
    """What AWX gives to slice ``number`` of ``count``: every count-th host of all in the order of their names, all groups."""
    hosts = sorted(inventory["_meta"]["hostvars"])[number - 1 :: count]
    groups = {
        name: {**group, **({"hosts": [host for host in group["hosts"] if host in hosts]} if "hosts" in group else {})}
        for name, group in inventory.items()
        if name != "_meta"
    }
    return {**groups, "_meta": {"hostvars": {host: inventory["_meta"]["hostvars"][host] for host in hosts}}}
