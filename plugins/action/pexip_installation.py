# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module pexip_installation until the Management Node is installed."""

from __future__ import annotations

from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction, seconds

# Longer than a reboot ("a few minutes", guide, step 15): a machine that has not come back by then is looked at over SSH
# again, since the session may have been lost before the wizard applied anything.
REBOOT_SECONDS = 600.0
REFUSAL_SECONDS = 120.0  # the default of refusal_timeout


class ActionModule(WaitAction):
    """Waits for SSH, and after the wizard for the API. A key that is refused is waited for only for a moment."""

    MODULE = "pexip.infinity.pexip_installation"
    _completed_at: float | None = None
    _refused_at: float | None = None

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """Time-out and interval in seconds."""
        return seconds(args, "wait_timeout", 1800), seconds(args, "poll_interval", 5, above_zero=True)

    def _execute_module(self, *, module_args: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        if self._completed_at is not None:
            # A machine on its way down may still take logins; its certificate is new, as this very task installed it.
            rebooting = self.clock() - self._completed_at < REBOOT_SECONDS
            module_args = {**module_args, "tls_pin": "first_use", "wizard_completed": rebooting}
        result = super()._execute_module(module_args=module_args, **kwargs)
        if result.get("changed") and result.get("installation", {}).get("state") == "rebooting":
            self._completed_at = self.clock()
        return self._judge_refusal(result)

    def _judge_refusal(self, result: dict[str, Any]) -> dict[str, Any]:
        """The result, a failure once the machine has been refusing the key for ``refusal_timeout`` seconds."""
        if result.get("failed") or result.get("installation", {}).get("state") != "refused":
            self._refused_at = None
            return result
        now = self.clock()
        self._refused_at = now if self._refused_at is None else self._refused_at
        refused, limit = now - self._refused_at, seconds(self._task.args, "refusal_timeout", REFUSAL_SECONDS)
        if refused < limit:
            return result
        said = f"{'; '.join(result['progress'])}, for {refused:.0f} seconds now (refusal_timeout {limit:.0f})"
        return {**result, "failed": True, "msg": f"{said}. {result['remedy']}"}
