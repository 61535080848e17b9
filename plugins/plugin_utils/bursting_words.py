# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of the page Status > Cloud Bursting (guide, "Viewing cloud bursting status"), for terminals and pages alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.pexip.infinity.plugins.filter.text_table import text_table

OK, NEAR, REACHED = "ok", "approaching threshold", "bursting threshold reached"
STOPPED, STARTING, RUNNING, STOPPING = "stopped", "starting", "running", "stopping"

# What EC2 calls it: what a person does.
STATES = {"pending": STARTING, "running": RUNNING, "stopping": STOPPING, "stopped": STOPPED}


def duration(minutes: float | None) -> str:
    """Minutes as a person says them: ``7 min``, ``1 h 05 min``, ``2 d 3 h``; empty for None."""
    if minutes is None:
        return ""
    hours, rest = divmod(int(minutes), 60)
    if hours >= 24:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {rest:02} min" if hours else f"{rest} min"


def percent(value: float | None) -> str:
    """A media load; empty for None."""
    return "" if value is None else f"{value:.0f} %"


def share(part: float | None, whole: float | None) -> float:
    """A part of a whole between 0 and 100; 0 where there is no whole."""
    return 0.0 if not whole else max(0.0, min(100.0, 100.0 * (part or 0) / whole))


def node_name(node: Mapping[str, Any]) -> str:
    """A node's name; a tagged instance without a Conferencing Node has only its own."""
    return node.get("name") or node.get("instance_name") or node.get("instance_id") or ""


def node_state(node: Mapping[str, Any]) -> str:
    """stopped, starting, running or stopping. A running instance whose node has not reported in yet is starting."""
    known = STATES.get(str(node.get("state")), str(node.get("state") or ""))
    return STARTING if known == RUNNING and node.get("name") and not node.get("in_contact") else known


def notes(node: Mapping[str, Any]) -> list[str]:
    """What else is to be known of a node."""
    said = []
    if not node.get("name"):
        said.append("no Conferencing Node")
    if node.get("maintenance_mode"):
        said.append("maintenance mode")
    return said


def overflow_state(location: Mapping[str, Any], threshold: int | None) -> str:
    """Whether an overflow location with running nodes has reached the threshold, so that its next node is started."""
    full = threshold is not None and location.get("max_hd_calls") and (location.get("free_hd_calls") or 0) <= threshold
    return REACHED if full else OK


def available(location: Mapping[str, Any]) -> str:
    """The column "Available HD": ``6 of 40, approaching threshold``."""
    free, most, state = (location.get(key) for key in ("free_hd_calls", "max_hd_calls", "state"))
    if free is None:
        return ""
    return f"{free} of {most or 0}" + (f", {state}" if state and state != OK else "")


def worst(locations: Iterable[Mapping[str, Any]]) -> str:
    """The state of the location that is nearest to its threshold, ``ok`` where there is none."""
    states = {location.get("state") for location in locations}
    return next((state for state in (REACHED, NEAR) if state in states), OK)


def summary(bursting: Mapping[str, Any]) -> str:
    """The settings in one sentence."""
    if not bursting.get("management_node"):
        return "There is no platform to ask yet."
    if not bursting.get("enabled"):
        return "Bursting is not enabled."
    name, threshold, lifetime = (bursting.get(key) for key in ("management_node", "threshold", "min_lifetime"))
    return f"Bursting on {name}: threshold {threshold} HD connections, minimum lifetime {lifetime} minutes."


def location_rows(bursting: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The primary locations."""
    rows = bursting.get("locations") or []
    return [{**row, "media_load": percent(row.get("media_load")), "available": available(row)} for row in rows]


def overflow_rows(bursting: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The overflow locations."""
    rows = [
        {**r, "state": overflow_state(r, bursting.get("threshold"))} for r in bursting.get("overflow_locations") or []
    ]
    return [{**row, "media_load": percent(row.get("media_load")), "available": available(row)} for row in rows]


def node_rows(bursting: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The cloud overflow nodes."""
    return [
        {
            **row,
            "name": node_name(row),
            "state": ", ".join([node_state(row), *notes(row)]),
            "running": duration(row.get("running_minutes")),
            "media_load": percent(row.get("media_load")) if node_state(row) == RUNNING else "",
        }
        for row in bursting.get("nodes") or []
    ]


LOCATION = {"Media load": "media_load", "Available HD": "available"}
NODE = {
    "Location": "location",
    "State": "state",
    "Running for": "running",
    "Media load": "media_load",
    "HD": "max_hd_calls",
    "Address": "address",
    "Instance": "instance_id",
}


def lines(bursting: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] | None = None) -> list[str]:
    """All of it for a terminal: the settings, the page's three tables, its issues, and the doctor's findings if asked."""
    shown = [summary(bursting)]
    for rows, columns in (
        (location_rows(bursting), {"Primary location": "name", **LOCATION, "Overflows to": "overflow_location"}),
        (overflow_rows(bursting), {"Overflow location": "name", **LOCATION}),
        (node_rows(bursting), {"Overflow node": "name", **NODE}),
    ):
        shown += ["", *text_table(rows, columns)] if rows else []
    if bursting.get("issues"):
        shown += ["", "Issues", *bursting["issues"]]
    if findings is not None:
        shown += ["", tally(findings), *(finding_line(finding) for finding in findings)]
    return shown


def tally(findings: Sequence[Mapping[str, Any]]) -> str:
    """How many findings of which severity, those that were mended apart."""
    left = [finding for finding in findings if not finding.get("repaired")]
    counted = [(s, sum(finding["severity"] == s for finding in left)) for s in ("error", "warning", "information")]
    said = [f"{number} {severity}" for severity, number in counted if number]
    said += [f"{len(findings) - len(left)} mended"] if len(left) < len(findings) else []
    return f"Findings: {', '.join(said) or 'none'}"


def finding_line(finding: Mapping[str, Any]) -> str:
    """A finding of the doctor as one line."""
    mended = "mended" if finding.get("repaired") else "can be mended" if finding.get("repair") else ""
    playbook = "" if finding.get("repaired") else finding.get("playbook") or ""
    more = [f"guide: {finding['guide']}", playbook, mended]
    word = "MENDED" if finding.get("repaired") else finding["severity"].upper()
    return f"{word} {finding['code']}: {finding['message']} [{'; '.join(part for part in more if part)}]"
