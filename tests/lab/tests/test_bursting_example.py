"""The guide's worked example, row by row (Detailed example of the overflow process)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

STATUS = "/api/admin/status/v1/"
NODES = "/api/admin/configuration/v1/worker_vm/"
LOCATIONS = "/api/admin/configuration/v1/system_location/"

# the guide's words for a node, by the state of its instance and whether it is available
NOT_RUNNING, STARTING, RUNNING, SHUTTING_DOWN = "Not running", "starting", "Running", "Shutting down"
WORDS = {"stopped": NOT_RUNNING, "pending": STARTING, "stopping": SHUTTING_DOWN}


class Example:
    """London with 2 x 20 connections overflows to "AWS burst" with the nodes A and B, 20 connections each."""

    def __init__(self, lab):
        self.lab = lab
        (london,) = self._rows(f"{LOCATIONS}?name=London")
        (second,) = self._rows(f"{NODES}?name=conf02")
        lab.api(second["resource_uri"], "PATCH", {"system_location": london["resource_uri"]})
        self.advance(lambda: self.london() == 40, "conf02 to restart in London")

    def _rows(self, path: str) -> list[dict[str, Any]]:
        return self.lab.api(path)["objects"]

    def london(self) -> int | None:
        """London's free connections; None until the engine has looked for the first time."""
        rows = self._rows(f"{STATUS}cloud_monitored_location/")
        return {row["name"]: row["free_hd_calls"] for row in rows}.get("London")

    def overflow(self) -> int:
        (row,) = self._rows(f"{STATUS}cloud_overflow_location/")
        return row["free_hd_calls"]

    def nodes(self) -> dict[str, dict[str, Any]]:
        return {row["cloud_instance_name"]: row for row in self._rows(f"{STATUS}cloud_node/")}

    def word(self, name: str) -> str:
        """The status of an overflow node in the guide's words."""
        return self.words()[name]

    def words(self) -> dict[str, str]:
        return {
            name: WORDS.get(row["cloud_instance_state"]) or (STARTING if row["media_load"] is None else RUNNING)
            for name, row in self.nodes().items()
        }

    def state(self) -> tuple[int | None, str, str, int]:
        """What stands in a row: London's capacity, the status of A and B, the overflow location's capacity."""
        words = self.words()
        return self.london(), words["burst01"], words["burst02"], self.overflow()

    def history(self) -> list[tuple[str, str]]:
        return [(entry["action"], entry["node"]) for entry in self.lab.status()["bursting"]]

    def row(self, london: int, a: str, b: str, overflow: int) -> None:
        """Wait until the platform shows a row; every row has been seen before the next action."""
        self.wait(lambda: self.state() == (london, a, b, overflow), (london, a, b, overflow))

    def wait(self, condition: Callable[[], bool], what: object, step: str | None = None) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, f"waited for {what}; there is {self.state()}, {self.history()}"
            if step:
                self.lab.clock_advance(step)
            time.sleep(0.1)

    def advance(self, condition: Callable[[], bool], what: str) -> None:
        """Let lab time go by until something is so."""
        self.wait(condition, what, "30s")

    def until_age(self, name: str, age: timedelta) -> None:
        """Move the time on until a node has been running for so long."""
        launched = datetime.fromisoformat(self.nodes()[name]["cloud_instance_launch_time"])
        now = datetime.fromisoformat(self.lab.status()["time"]).replace(tzinfo=None)
        self.lab.clock_advance(f"{(launched + age - now).total_seconds()}s")


@pytest.fixture
def example(another_lab) -> Example:
    # slowly, so that nothing but what the example says takes time: a lab minute is six seconds
    return Example(another_lab("bursting", capacities={"c4.2xlarge": 20}, time_scale=10))


def test_the_worked_example(example):
    lab = example.lab
    a, b = "burst01", "burst02"

    # 1. No conferences in progress
    example.row(40, NOT_RUNNING, NOT_RUNNING, 0)
    # 1. A conference starts and has 33 participants
    call = lab.call_start("London", 33)
    example.row(6, NOT_RUNNING, NOT_RUNNING, 0)
    assert example.history() == []

    # 2. 1 more participant joins: primary location threshold reached
    lab.call_join(call, 1)
    example.row(5, STARTING, NOT_RUNNING, 0)
    began = datetime.fromisoformat(example.nodes()[a]["cloud_instance_launch_time"])
    # 3. Overflow capacity becomes available
    example.advance(lambda: example.word(a) == RUNNING, "node A")
    example.row(5, RUNNING, NOT_RUNNING, 20)
    took = datetime.fromisoformat(lab.status()["time"]).replace(tzinfo=None) - began
    assert timedelta(minutes=5) <= took <= timedelta(minutes=7), "approximately 5 minutes"

    # 4. 5 more participants join
    lab.call_join(call, 5)
    example.row(0, RUNNING, NOT_RUNNING, 20)
    # 5. 1 more participant joins: call media handled by overflow node A
    lab.call_join(call, 1)
    example.row(0, RUNNING, NOT_RUNNING, 18)
    # 6. 12 more participants join: all handled by overflow node A
    lab.call_join(call, 12)
    example.row(0, RUNNING, NOT_RUNNING, 6)
    assert example.history() == [("start", a)]

    # 7. 1 more participant joins: overflow location threshold reached
    lab.call_join(call, 1)
    example.row(0, RUNNING, STARTING, 5)
    # 8. Additional overflow capacity becomes available
    example.advance(lambda: example.word(b) == RUNNING, "node B")
    example.row(0, RUNNING, RUNNING, 25)
    # 9. 7 more participants join: handled by overflow nodes A and B
    lab.call_join(call, 7)
    example.row(0, RUNNING, RUNNING, 17)
    assert lab.status()["calls"][0]["nodes"] == {"conf01": 20, "conf02": 19, a: 19, b: 2}

    # 10. Conference ends: overflow nodes remain available
    lab.call_end(call)
    example.row(40, RUNNING, RUNNING, 40)
    # 11. A new conference starts with 25 participants
    second = lab.call_start("London", 25)
    example.row(14, RUNNING, RUNNING, 40)
    assert example.history() == [("start", a), ("start", b)]

    # 12. Overflow node A is unused and has been running for 50 minutes
    example.until_age(a, timedelta(minutes=49))
    example.row(14, RUNNING, RUNNING, 40)
    example.until_age(a, timedelta(minutes=50))
    example.row(14, SHUTTING_DOWN, RUNNING, 20)
    example.advance(lambda: example.word(a) == NOT_RUNNING, "node A to stop")
    assert example.history()[2:] == [("stop", a)]
    # 13. Overflow node B is unused and has been running for 50 minutes
    example.until_age(b, timedelta(minutes=50))
    example.row(14, NOT_RUNNING, SHUTTING_DOWN, 0)
    # 14. Conference ends
    lab.call_end(second)
    example.advance(lambda: example.word(b) == NOT_RUNNING, "node B to stop")
    example.row(40, NOT_RUNNING, NOT_RUNNING, 0)

    assert example.history() == [("start", a), ("start", b), ("stop", a), ("stop", b)]
    assert (lab.status()["rejected"], lab.status()["dropped"]) == (0, 0)
