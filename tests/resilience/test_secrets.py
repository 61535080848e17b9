# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret is seen: not in what a run prints, logs, caches or leaves on disk, nor among the arguments of its processes.

Every playbook is killed in the midst of a request, then fails, then comes through, at ``-vvvv`` with ``--diff``, a log and a
cache of facts, in a home and with temporary directories of its own. All that is there afterwards is searched.
"""

from __future__ import annotations

import dataclasses
import functools
import socket
import subprocess
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pexip.infinity.tests.integration.playing import Play, Started
from ansible_collections.pexip.infinity.tests.resilience.leaks import Search, Watch
from ansible_collections.pexip.infinity.tests.resilience.scenarios import SCENARIOS, Scenario
from pexip_lab.client import Lab
from pexip_lab.testing import until

KIND = "secrets sought after a run"
# Escaped or quoted somewhere, folded at its hyphens, and of a meaning to templates, shells and URLs.
AWKWARD = """-&%2f'"\\\\<e>{#+ $(x)-"""
PRIVATE_KEY = "-----BEGIN PRIVATE KEY-----\nPlantedPrivateKeyLine1Planted1\nPlantedPrivateKeyLine2Planted2\n-----END PRIVATE KEY-----\n"
# What a configuration document has and nothing else, so one is known that was never uploaded, too.
DOCUMENT = "<conferencing_node_config"


@dataclass
class Room:
    """A place where runs leave all that they write. What is in it, and what was seen of their processes, is searched.

    ``secrets`` are those that the inventory refers to, as variables of the environment, and ``paths`` what is none.
    Without a ``warm_python`` each module is a process of Ansible's own, whose children are seen, too.
    """

    directory: Path
    secrets: dict[str, str] = field(default_factory=dict)
    warm_python: str = ""
    paths: dict[str, str] = field(default_factory=dict)
    arguments: set[bytes] = field(default_factory=set)

    def __post_init__(self) -> None:
        for name in ("home", "tmp", "local", "remote", "facts"):
            (self.directory / name).mkdir(parents=True)
        self.play = Play(self.directory / "play", self.warm_python)

    @property
    def remote(self) -> Path:
        """Where modules lie while they run, without pipelining."""
        return self.directory / "remote"

    def environment(self) -> dict[str, str]:
        """What keeps a run in here, and has it tell as much as it can."""
        return {
            "HOME": f"{self.directory}/home",
            "TMPDIR": f"{self.directory}/tmp",
            "ANSIBLE_HOME": f"{self.directory}/home/.ansible",
            "ANSIBLE_LOCAL_TEMP": f"{self.directory}/local",
            "ANSIBLE_REMOTE_TEMP": f"{self.remote}",
            "ANSIBLE_LOG_PATH": f"{self.directory}/log",
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": f"{self.directory}/facts",
            "ANSIBLE_RETRY_FILES_ENABLED": "1",
            "ANSIBLE_RETRY_FILES_SAVE_PATH": f"{self.directory}/retry",
            "ANSIBLE_VERBOSITY": "4",
            "ANSIBLE_DIFF_ALWAYS": "1",
        }

    @contextmanager
    def watched(
        self, start: Callable[..., Started], pipelining: bool = True, **environment: str
    ) -> Iterator[tuple[Started, Watch]]:
        """A run, whose processes are watched as long as it is; it is over afterwards."""
        piped = {"ANSIBLE_PIPELINING": str(int(pipelining))}
        started = start(environment={**self.environment(), **self.secrets, **self.paths, **piped, **environment})
        with Watch(started.process.pid) as watch:
            try:
                yield started, watch
            finally:
                if not started.ended:
                    started.kill()
        self.arguments |= watch.arguments

    def leaks(self, lab: Lab) -> list[str]:
        """Where a secret is seen."""
        search = Search({**known(lab), **self.secrets})
        seen = [found for line in sorted(self.arguments) for found in search.text(line, f"arguments: {line[:200]!r}")]
        return seen + search.files(self.directory)


