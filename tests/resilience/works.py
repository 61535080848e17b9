# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What each module is asked to do on a platform that bursts, how the platform tells that it is done, and the way back."""

from __future__ import annotations

import json
import time
import warnings
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import requests
from ansible_collections.pexip.infinity.plugins.modules import (
    pexip_bursting_info,
    pexip_cloud_node,
    pexip_global_settings,
    pexip_location,
    pexip_node,
    pexip_node_info,
    pexip_node_maintenance,
    pexip_resource,
    pexip_resource_info,
)
from ansible_collections.pexip.infinity.tests.unit.support import run_module
from pexip_lab.client import Lab
from pexip_lab.document import Document, parse
from pexip_lab.testing import until

CONFIGURATION = "/api/admin/configuration/v1/"
STATUS = "/api/admin/status/v1/"
# Planted where secrets go.
NODE_PASSWORD = "Planted-node-password"
API_PASSWORD = "Planted-api-password"
SINK_PASSWORD = "Planted-sink-password"
# A Management Node serves so many requests in so many seconds; one case takes fewer than the last number.
LIMIT, SECONDS, CASE = 1000, 60, 200


@dataclass
class Bench:
    """A platform, and a directory for what modules write."""

    lab: Lab
    directory: Path

    def __post_init__(self) -> None:
        env = self.lab.env
        self.host, self.password = env["PEXIP_HOST"], env["PEXIP_PASSWORD"]
        self.session = requests.Session()
        self.session.auth = (env["PEXIP_USERNAME"], self.password)
        self.octet = env["LAB_NETWORK"].split(".")[1]
        self.connection = {
            "host": self.host,
            "port": int(env["PEXIP_PORT"]),
            "password": self.password,
            "tls_fingerprint": env["PEXIP_TLS_FINGERPRINT"],
            "timeout": 10,
        }
        self.served: deque[tuple[float, int]] = deque()

    def wait_for_room(self) -> None:
        """Waits until a case does not meet the Management Node's own limit of requests, which is no fault of the case."""

        def room() -> bool:
            now, count = time.monotonic(), sum(n for name, n in self.lab.requests().items() if "aws " not in name)
            while self.served and self.served[0][0] < now - SECONDS:
                self.served.popleft()
            if self.served and count - self.served[0][1] > LIMIT - CASE:
                return False
            self.served.append((now, count))
            return True

        until(room, "the Management Node to have room for a case", 2 * SECONDS)

    def run(self, module: ModuleType, options: dict[str, Any], **connection: Any) -> dict[str, Any]:
        """Runs a module on the platform."""
        return run_module(module, **{**self.connection, **options, **connection})

    def rows(self, resource: str, **identity: Any) -> list[dict[str, Any]]:
        """The platform's objects with these values."""
        objects = self.ask(f"{CONFIGURATION}{resource}/?limit=0").json()["objects"]
        return [row for row in objects if all(row.get(key) == value for key, value in identity.items())]

    def ask(self, path: str, method: str = "GET", **values: Any) -> requests.Response:
        """A request as the web administrator, on a connection that is kept."""
        url = f"https://{self.host}:{self.connection['port']}{path}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the test asks its own lab
            answer = self.session.request(method, url, json=values or None, verify=False, timeout=60)
        answer.raise_for_status()
        return answer

    def fields(self, resource: str, names: list[str], **identity: Any) -> list[list[Any]]:
        """Some fields of the objects with these values."""
        return [[row[name] for name in names] for row in self.rows(resource, **identity)]

    def create(self, resource: str, **values: Any) -> None:
        """Makes an object as the web administrator does."""
        self.ask(f"{CONFIGURATION}{resource}/", "POST", **values)

    def change(self, resource: str, values: dict[str, Any], **identity: Any) -> None:
        """Changes an object as the web administrator does."""
        (row,) = self.rows(resource, **identity)
        self.ask(row["resource_uri"], "PATCH", **values)

    def delete(self, resource: str, **identity: Any) -> None:
        """Deletes the objects with these values as the web administrator does."""
        for row in self.rows(resource, **identity):
            self.ask(row["resource_uri"], "DELETE")

    def secrets(self) -> list[str]:
        """What no output may hold; of a configuration document its token."""
        return [self.password, NODE_PASSWORD, API_PASSWORD, SINK_PASSWORD, "<token>", "conferencing_node_config"]


