"""Labs that start faster: a process that has imported what a lab is made of, and forks itself for each one.

What a lab runs is the same; who starts many saves the second or two that the imports take. Used as
``with Nursery() as nursery: launcher.up(settings, nursery.start)``.
"""

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
from typing import TextIO

from .launcher import Starting, await_end


class Nursery:
    """The process, and how it is asked for a lab."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "pexip_lab.nursery", str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL)

    def __enter__(self) -> "Nursery":
        return self

    def __exit__(self, *_error: object) -> None:
        """Ends it; its labs go on."""
        self._socket.close()
        self._process.wait()

    def start(self, settings: str, telling: int, log: TextIO) -> Starting:
        """As `launcher.start_process`."""
        socket.send_fds(self._socket, [settings.encode()], [telling, log.fileno()])
        return Child(int(self._socket.recv(32)))


class Child:
    """A lab's process, which is not ours to wait for."""

    def __init__(self, pid: int):
        self.pid = pid

    def terminate(self) -> None:
        """Asks it to end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def wait(self) -> None:
        """Returns when it has ended."""
        await_end(self.pid)


def main() -> None:
    """Serve until nobody is there to ask."""
    from . import daemon

    asked = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the labs
    gc.freeze()
    while True:
        message, handles, _flags, _address = socket.recv_fds(asked, 65536, 2)
        if not message:
            return
        pid = os.fork()
        if pid:
            for handle in handles:
                os.close(handle)
            asked.send(str(pid).encode())
            continue
        asked.close()
        become(handles[1])
        sys.argv = [daemon.__file__, message.decode(), str(handles[0])]
        sys.exit(daemon.main())


def become(log: int) -> None:
    """What a process of its own has: a session, signals, output, chances."""
    from moto.moto_api._internal import mock_random

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(log, 1)
    os.dup2(log, 2)
    mock_random.seed()  # else all labs would have the same ids


if __name__ == "__main__":
    main()
