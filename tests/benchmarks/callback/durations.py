# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes how long every task took as JSON lines, for the benchmark to read."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: durations
type: notification
short_description: How long tasks took, as JSON lines
description: Appends to the file that the environment variable E(PEXIP_BENCH_RECORD) names.
requirements: [a benchmark]
"""


class CallbackModule(CallbackBase):
    """One line a task and host: its name, whether it changed anything or failed, and its seconds from start to result."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "durations"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        self._started = {}

    def v2_runner_on_start(self, host, task):
        self._started[host.get_name(), task._uuid] = time.monotonic()

    def _event(self, status, result):
        seconds = time.monotonic() - self._started.pop((result._host.get_name(), result._task._uuid))
        changed = bool(result._result.get("changed"))
        line = {"task": result._task.get_name(), "status": status, "changed": changed, "seconds": seconds}
        with open(os.environ["PEXIP_BENCH_RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")

    def v2_runner_on_ok(self, result):
        self._event("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._event("failed", result)

    def v2_runner_on_unreachable(self, result):
        self._event("unreachable", result)
