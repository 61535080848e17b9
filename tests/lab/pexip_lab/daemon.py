"""The process that a lab is: ``python -m pexip_lab.daemon SETTINGS READY_FD``, started by `launcher.up`."""

import asyncio
import contextlib
import faulthandler
import fcntl
import json
import logging
import os
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import TextIO

from . import seeds
from .control import ControlServer
from .listener import http_server
from .settings import READY, Settings
from .simulation import Simulation

_log = logging.getLogger(__name__)


async def serve(settings: Settings, tell: TextIO) -> None:
    """Build the lab, say that it is ready, and run it until the process is told to end.

    :param tell: where the starter waits for one line
    """
    if settings.seed not in (None, *seeds.SEEDS):
        raise ValueError(f"no seed {settings.seed!r}; there are {', '.join(sorted(seeds.SEEDS))}")
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=32))  # a machine's servers end each on a thread
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    lab = Simulation(settings, loop)
    async with contextlib.AsyncExitStack() as services:
        await services.enter_async_context(lab.running())
        control = lab.open_port(lab.network.control_port)
        await services.enter_async_context(http_server(ControlServer(lab), control))
        if settings.seed:
            await seeds.plant(lab, settings.seed)
        _log.info("the lab is ready")
        tell.write(READY)
        tell.close()
        await ended.wait()
    _log.info("the lab has ended")


def main() -> int:
    """Lock the pid file for as long as this process lives, then run the lab."""
    settings = Settings(**json.loads(sys.argv[1]))
    files = settings.files
    faulthandler.register(signal.SIGUSR1)  # writes what every thread is doing into the log
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("asyncssh", "botocore", "werkzeug", "cheroot"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    pid = open(files.pid, "a+")  # noqa: SIM115 (open, and so locked, until the process has ended)
    with os.fdopen(int(sys.argv[2]), "w") as tell:
        try:
            fcntl.flock(pid, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell.write(f"a lab is already running in {files.directory}")
            return 1
        pid.truncate(0)
        pid.write(str(os.getpid()))
        pid.flush()
        shutil.rmtree(files.machines, ignore_errors=True)
        files.key.unlink(missing_ok=True)
        files.write(settings)
        try:
            asyncio.run(serve(settings, tell))
        except Exception as error:
            _log.exception("the lab failed")
            if not tell.closed:
                tell.write(f"{error}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