def known(lab: Lab) -> dict[str, str]:
    """The secrets that a lab holds and gives out, by a name for each."""
    named = ("PEXIP_PASSWORD", "PEXIP_ADMIN_PASSWORD", "PEXIP_NODE_PASSWORD", "AWS_SECRET_ACCESS_KEY")
    made = {f"{kind} {n}": secret for kind, secrets in lab.secrets().items() for n, secret in enumerate(secrets)}
    key = Path(lab.env["LAB_KEY_FILE"]).read_text()
    return {name: lab.env[name] for name in named} | made | {"private key": key, "configuration document": DOCUMENT}


@dataclass(frozen=True)
class Attack:
    """A playbook, and the request (as faults know it) in which it is killed, and by whose refusal it fails."""

    scenario: Scenario
    on: str
    method: str
    match: str = ""

    def __str__(self) -> str:
        return self.scenario.name

    def struck(self, lab: Lab, kind: str, **options: Any) -> str:
        """Lets the request go wrong before it takes effect."""
        where = {"method": self.method, "when": "before", **({"match": self.match} if self.match else {})}
        return lab.fault_add(kind, self.on, **where, **options)

    @contextmanager
    def running(self, lab: Lab, room: Room, **options: Any) -> Iterator[tuple[Started, Watch]]:
        """A run that goes on."""
        with room.watched(lambda **given: self.scenario.start(lab, room.play, **given), **options) as both:
            yield both

    def killed(self, lab: Lab, room: Room, **options: Any) -> None:
        """A run that is killed while the request is on its way."""
        fault = self.struck(lab, "hold")
        with self.running(lab, room, **options) as (started, _watch):
            until(lambda: started.ended or _held(lab), f"{self} to be held or to end", 300)
            assert _held(lab), started.wait().output[-4000:]
            started.kill()
        lab.fault_clear(fault)

    def failing(self, lab: Lab, room: Room, **options: Any) -> None:
        """A run that fails."""
        fault = self.struck(lab, "status", status=403)
        with self.running(lab, room, **options) as (started, _watch):
            started.wait().failed()
        lab.fault_clear(fault)

    def succeeding(self, lab: Lab, room: Room, **options: Any) -> None:
        """A run that comes through."""
        with self.running(lab, room, **options) as (started, _watch):
            run = started.wait().succeeded()
        assert "Using module file" in run.output  # it told all that it can


def _held(lab: Lab) -> bool:
    return any(fault["held"] for fault in lab.faults())


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def _from_environment(name: str) -> str:
    return f"{{{{ lookup('ansible.builtin.env', '{name}') }}}}"


def _given_secrets(inventory: dict) -> None:
    """All secrets that a Management Node and its platform can be given."""
    inventory["all"]["vars"] |= {
        "pexip_private_key_file": _from_environment("PEXIP_KEY_FILE"),
        "pexip_private_key_passphrase": _from_environment("PEXIP_KEY_PASSPHRASE"),
        "pexip_licences": [_from_environment("PEXIP_LICENCE")],
        "infinity_platform_global_settings": {
            "aws_access_key": "AKIAPLANTED",
            "azure_tenant": "tenant",
            "gcp_client_email": "planted@example.com",
            "legacy_api_username": "planted",
            **{
                name: _from_environment(f"PEXIP_{name.upper()}")
                for name in (
                    "aws_secret_key",
                    "azure_client_id",
                    "azure_secret",
                    "gcp_private_key",
                    "legacy_api_password",
                )
            },
        },
    }


def _scenario(name: str, **changes: Any) -> Scenario:
    return dataclasses.replace(SCENARIOS[name], **changes)


