# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until Conferencing Nodes carry no conference, with progress, and decides what becomes of those that still do."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction, seconds


class ActionModule(WaitAction):
    """pexip_node_maintenance, looked through until every node has drained."""

    MODULE = "pexip.infinity.pexip_node_maintenance"

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """The options ``drain_timeout`` and ``poll_interval``."""
        return seconds(args, "drain_timeout", 3600), seconds(args, "poll_interval", 15, above_zero=True)

    def expired(self, result: dict[str, Any], message: str) -> dict[str, Any]:
        """Forces, restores or fails, as the options say."""
        args = self._task.args
        choice = args.get("on_timeout") or "fail"
        if choice == "force":
            warning = f"{message} Going on, as on_timeout: force says; what follows drops their calls."
            return {**result, "warnings": [*result.get("warnings", []), warning]}
        missing = args.get("fail_on_missing")
        ended = {**result, "failed": missing is None or boolean(missing)}
        nodes = [node for node in result["nodes"] if ended["failed"] or not node["drained"]]
        if choice == "restore":
            restored = self._restore([node["name"] for node in nodes if node["ours"]])
            by_name = {node["name"]: node for node in restored.get("nodes", [])}
            ended["nodes"] = [by_name.get(node["name"], node) for node in result["nodes"]]
            for key in ("changed", "failed"):
                ended[key] = bool(ended[key] or restored.get(key))
            what = restored.get("msg") or f"{', '.join(by_name) or 'No node'} taken out of maintenance mode again"
        else:
            what = f"{', '.join(node['name'] for node in nodes)} left in maintenance mode"
        return {**ended, "msg": f"{message} {what}."}

    def _restore(self, names: list[str]) -> dict[str, Any]:
        """Takes nodes out of the maintenance mode that is ours."""
        return self.look({**self._task.args, "name": names, "state": "absent", "drain": False})
