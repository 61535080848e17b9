# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for every module of awx.awx: judges the arguments by the module's own spec, and notes them. It asks nobody."""

from __future__ import annotations

import importlib
import json
import os
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase


class _Read(Exception):
    """Ends a module as soon as it has said what it takes."""


def own_spec(name: str) -> dict[str, Any]:
    """What a module of awx.awx gives to AnsibleModule, options of the login included."""
    module = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{name}")
    api = importlib.import_module("ansible_collections.awx.awx.plugins.module_utils.controller_api")
    said: dict[str, Any] = {}

    class Reader:
        def __init__(self, argument_spec: dict, **kwargs: Any):
            said.update(kwargs, argument_spec={**api.ControllerModule.AUTH_ARGSPEC, **argument_spec})
            raise _Read

    module.ControllerAPIModule = Reader
    try:
        module.main()
    except _Read:
        return said
    raise AssertionError(f"awx.awx.{name} never said what it takes")


class ActionModule(ActionBase):
    """Fails with what the module would say of the arguments."""

    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        name = self._task.action.split(".")[-1]
        judged = ArgumentSpecValidator(**own_spec(name)).validate(self._task.args)
        with open(os.environ["AWX_CALLS"], "a", encoding="utf-8") as calls:
            calls.write(json.dumps({"module": name, "args": self._task.args, "check": self._task.check_mode}) + "\n")
        if judged.error_messages:
            return {"failed": True, "msg": f"awx.awx.{name}: {'; '.join(judged.error_messages)}"}
        if name in os.environ.get("AWX_REFUSES", "").split():
            return {"failed": True, "msg": "refused by the test"}
        return {"changed": False}
