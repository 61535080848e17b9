# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits until overflow nodes that were started are available, with progress."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction, seconds


class ActionModule(WaitAction):
    """pexip_cloud_node, looked through until every node is available."""

    MODULE = "pexip.infinity.pexip_cloud_node"
    KEPT = ("started", "explanation")

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """The options ``wait_timeout`` and ``poll_interval``."""
        return seconds(args, "wait_timeout", 900), seconds(args, "poll_interval", 15, above_zero=True)

    def next_look(self, args: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        """The first look chose the nodes, for good: calls that come meanwhile choose no others.

        What was started is not started again, although the platform tells its new state only at its own next look.
        """
        own = {key: value for key, value in args.items() if key not in ("name", "all", "capacity", "location", "start")}
        wanted = args.get("start")
        later = (wanted is None or boolean(wanted)) and any(node["state"] == "stopping" for node in result["nodes"])
        return {**own, "name": [node["instance_id"] for node in result["nodes"]], "start": later}
