"""Faults of SSH: a dialogue that is cut off, and a host key that is another one."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncssh

from ..terminal import HungUp
from .fault import AFTER, BEFORE, STEP, Event
from .registry import Faults


class Dialogue:
    """The steps of one SSH session, a line said or a question asked each. Empty lines are none."""

    def __init__(self, faults: Faults, process: asyncssh.SSHServerProcess):
        self._faults = faults
        self._process = process

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Drop the connection before what the block does, or after it.

        :raises HungUp: it was dropped
        """
        fault = self._faults.strike(Event("ssh", STEP, path=text.strip())) if text.strip() else None
        if fault is not None and fault.when == BEFORE:
            self._drop()
        yield
        if fault is not None and fault.when == AFTER:
            self._drop()

    def _drop(self) -> None:
        self._process.channel.get_connection().abort()
        raise HungUp
