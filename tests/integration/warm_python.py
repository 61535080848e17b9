# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Python that is warm: it has imported what every module imports, and runs each module in a fork of itself.

A playbook starts a Python for each task, and most of that one's time goes into compiling Ansible's module library and
reading the description of EC2, the same each time. Only the start is saved: a module has a process, environment, working
directory and output of its own here, too. The connection plugin beside this file (plugins/connection/local.py) asks for it.

A module is killed as soon as the run that asked for it is gone, as it is where it is that run's child.

Usage: warm_python.py SOCKET. Says "ready" when modules may come; ends with its standard input.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
import types
from typing import NoReturn

IMPORTED = (
    "ansible.module_utils.basic",
    "ansible.module_utils._internal._ansiballz._loader",
    "ansible_collections.amazon.aws.plugins.module_utils.ec2",
    "ansible_collections.amazon.aws.plugins.module_utils.modules",
    "pexpect",
    "requests",
    "resource",
    "runpy",
)


def warm_up() -> None:
    """Import the libraries, and keep what botocore reads from its files."""
    for name in IMPORTED:
        importlib.import_module(name)
    boto3, loaders = importlib.import_module("boto3"), importlib.import_module("botocore.loaders")
    known = functools.cache(loaders.JSONFileLoader().load_file)
    loaders.JSONFileLoader.load_file = lambda self, path: known(path)
    boto3.session.Session("none", "none").client("ec2", region_name="eu-west-1")
    gc.freeze()


def die_with(peer: socket.socket) -> None:
    """Kill this process when whoever waits for its answer is gone; he sends nothing more, so all that comes is the end."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            peer.recv(1)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def run_module(connection: socket.socket) -> NoReturn:
    """Run what came through the connection as Python does with a script from its standard input; answer the exit code."""
    request, files, _flags, _address = socket.recv_fds(connection, 1 << 20, 3)
    place = json.loads(request)
    os.environ.clear()
    os.environ.update(place["environment"])
    os.chdir(place["directory"])
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    die_with(connection)
    code = 1
    try:
        script = compile(sys.stdin.buffer.read(), "<stdin>", "exec")
        sys.argv = ["-"]
        sys.modules["__main__"] = module = types.ModuleType("__main__")
        exec(script, vars(module))
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(str(code).encode())
    os._exit(0)


def main(path: str) -> None:
    """Wait for modules until nobody holds the other end of the standard input."""
    warm_up()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks: they answer by themselves
    with socket.socket(socket.AF_UNIX) as listener, selectors.DefaultSelector() as selector:
        listener.bind(path)
        listener.listen(64)
        selector.register(listener, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        print("ready", flush=True)
        while [key.fileobj for key, _events in selector.select()] == [listener]:
            connection, _address = listener.accept()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                listener.close()
                run_module(connection)
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
