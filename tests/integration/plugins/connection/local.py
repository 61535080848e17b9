# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's connection of this name, which has modules run by the tests' warm Python; see warm_python.py."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shlex
import socket
import sys
from pathlib import Path

from ansible.plugins import connection

DOCUMENTATION = r"""
name: local
short_description: Tasks on the controller, with a warm start for modules
description:
  - As M(ansible.builtin.local#connection). A module that is piped into the Python which runs Ansible itself goes to the
    socket that the environment variable E(PEXIP_TEST_WARM_PYTHON) names. Without it everything is as ever.
author: the pexip.infinity authors
options:
  become_success_timeout:
    description: As there.
    type: int
    default: 10
  become_strip_preamble:
    description: As there.
    type: bool
    default: true
extends_documentation_fragment:
  - connection_pipelining
"""

# By its file, for in this process its name is taken: by this plugin.
_spec = importlib.util.spec_from_file_location("ansible_local", Path(connection.__file__).with_name("local.py"))
_local = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_local)

PYTHON = f"/bin/sh -c {shlex.quote(f'{sys.executable} && sleep 0')}"


class Connection(_local.Connection):
    """Runs commands as the original, and modules warm."""

    def exec_command(self, cmd, in_data=None, sudoable=True):
        """Exit code, standard output and standard error."""
        place = os.environ.get("PEXIP_TEST_WARM_PYTHON")
        if not place or not in_data or cmd != PYTHON:
            return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        request = {"environment": dict(os.environ), "directory": os.fsdecode(self.cwd or os.getcwd())}
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(os.fdopen(os.memfd_create(name), "r+b")) for name in ("in", "out", "err")]
            files[0].write(in_data)
            files[0].seek(0)
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.connect(place)
            socket.send_fds(server, [json.dumps(request).encode()], [file.fileno() for file in files])
            code = server.recv(16)  # nothing, when it died
            for file in files[1:]:
                file.seek(0)
            return int(code or 1), files[1].read(), files[2].read()
