# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for a fleet of Conferencing Nodes, with progress."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction, seconds


class ActionModule(WaitAction):
    """pexip_node_info, looked through until every node is in contact."""

    MODULE = "pexip.infinity.pexip_node_info"

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """The options ``wait_timeout`` and ``poll_interval``."""
        return seconds(args, "wait_timeout", 900), seconds(args, "poll_interval", 10, above_zero=True)

    def expired(self, result: dict[str, Any], message: str) -> dict[str, Any]:
        """Without ``fail_on_missing`` the caller reads from each node's result whether it is in contact."""
        if boolean(self._task.args.get("fail_on_missing", True)):
            return super().expired(result, message)
        return {**result, "msg": message}
