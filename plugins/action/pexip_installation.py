# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module pexip_installation until the Management Node is installed."""

from __future__ import annotations

from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction

# Longer than a reboot ("a few minutes", guide, step 15): a machine that has not come back by then is looked at over SSH
# again, since the session may have been lost before the wizard applied anything.
REBOOT_SECONDS = 600.0


class ActionModule(WaitAction):
    """Waits for SSH, and after the wizard for the API."""

    MODULE = "pexip.infinity.pexip_installation"
    _completed_at: float | None = None

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """Time-out and interval in seconds."""
        return float(args.get("wait_timeout", 1800)), float(args.get("poll_interval", 5))

    def _execute_module(self, *, module_args: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        if self._completed_at is not None:
            # A machine on its way down may still take logins; its certificate is new, as this very task installed it.
            rebooting = self.clock() - self._completed_at < REBOOT_SECONDS
            module_args = {**module_args, "tls_pin": "first_use", "wizard_completed": rebooting}
        result = super()._execute_module(module_args=module_args, **kwargs)
        if result.get("changed") and result.get("installation", {}).get("state") == "rebooting":
            self._completed_at = self.clock()
        return result
