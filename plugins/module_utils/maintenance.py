# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Maintenance mode: whose it is, what a task makes of it, and when a node has drained (guide, "Managing AWS instances")."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .client import PexipError, resource_path
from .converge import Platform, Result, apply, listing, plan
from .node import Load, silent
from .resource import Field, Resource

MARKER = "pexip.infinity: "  # how the reason begins where the mode is ours
# A call ends with the node that signals or proxies it just as with the one that carries its media.
USES = ("media_node", "signalling_node", "proxy_node")
MAINTENANCE = Resource(
    "worker_vm",
    identity=("name",),
    title="Conferencing Node",
    fields=[
        Field("name", required=True, max_length=32),
        Field("maintenance_mode", "bool", default=False),
        Field("maintenance_mode_reason", alias="reason", max_length=250, default=""),
    ],
)


def marked(reason: str) -> str:
    """A reason as the platform keeps it, with our marker; raises PexipError for one that it would not keep."""
    stored = MARKER + reason.strip()
    if not reason.strip():
        raise PexipError("reason is empty; say why the nodes are in maintenance mode")
    problem = MAINTENANCE.by_name["maintenance_mode_reason"].problem(stored)
    if problem:
        raise PexipError(problem)
    return stored


def is_ours(node: dict[str, Any]) -> bool:
    """Whether the reason of a node's maintenance mode carries our marker."""
    return (node.get("maintenance_mode_reason") or "").startswith(MARKER)


def wish(node: dict[str, Any], reason: str | None, only_ours: bool) -> dict[str, Any]:
    """The fields that a task asks for; none where the mode is someone else's and stays so.

    ``reason`` as `marked` gives it, or None to leave the mode.
    """
    if only_ours and node.get("maintenance_mode") and not is_ours(node):
        return {}
    if reason is not None:
        return {"maintenance_mode": True, "maintenance_mode_reason": reason}
    # A reason of ours that somebody left behind would make ours whatever he sets next.
    stale = node.get("maintenance_mode") or is_ours(node)
    return {"maintenance_mode": False, "maintenance_mode_reason": ""} if stale else {}


@dataclass(frozen=True)
class Look:
    """One look at the nodes: what was found and done to each, and what they carry."""

    results: list[Result]
    load: Load
    rows: list[dict[str, Any]]  # the status of every node; read only where a drain is waited for
    in_contact: bool = False  # whether a node that does not report may carry calls, as its instance runs

    def entry(self, result: Result) -> dict[str, Any]:
        """What a task returns of a node."""
        node: dict[str, Any] = result.current  # type: ignore[assignment]
        conferences, participants = self.load.conferences(node), self.load.participants(node, *USES)
        return {
            "name": node["name"],
            "maintenance_mode": node["maintenance_mode"],
            "maintenance_mode_reason": node["maintenance_mode_reason"],
            "ours": bool(node["maintenance_mode"]) and is_ours(node),
            "conferences": conferences,
            "participants": participants,
            "drained": bool(node["maintenance_mode"]) and not conferences and not participants and self.told(result),
        }

    def told(self, result: Result) -> bool:
        """Whether a node knows that it is in maintenance mode: until it does, a conference may begin on it.

        Only a drain asks; a node that does not report learns nothing. It hosts nothing either, unless it runs all the same.
        """
        status = next((row for row in self.rows if row.get("configuration_id") == result.current["id"]), None)  # type: ignore[index]
        if not self.rows:
            return True
        if silent(status, self.rows):
            return not (self.in_contact and (status or {}).get("last_updated"))  # one that never reported hosts nothing
        confirmed = (status or {}).get("sync_status") == "SYNCED" and (status or {}).get("maintenance_mode", True)
        return not result.changed and bool(confirmed)


def registered(platform: Platform, names: list[str]) -> list[dict[str, Any]]:
    """The configuration of the nodes with these names; raises PexipError that lists the names that exist.

    In check mode a name that does not exist yet is a warning.
    """
    found = {node["name"]: node for node in platform.client.list(resource_path("worker_vm"))} if platform.client else {}
    for name in names:
        if name not in found:
            message = f"name: there is no Conferencing Node {name!r}. {listing(name, list(found))}"
            if not platform.check:
                raise PexipError(message)
            platform.warnings.append(f"{message} (in check mode: it may come to exist before this task runs)")
    unknown = {"id": None, "address": None, "maintenance_mode": False, "maintenance_mode_reason": ""}
    return [found.get(name) or {**unknown, "name": name} for name in dict.fromkeys(names)]


def look(
    platform: Platform, names: list[str], reason: str | None, only_ours: bool, drain: bool, in_contact: bool = False
) -> Look:
    """Brings the nodes into maintenance mode (or out of it, without a reason), then reads what they carry."""
    results = []
    nodes = registered(platform, names)
    for node in nodes:
        made = plan(MAINTENANCE, wish(node, reason, only_ours), node)
        results.append(apply(platform, MAINTENANCE, made, node, {"name": node["name"]}))
        if only_ours and reason is None and results[-1].current["maintenance_mode"]:  # type: ignore[index]
            platform.warnings.append(
                f"{MAINTENANCE.label(node)} stays in maintenance mode: somebody else set it "
                f"(maintenance_mode_reason {node['maintenance_mode_reason']!r}). Leave it to them, or say only_ours: false"
            )
    client = platform.client if nodes else None
    load = Load.read(client) if client else Load([], [])
    rows = client.list(resource_path("worker_vm", family="status")) if client and drain and not platform.check else []
    return Look(results, load, rows, in_contact)