DEPLOYED = Attack(_scenario("deploy_management", adapt=_given_secrets), "api", "PATCH", "/global/")
ONBOARDED = Attack(SCENARIOS["onboard_nodes"], "node", "POST")
LIFECYCLE = [
    Attack(SCENARIOS["stop_nodes"], "aws", "StopInstances"),
    Attack(_scenario("start_nodes", first=None), "aws", "StartInstances"),
    Attack(SCENARIOS["restart_nodes"], "aws", "StopInstances"),
    Attack(SCENARIOS["refresh_static_nat"], "api", "PATCH", "/worker_vm/"),
    Attack(SCENARIOS["remove_nodes"], "aws", "TerminateInstances"),
]
BURSTING = [
    Attack(SCENARIOS["enable_bursting"], "api", "PATCH", "/global/"),
    Attack(_scenario("convert_to_overflow", prepare=lambda lab: None), "api", "PATCH", "/worker_vm/"),
]
BURSTS = [
    Attack(Scenario("bursting_status", "bursting_status", "bursting"), "api", "GET", "/cloud_node/"),
    Attack(SCENARIOS["start_overflow_nodes"], "api", "POST", "/start_cloudnode/"),
    Attack(SCENARIOS["check_bursting"], "aws", "CreateTags"),
    Attack(Scenario("site", "site", "bursting"), "api", "GET", "/global/"),
]


def _bare(room: Room, tasks: list[dict]) -> Callable[..., Started]:
    """Starts a run of these tasks, which needs no lab."""
    python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    content = {"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": python, "tasks": tasks}
    return functools.partial(room.play.start, types.SimpleNamespace(env={}), [content], inventory={"all": {}})


@pytest.mark.quick
def test_what_a_run_shows_is_found(tmp_path):
    """In each of the places where nothing may be found after the runs below."""
    secret = f"Planted-control{AWKWARD}"
    room = Room(tmp_path / "room", {"PEXIP_PLANTED": secret})
    planted = "{{ lookup('ansible.builtin.env', 'PEXIP_PLANTED') }}"
    tasks = [
        {"ansible.builtin.set_fact": {"planted": planted, "cacheable": True}},
        {
            "ansible.builtin.copy": {
                "content": "{{ planted | b64encode }}",
                "dest": f"{room.directory}/tmp/left",
                "mode": "0600",
            }
        },
        {"ansible.builtin.command": {"argv": ["sh", "-c", "tail -f /dev/null; :", planted]}},
    ]
    search = Search(room.secrets)
    with room.watched(_bare(room, tasks)) as (started, watch):
        until(lambda: any(search.text(line, "arguments") for line in set(watch.arguments)), "the process to be seen")
    found = search.files(room.directory)
    for place in ("play/0/output", "play/0/events.jsonl", "log", "facts/", "tmp/left"):
        assert any(line.startswith(f"PEXIP_PLANTED in {place}") for line in found), (place, found)


@pytest.mark.quick
@pytest.mark.parametrize("pipelining", [True, False], ids=["with pipelining", "without pipelining"])
def test_a_killed_module_leaves_its_file_only_without_pipelining(pipelining, tmp_path, tally):
    """As the README says; nobody else can read it."""
    counted = tally(KIND)
    room = Room(tmp_path / "room", {"PEXIP_PLANTED": f"Planted-killed{AWKWARD}"})
    with socket.create_server(("127.0.0.1", 0)) as silent, counted.case(f"killed, {pipelining=}"):
        options = {
            "host": "127.0.0.1",
            "port": silent.getsockname()[1],
            "password": "{{ lookup('ansible.builtin.env', 'PEXIP_PLANTED') }}",
        }
        tasks = [{"pexip.infinity.pexip_node_info": options}]
        with room.watched(_bare(room, tasks), pipelining) as (started, _watch):
            silent.settimeout(120)
            with silent.accept()[0]:  # the module is at work
                started.kill()
        left = Search(room.secrets).files(room.directory)
        assert bool(left) != pipelining
        assert all(found.startswith("PEXIP_PLANTED in remote/") for found in left)
        assert all(path.stat().st_mode & 0o777 == 0o700 for path in room.remote.iterdir())
        assert not pipelining or _files(room.remote) == []


