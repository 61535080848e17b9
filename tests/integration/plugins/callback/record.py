# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes every task's result and the recap as JSON lines, for the tests to assert on."""

from __future__ import annotations

import contextlib
import gc
import json
import os
from pathlib import Path

import psutil
from ansible import constants
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: record
type: notification
short_description: Task results as JSON lines
description:
  - Appends to the file that the environment variable E(PEXIP_TEST_RECORD) names.
  - Kills the run and its children after the task that E(PEXIP_TEST_KILL_AFTER) names, where that is set.
  - Keeps the modules that Ansible packs in the directory that E(PEXIP_TEST_PACKED) names, for the runs to come.
requirements: [a test]
"""


class CallbackModule(CallbackBase):
    """One line a task and host: status, task, action, changed and the result as it is shown (secrets hidden)."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "record"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self._items: dict[tuple[str, str], list[bool]] = {}
        # What a garbage collection touches, each of Ansible's forks has to copy.
        gc.freeze()
        gc.disable()
        if packed := os.environ.get("PEXIP_TEST_PACKED"):
            (Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache").symlink_to(packed)

    def _write(self, line: dict) -> None:
        with open(os.environ["PEXIP_TEST_RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(line, default=str) + "\n")

    def _event(self, status: str, result) -> None:
        shown = json.loads(self._dump_results(result._result, indent=0))
        # Since ansible-core 2.21 an item's result does not say by itself that it failed.
        for item, failed in zip(
            shown.get("results", ()), self._items.pop((result._host.get_name(), result._task._uuid), ()), strict=False
        ):
            item["failed"] = failed
        self._write(
            {
                "status": status,
                "host": result._host.get_name(),
                "task": result._task.get_name(),
                "action": result._task.action,
                "changed": bool(shown.get("changed")),
                "result": shown,
            }
        )
        if status == "ok" and result._task.get_name().endswith(os.environ.get("PEXIP_TEST_KILL_AFTER", "\0")):
            run = psutil.Process()
            for process in (*run.children(recursive=True), run):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()

    def _item(self, result, failed: bool = False) -> None:
        self._items.setdefault((result._host.get_name(), result._task._uuid), []).append(failed)

    def v2_runner_item_on_ok(self, result):
        self._item(result)

    def v2_runner_item_on_skipped(self, result):
        self._item(result)

    def v2_runner_item_on_failed(self, result):
        self._item(result, failed=True)

    def v2_runner_on_ok(self, result):
        self._event("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._event("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._event("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self._event("skipped", result)

    def v2_playbook_on_stats(self, stats):
        self._write({"stats": {host: stats.summarize(host) for host in stats.processed}})
