# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module pexip_installation until the Management Node is installed."""

from __future__ import annotations

from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction


class ActionModule(WaitAction):
    """Waits for SSH, and after the wizard for the API."""

    MODULE = "pexip.infinity.pexip_installation"
    _wizard_completed = False

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """Time-out and interval in seconds."""
        return float(args.get("wait_timeout", 1800)), float(args.get("poll_interval", 5))

    def _execute_module(self, *, module_args: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        # A machine on its way down may still take logins: once the wizard is through, only the API is asked.
        if self._wizard_completed:
            module_args = {**module_args, "wizard_completed": True}
        result = super()._execute_module(module_args=module_args, **kwargs)
        self._wizard_completed = self._wizard_completed or result.get("installation", {}).get("state") == "rebooting"
        return result