@pytest.mark.parametrize("attacks", [LIFECYCLE, BURSTING, BURSTS], ids=["lifecycle", "bursting", "bursts"])
def test_playbooks_on_a_platform(attacks, lab_factory, tmp_path, warm_python, tally):
    counted = tally(KIND)
    room = Room(tmp_path / "room", warm_python=warm_python)
    with lab_factory(seed=attacks[0].scenario.seed) as lab:
        for attack in attacks:
            attack.scenario.prepare(lab)
            for end in (attack.killed, attack.failing, attack.succeeding):
                with counted.case(f"{attack}, {end.__name__}"):
                    end(lab, room)
                    assert room.leaks(lab) == []
                    assert _files(room.remote) == []


def test_a_management_node_with_all_its_secrets(lab_factory, tmp_path, tally):
    counted = tally(KIND)
    with lab_factory() as lab:
        secrets = {
            "PEXIP_PASSWORD": f"Planted-web{AWKWARD}",
            "PEXIP_ADMIN_PASSWORD": f"Planted-unix{AWKWARD}",
            "PEXIP_KEY_PASSPHRASE": "Planted passphrase 'of' the key",
            "PEXIP_LICENCE": "11112222-planted-3333",
            "PEXIP_AWS_SECRET_KEY": "Planted/aws+secret/key",
            "PEXIP_AZURE_CLIENT_ID": "Planted-azure-client",
            "PEXIP_AZURE_SECRET": f"Planted-azure{AWKWARD}",
            "PEXIP_GCP_PRIVATE_KEY": PRIVATE_KEY,
            "PEXIP_LEGACY_API_PASSWORD": f"Planted-legacy{AWKWARD}",
        }
        room = Room(tmp_path / "room", secrets)
        key = _encrypted(Path(lab.env["LAB_KEY_FILE"]), tmp_path / "key", secrets["PEXIP_KEY_PASSPHRASE"])
        room.paths["PEXIP_KEY_FILE"] = str(key)
        with counted.case("deploy_management, killed in the dialogue"):
            with DEPLOYED.running(lab, room) as (started, watch):
                until(lambda: started.ended or _dialled(watch), "the login", 300)
                assert not started.ended, started.wait().output[-4000:]
                started.kill()
            assert room.leaks(lab) == []
        for end in (DEPLOYED.failing, DEPLOYED.succeeding):
            with counted.case(f"{DEPLOYED}, {end.__name__}"):
                end(lab, room)
                assert room.leaks(lab) == []
                assert _files(room.remote) == []
        with counted.case("deploy_management: files"):
            directory = room.play.directory / ".pexip"
            assert directory.stat().st_mode & 0o777 == 0o700
            assert [path.stat().st_mode & 0o777 for path in directory.iterdir()] == [0o600]


def _dialled(watch: Watch) -> bool:
    return any(b"ssh -tt " in line for line in set(watch.arguments))


def _encrypted(key: Path, copy: Path, passphrase: str) -> Path:
    """A copy of a private key with a passphrase, which is nowhere in a room."""
    copy.write_bytes(key.read_bytes())
    copy.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", str(copy)], check=True)
    return copy


def test_conferencing_nodes_and_their_documents(lab_factory, tmp_path, tally):
    counted = tally(KIND)
    with lab_factory(seed=ONBOARDED.scenario.seed) as lab:
        ONBOARDED.scenario.prepare(lab)
        given = {"PEXIP_NODE_PASSWORD": f"Planted-node{AWKWARD}"}
        room = Room(tmp_path / "room", given)
        for end in (ONBOARDED.killed, ONBOARDED.failing):
            with counted.case(f"{ONBOARDED}, {end.__name__}"):
                end(lab, room)
                assert room.leaks(lab) == []
                assert _files(room.remote) == []
        again = Room(tmp_path / "again", given)
        with counted.case(f"{ONBOARDED}, succeeding, without pipelining"):
            ONBOARDED.succeeding(lab, again, pipelining=False)
            assert again.leaks(lab) == []
            assert _files(again.remote) == []
