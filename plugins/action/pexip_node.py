# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for what pexip_node needs of a new instance, with progress."""

from __future__ import annotations

from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction, seconds


class ActionModule(WaitAction):
    """pexip_node, looked through until the node is registered and its document uploaded."""

    MODULE = "pexip.infinity.pexip_node"

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """The bootstrap option's own ``timeout`` and ``poll_interval``."""
        bootstrap = args.get("bootstrap")
        given = bootstrap if isinstance(bootstrap, dict) else {}  # the module refuses anything else
        return seconds(given, "timeout", 900), seconds(given, "poll_interval", 5, above_zero=True)
