# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module against every fault of the API.

A module brings about exactly what was asked for, or fails with an error that names object and cause. Either way a second
run, without the fault, ends with what was asked for, once, and a third one changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils import client, registration
from ansible_collections.pexip.infinity.tests.resilience import works
from ansible_collections.pexip.infinity.tests.resilience.works import Bench, Work, shown

FROM_THE_SECOND = "from the second request on"
WRITES = ("POST", "PATCH", "DELETE")


@dataclass(frozen=True)
class Fault:
    """A fault of the API and what an error must say of it.

    :param place: the requests that read, those that write, the connection that all of them share, or all but the first
    :param lasting: whether it strikes until it is cleared, or once
    """

    kind: str
    options: dict[str, Any]
    cause: str
    place: str
    lasting: bool

    def __str__(self) -> str:
        said = [self.kind, *(f"{name} {value}" for name, value in self.options.items() if name != "seconds")]
        return f"{' '.join(said)}, {'lasting' if self.lasting else 'once'}-{self.place}"

    def add(self, bench: Bench) -> None:
        """Lets it happen from now on."""
        where: list[dict[str, Any]] = {
            "read": [{"method": "GET"}],
            "write": [{"method": method} for method in WRITES],
            "connection": [{}],
            FROM_THE_SECOND: [{"nth": 2}],
        }[self.place]
        times = {} if self.lasting else {"times": 1}
        for options in where:
            bench.lab.fault_add(self.kind, "api", **options, **times, **self.options)


NO_DOCUMENT = "without giving its configuration document"
BROKEN = "broke before the answer came|no connection to|TLS with"
# Kind, options, cause, and whether before and after the effect are different things.
REQUESTS: list[tuple[str, dict[str, Any], str, bool]] = [
    ("delay", {"seconds": 30}, "timed out", True),
    ("status", {"status": 429}, r"limits the rate of requests \(429\)", False),
    ("status", {"status": 429, "retry_after": 1}, r"limits the rate of requests \(429\)", False),
    *(("status", {"status": status}, rf"\({status}\)", True) for status in (500, 502, 503, 504)),
    ("reset", {}, BROKEN, True),
    ("truncate", {}, f"{BROKEN}|{NO_DOCUMENT}", False),
    ("garbage", {}, f"not a JSON object|{NO_DOCUMENT}", False),
    ("slow", {"seconds": 1}, "never", False),
    ("unauthorized", {}, r"refuses user 'admin' \(401\)", False),
]
CONNECTIONS = [
    ("refuse", {}, "Connection refused"),
    ("abort", {}, BROKEN),
    ("expired-certificate", {}, "certificate"),
]


def faults(work: Work) -> Iterator[Fault]:
    """Every fault in every place where it can strike this work."""
    for kind, options, cause, either in REQUESTS:
        # Where each attempt would have to wait it would only be long; 503 stands for its likes.
        waits = kind in ("delay", "slow") or "retry_after" in options or options.get("status") in (502, 504)
        for lasting in (False,) if waits else (False, True):
            if not (work.writes and lasting):
                yield Fault(kind, options, cause, "read", lasting)
            for when in (({"when": "before"}, {"when": "after"}) if either else ({},)) if work.writes else ():
                yield Fault(kind, {**options, **when}, cause, "write", lasting)
    for kind, options, cause in CONNECTIONS:
        yield Fault(kind, options, cause, "connection", True)
    yield Fault("unauthorized", {}, r"\(401\)", FROM_THE_SECOND, True)


def cases() -> Iterator[Any]:
    """Every work with every fault."""
    for work in works.ALL:
        for fault in faults(work):
            quick = fault.place == "write" and (
                work.name == "register a node" or work.name == "create a location" and not fault.lasting
            )
            yield pytest.param(
                work,
                fault,
                id=f"{work.module.__name__.rpartition('.')[2]}-{work}-{fault}",
                marks=[pytest.mark.quick] if quick else [],
            )


@pytest.fixture(scope="module")
def bench(lab_factory, tmp_path_factory):
    """A platform that bursts."""
    with lab_factory(seed="bursting") as lab:
        yield Bench(lab, tmp_path_factory.mktemp("documents"))


@pytest.mark.parametrize(("work", "fault"), cases())
def test_a_module_meets_a_fault_of_the_api(work, fault, bench, tally, monkeypatch):
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.02)  # how long it waits is no question here
    monkeypatch.setattr(registration, "HANDING_OVER", 0.0)
    with tally("faults of the API, module by module").case(f"{work}: {fault}"):
        bench.wait_for_room()
        work.begin(bench)
        fault.add(bench)
        try:
            result = bench.run(work.module, work.options(bench), timeout=1 if fault.kind == "delay" else 10)
            hits = sum(item["hits"] for item in bench.lab.faults())
        finally:
            bench.lab.fault_clear()
        told(result, (*work.names, bench.host), fault.cause, bench)
        assert hits or fault.kind == "refuse" and result.get("failed"), "the fault never struck"
        if not result.get("failed"):
            done(work, result, bench)
        second = bench.run(work.module, work.options(bench))
        assert not second.get("failed"), shown(second)
        third = bench.run(work.module, work.options(bench))
        assert not third.get("failed") and not third["changed"], shown(third)
        done(work, third, bench)


def told(result: dict[str, Any], names: tuple[str, ...], cause: str, bench: Bench) -> None:
    """A failure names object or host, and its cause; nothing that is printed is secret, nor a traceback."""
    for secret in bench.secrets():
        assert secret not in result["stdout"], f"{secret}: {shown(result)}"
    assert "Traceback" not in result["stdout"] and "exception" not in result, shown(result)
    if result.get("failed"):
        assert any(name in result["msg"] for name in names), shown(result)
        assert re.search(cause, result["msg"]), f"{cause}: {shown(result)}"


def done(work: Work, result: dict[str, Any], bench: Bench) -> None:
    """What was asked for is there, once, or has been told."""
    found = work.state(bench) if work.state else work.result(result)  # type: ignore[misc]
    assert found == work.wished(bench), f"{found}: {shown(result)}"