@dataclass(frozen=True)
class Work:
    """One task for one module.

    :param options: the module's options
    :param begin: brings the platform to where the task has something to do, whatever it is like
    :param state: what the platform tells of what the task is about
    :param wished: what `state` gives when the task is done
    :param result: of an info module, what its result tells (and `wished` is meant so)
    :param names: what an error may call the object
    """

    name: str
    module: ModuleType
    options: Callable[[Bench], dict[str, Any]]
    wished: Callable[[Bench], Any]
    begin: Callable[[Bench], None] = lambda bench: None
    state: Callable[[Bench], Any] | None = None
    result: Callable[[dict[str, Any]], Any] | None = None
    names: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return self.name

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.state is not None


BERGEN = {"name": "Bergen"}
SINK = {"name": "sink"}
NODE = {"name": "conf77"}


def _london(bench: Bench) -> str:
    return bench.rows("system_location", name="London")[0]["resource_uri"]


def _location(bench: Bench) -> dict[str, Any]:
    return {**BERGEN, "dns_servers": [f"127.{bench.octet}.0.2"], "mtu": 1400, "overflow_location1": "London"}


def _node(bench: Bench) -> dict[str, Any]:
    return {
        **NODE,
        "hostname": "conf77",
        "domain": "example.com",
        "address": f"127.{bench.octet}.0.77",
        "subnet": f"127.{bench.octet}.0.0/20",
        "system_location": "London",
        "node_password": NODE_PASSWORD,
        "config_path": str(bench.directory),
    }


def _document(bench: Bench) -> Document | None:
    """The configuration document in the directory; a ValueError if it is none."""
    files = list(bench.directory.iterdir())
    assert len(files) <= 1, files
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    return parse(files[0].read_bytes()) if files else None


def _no_node(bench: Bench) -> None:
    bench.delete("worker_vm", **NODE)
    for file in bench.directory.iterdir():
        file.unlink()


def _a_node(bench: Bench) -> None:
    if not bench.rows("worker_vm", **NODE):
        asked = {name: value for name, value in _node(bench).items() if name not in ("subnet", "config_path")}
        place = {"netmask": "255.255.240.0", "gateway": f"127.{bench.octet}.0.1", "system_location": _london(bench)}
        secret = {"password": asked.pop("node_password"), "deployment_type": "MANUAL-PROVISION-ONLY"}
        bench.create("worker_vm", **asked | place | secret)


def _registered(bench: Bench) -> Any:
    document = _document(bench)
    return bench.fields("worker_vm", ["address", "netmask"], **NODE), document and (document.name, document.address)


def _serves(bench: Bench) -> None:
    bench.change("worker_vm", {"maintenance_mode": False, "maintenance_mode_reason": ""}, name="conf01")


def _maintenance(bench: Bench) -> list[list[Any]]:
    return bench.fields("worker_vm", ["maintenance_mode", "maintenance_mode_reason"], name="conf01")


def _burst01(bench: Bench) -> dict[str, Any]:
    return next(item for item in bench.lab.status()["instances"] if item["name"] == "burst01")


def _rests(bench: Bench) -> None:
    """burst01 is stopped, and the platform knows it."""
    instance = _burst01(bench)
    if instance["state"] != "stopped":
        # EC2 stops no instance that is still pending.
        until(lambda: _burst01(bench)["state"] == "running", "burst01 to run")
        bench.lab.ec2().stop_instances(InstanceIds=[instance["id"]])
    until(
        lambda: (
            [n["aws_instance_state"] for n in _cloud_nodes(bench) if n["aws_instance_name"] == "burst01"] == ["stopped"]
        ),
        "burst01 to be seen stopped",
    )


def _cloud_nodes(bench: Bench) -> list[dict[str, Any]]:
    return bench.ask(f"{STATUS}cloud_node/?limit=0").json()["objects"]


