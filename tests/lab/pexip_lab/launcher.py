"""Starts and ends the lab's process, and asks it things."""

import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol, TextIO
from urllib.parse import urlencode

from .settings import READY, Settings, StateFiles

PATIENCE = 20.0  # seconds until a lab that was asked to end is killed
ANSWER_TIMEOUT = 60.0


class LabError(Exception):
    """The lab could not do what was asked; the message is for people."""


class Starting(Protocol):
    """A lab's process."""

    def terminate(self) -> None:
        """Ask it to end."""

    def wait(self) -> Any:
        """Wait until it has ended."""


Start = Callable[[str, int, TextIO], Starting]


def start_process(settings: str, telling: int, log: TextIO) -> Starting:
    """A new process for a lab.

    :param settings: as JSON
    :param telling: the descriptor on which it says one line, when it is ready or cannot be
    :param log: what it prints
    """
    return subprocess.Popen(
        [sys.executable, "-m", "pexip_lab.daemon", settings, str(telling)],
        pass_fds=[telling],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def up(settings: Settings, start: Start = start_process) -> None:
    """Start a lab and wait until it answers and its seed is built. What a crashed one left is cleaned up.

    :param start: starts its process
    :raises LabError: it runs already, or did not start
    """
    try:
        settings.addresses  # noqa: B018 (checked before anything is made)
    except ValueError as error:
        raise LabError(str(error)) from None
    files = settings.files
    files.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if running(files):
        raise LabError(f"a lab is already running in {files.directory}; take it down first")
    listening, telling = os.pipe()
    with open(files.log, "w") as log, os.fdopen(listening) as answer:
        process = start(json.dumps(asdict(settings)), telling, log)
        os.close(telling)
        try:
            said = answer.read()  # until the lab has spoken, or died
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if said != READY:
        process.wait()
        raise LabError(f"the lab did not start: {said or _last_line(files)} (see {files.log})")


def down(files: StateFiles) -> bool:
    """End a lab and remove its files except the log.

    :returns: whether one was running
    """
    was_running = running(files)
    if was_running:
        pid = int(files.pid.read_text())
        os.kill(pid, signal.SIGTERM)
        if not await_end(pid):
            os.kill(pid, signal.SIGKILL)
            await_end(pid)
    shutil.rmtree(files.machines, ignore_errors=True)
    for path in (files.key, files.settings, files.pid):
        path.unlink(missing_ok=True)
    return was_running


def await_end(pid: int) -> bool:
    """Wait until a process has ended, but not for ever; whether it has."""
    return _wait(lambda: _ended(pid), PATIENCE)


def running(files: StateFiles) -> bool:
    """Whether a lab's process lives: it holds the lock of its pid file."""
    try:
        with open(files.pid) as pid:
            fcntl.flock(pid, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def ask(files: StateFiles, method: str, path: str, /, **parameters: str) -> Any:
    """Ask a running lab.

    :raises LabError: no lab is running, or it refuses
    """
    if not running(files):
        raise LabError(f"no lab is running in {files.directory}")
    network = files.read().addresses
    connection = http.client.HTTPConnection(network.resolver, network.control_port, timeout=ANSWER_TIMEOUT)
    try:
        connection.request(method, f"{path}?{urlencode(parameters)}")
        response = connection.getresponse()
        answer = json.loads(response.read())
    except OSError as error:
        raise LabError(f"the lab in {files.directory} does not answer: {error} (see {files.log})") from None
    finally:
        connection.close()
    if response.status != 200:
        raise LabError(answer["error"])
    return answer


def _ended(pid: int) -> bool:
    """Whether a process is gone; a child of this process is reaped."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return True
    except ChildProcessError:
        pass  # started by another process, which has ended
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _last_line(files: StateFiles) -> str:
    lines = files.log.read_text().splitlines()
    return lines[-1] if lines else "it ended without a word"
