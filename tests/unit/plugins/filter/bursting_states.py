# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""States of a platform for the page and the tables: a quiet day, a busy one, many nodes, long names, nothing at all."""

from __future__ import annotations

from typing import Any

OK, NEAR, REACHED = "ok", "approaching threshold", "bursting threshold reached"
LONG = "AWS Western Europe (Ireland), overflow location for London and Oslo"
HOSTILE = "<b class='x'>\"&'</b><script>alert(1)</script>"


def location(name: str, free: int, most: int, load: int = 20, threshold: int = 5, target: str = "AWS burst") -> dict:
    state = REACHED if free <= threshold else NEAR if free <= threshold + 2 else OK
    return {
        "name": name,
        "media_load": load,
        "free_hd_calls": free,
        "max_hd_calls": most,
        "overflow_location": target,
        "state": state,
    }


def overflow(name: str = "AWS burst", free: int = 10, most: int = 15, load: int = 33) -> dict:
    return {"name": name, "media_load": load, "free_hd_calls": free, "max_hd_calls": most}


def node(name: str | None, state: str = "stopped", minutes: int | None = None, load: int = 0, **other: Any) -> dict:
    return {
        "name": name,
        "location": "AWS burst" if name else None,
        "instance_id": "i-0123456789abcdef0",
        "instance_name": name,
        "address": "10.44.2.21",
        "state": state,
        "launch_time": None,
        "running_minutes": minutes,
        "media_load": load,
        "max_hd_calls": 15,
        "maintenance_mode": False,
        "in_contact": state == "running",
        "configuration_id": 1 if name else None,
        **other,
    }


def bursting(**given: Any) -> dict[str, Any]:
    return {
        "enabled": True,
        "provider": "AWS",
        "threshold": 5,
        "min_lifetime": 50,
        "tag_name": "pexip-cloud",
        "tag_value": "manager",
        "management_node": "manager",
        "locations": [],
        "overflow_locations": [],
        "nodes": [],
        "issues": [],
        **given,
    }


QUIET = bursting(
    locations=[location("London", 31, 40), location("Oslo", 13, 15)],
    nodes=[node("burst01"), node("burst02")],
)
BUSY = bursting(
    locations=[location("London", 2, 40, 95), location("Oslo", 7, 15, 55)],
    overflow_locations=[overflow()],
    nodes=[
        node("burst01", "running", 23, 33),
        node("burst02", "pending"),
        node("burst03", "running", 2, in_contact=False),
        node("burst04", "stopping"),
        node("burst05", maintenance_mode=True),
    ],
)
MANY = bursting(
    threshold=24,
    locations=[location("London", 20, 120, 83, 24), location("Bergen", 26, 75, 64, 24, "AWS burst 2")],
    overflow_locations=[overflow(free=55, most=90), overflow("AWS burst 2", 9, 30, 71)],
    nodes=[node(f"burst{n:02}", "running", n * 17, n * 5) for n in range(1, 21)],
)
LONG_NAMES = bursting(
    management_node="pexmanager-production-eu-west-1-number-one",
    locations=[location(f"{LONG}, third floor", 0, 15, 100, target=LONG), location("X" * 80, 12, 30)],
    overflow_locations=[overflow(LONG, 0, 15, 97)],
    nodes=[
        node("n" * 32, "running", 4000, 97, location=LONG, maintenance_mode=True),
        node(None, instance_name="i" * 60),
    ],
    issues=[
        "Instance left-over (with IP 10.44.2.27) was found, but no corresponding Conferencing Node has been configured"
    ],
)
EMPTY = bursting(enabled=False)
HOSTILE_NAMES = bursting(
    management_node=HOSTILE,
    locations=[location(HOSTILE, 3, 15, target=HOSTILE)],
    overflow_locations=[overflow(HOSTILE)],
    nodes=[node(HOSTILE, "running", 5, location=HOSTILE, instance_id=HOSTILE, address=HOSTILE), node(HOSTILE, HOSTILE)],
    issues=[HOSTILE],
)
FINDINGS = [
    {
        "code": code,
        "severity": severity,
        "object": HOSTILE,
        "message": f"{HOSTILE} is wrong",
        "guide": HOSTILE,
        "playbook": "pexip.infinity.enable_bursting",
        "repair": True,
        "mend": None,
        "repaired": code == "tag-wrong",
    }
    for code, severity in (
        ("tag-wrong", "error"),
        ("tag-missing", "error"),
        ("policy-broad", "warning"),
        ("transient", "information"),
    )
]
STATES = {
    "quiet": (QUIET, None),
    "well": (QUIET, []),
    "busy": (BUSY, None),
    "many": (MANY, None),
    "long names": (LONG_NAMES, FINDINGS),
    "empty": (EMPTY, None),
    "no locations": (bursting(), []),
    "hostile": (HOSTILE_NAMES, FINDINGS),
    "nothing": ({}, None),
}