ALL = [
    Work(
        "create a location",
        pexip_location,
        _location,
        lambda bench: [[1400, _london(bench)]],
        begin=lambda bench: bench.delete("system_location", **BERGEN),
        state=lambda bench: bench.fields("system_location", ["mtu", "overflow_location1"], **BERGEN),
        names=("Bergen",),
    ),
    Work(
        "delete a location",
        pexip_location,
        lambda bench: {**BERGEN, "state": "absent"},
        lambda bench: [],
        begin=lambda bench: bench.rows("system_location", **BERGEN) or bench.create("system_location", **BERGEN),
        state=lambda bench: bench.rows("system_location", **BERGEN),
        names=("Bergen",),
    ),
    Work(
        "register a node",
        pexip_node,
        _node,
        lambda bench: ([[f"127.{bench.octet}.0.77", "255.255.240.0"]], ("conf77", f"127.{bench.octet}.0.77")),
        begin=_no_node,
        state=_registered,
        names=("conf77",),
    ),
    Work(
        "delete a node",
        pexip_node,
        lambda bench: {**NODE, "state": "absent"},
        lambda bench: [],
        begin=_a_node,
        state=lambda bench: bench.rows("worker_vm", **NODE),
        names=("conf77",),
    ),
    Work(
        "maintenance",
        pexip_node_maintenance,
        lambda bench: {"name": ["conf01"], "reason": "works"},
        lambda bench: [[True, "pexip.infinity: works"]],
        begin=_serves,
        state=_maintenance,
        names=("conf01",),
    ),
    Work(
        "drain",
        pexip_node_maintenance,
        lambda bench: {"name": ["conf01"], "reason": "works", "drain": True},
        lambda bench: [[True, "pexip.infinity: works"]],
        begin=_serves,
        state=_maintenance,
        names=("conf01",),
    ),
    Work(
        "end of maintenance",
        pexip_node_maintenance,
        lambda bench: {"name": ["conf01"], "state": "absent"},
        lambda bench: [[False, ""]],
        begin=lambda bench: bench.change(
            "worker_vm",
            {"maintenance_mode": True, "maintenance_mode_reason": "pexip.infinity: works"},
            name="conf01",
        ),
        state=_maintenance,
        names=("conf01",),
    ),
    Work(
        "start an overflow node",
        pexip_cloud_node,
        lambda bench: {"name": ["burst01"], "wait": False},
        lambda bench: True,
        begin=_rests,
        state=lambda bench: _burst01(bench)["state"] in ("pending", "running"),
        names=("burst01",),
    ),
    Work(
        "change the global settings",
        pexip_global_settings,
        lambda bench: {"site_banner": "Faults", "legacy_api_username": "api", "legacy_api_password": API_PASSWORD},
        lambda bench: [["Faults", "api"]],
        begin=lambda bench: bench.change("global", {"site_banner": "", "legacy_api_username": ""}),
        state=lambda bench: bench.fields("global", ["site_banner", "legacy_api_username"]),
        names=("global settings",),
    ),
    Work(
        "create a resource",
        pexip_resource,
        lambda bench: {
            "resource": "event_sink",
            "identity": SINK,
            "settings": {"url": "https://sink.example.com/", "username": "public", "password": SINK_PASSWORD},
        },
        lambda bench: [["https://sink.example.com/", "public"]],
        begin=lambda bench: bench.delete("event_sink", **SINK),
        state=lambda bench: bench.fields("event_sink", ["url", "username"], **SINK),
        names=("event_sink 'sink'",),
    ),
    Work(
        "change a resource",
        pexip_resource,
        lambda bench: {"resource": "system_location", "identity": {"name": "Oslo"}, "settings": {"mtu": 1300}},
        lambda bench: [[1300]],
        begin=lambda bench: bench.change("system_location", {"mtu": 1500}, name="Oslo"),
        state=lambda bench: bench.fields("system_location", ["mtu"], name="Oslo"),
        names=("Oslo",),
    ),
    Work(
        "read nodes",
        pexip_node_info,
        lambda bench: {"name": ["conf01", "burst02"]},
        lambda bench: [["conf01", "London", True], ["burst02", "AWS burst", True]],
        result=lambda result: [[n["name"], n["system_location"], n["registered"]] for n in result["nodes"]],
    ),
    Work(
        "read bursting",
        pexip_bursting_info,
        lambda bench: {},
        lambda bench: [["London", "Oslo"], ["burst01", "burst02"]],
        result=lambda result: [
            sorted(item["name"] for item in result["bursting"][key]) for key in ("locations", "nodes")
        ],
    ),
    Work(
        "read a resource",
        pexip_resource_info,
        lambda bench: {"resource": "system_location", "filters": {"name": "London"}},
        lambda bench: ["London"],
        result=lambda result: [item["name"] for item in result["resources"]],
    ),
]


def shown(result: dict[str, Any]) -> str:
    """A module's result for an assertion's message."""
    return json.dumps({name: value for name, value in result.items() if name not in ("stdout", "invocation")})[:2000]
