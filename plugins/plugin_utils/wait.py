# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one wait of the collection: a module that looks once, looked through again until it is complete.

A module cannot print while it runs, so the loop lives in the action plugin of the module's name, where each change of
what is seen becomes a line for the operator.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


def seconds(args: dict[str, Any], name: str, default: float, *, above_zero: bool = False) -> float:
    """A time from a task's arguments; null means the default, as for every option. Raises ValueError that names the option."""
    value = args.get(name)
    try:
        number = float(default if value is None else value)
    except (TypeError, ValueError):
        number = float("nan")
    if number > 0 or number == 0 and not above_zero:  # nan is neither
        return number
    raise ValueError(f"{name}: {value!r} is not a number of seconds{' above zero' if above_zero else ''}")


class WaitAction(ActionBase):
    """Runs a module until its result says ``complete``, at most for the time-out.

    A subclass names the module (`MODULE`) and says how long and how often (`timing`). The module's result carries, while it
    is not complete, ``waiting_for`` (what), ``progress`` (lines of what is seen now) and ``remedy`` (what to do when it
    never comes). Without these the first result is the last: that is check mode and every task that has nothing to wait for.
    What an earlier look changed stays in the result: ``changed``, ``diff`` and the keys in `KEPT`. Once a look has succeeded,
    one during which the Management Node is ``away`` (it restarts, say) is only a look at nothing new.
    """

    MODULE = ""
    KEPT: tuple[str, ...] = ()
    TRANSFERS_FILES = False
    sleep: Callable[[float], None] = staticmethod(time.sleep)
    clock: Callable[[], float] = staticmethod(time.monotonic)

    def timing(self, args: dict[str, Any]) -> tuple[float, float]:
        """Time-out and interval in seconds, from the task's arguments; raises ValueError that names the option."""
        raise NotImplementedError

    def expired(self, result: dict[str, Any], message: str) -> dict[str, Any]:
        """The result when the time is up: a failure, unless the module has a reason to go on."""
        return {**result, "failed": True, "msg": message}

    def next_look(self, args: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        """The arguments of the look after this result: the same, unless the first one decided something for good."""
        return args

    def look(self, args: dict[str, Any]) -> dict[str, Any]:
        """Runs the module once."""
        return self._execute_module(module_name=self.MODULE, module_args=dict(args), task_vars=self.task_vars)

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Runs the task."""
        super().run(tmp, task_vars)
        self.task_vars = task_vars
        timeout, interval = self._timing()
        started = self.clock()
        args: dict[str, Any] = self._task.args
        result: dict[str, Any] = {}
        shown: list[str] = []
        while True:
            seen = self.look(args)
            if seen.get("away") and result:
                seen = {**result, "progress": [seen["msg"]]}
            result = self._after(result, seen)
            if result.get("failed") or result.get("complete", True):
                break
            elapsed = self.clock() - started
            progress = [str(line) for line in result.get("progress") or [f"waiting for {result['waiting_for']}"]]
            self._show([line for line in progress if line not in shown], elapsed, task_vars or {})
            shown = progress
            if elapsed >= timeout:
                message = f"waited {elapsed:.0f} seconds (time-out {timeout:.0f}) for {result['waiting_for']}, in vain. Last seen: {'; '.join(progress)}."
                result = self.expired(result, " ".join([message, result.get("remedy", "")]).strip())
                break
            args = self.next_look(args, result)
            self.sleep(min(interval, max(timeout - elapsed, 0.1)))
        return {key: value for key, value in result.items() if key not in ("waiting_for", "progress", "remedy", "away")}

    def _after(self, earlier: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
        """A look's result with what the looks before it did: lists grow, of anything else the first stays."""
        kept = {key: earlier[key] for key in ("diff", *self.KEPT) if earlier.get(key)}
        for key, value in kept.items():
            if isinstance(value, list):
                kept[key] = value + [item for item in result.get(key) or [] if item not in value]
        return {**result, **kept, "changed": bool(earlier.get("changed") or result.get("changed"))}

    def _timing(self) -> tuple[float, float]:
        try:
            return self.timing(self._task.args)
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from None

    @staticmethod
    def _show(lines: list[str], elapsed: float, task_vars: dict[str, Any]) -> None:
        host = task_vars.get("inventory_hostname", "localhost")
        for line in lines:
            Display().display(f"  [{host}] {elapsed:4.0f} s  {line}")
