"""What a dialogue over SSH needs: print, ask, ask without echo."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import asyncssh


class HungUp(Exception):
    """The other side closed the session in the middle of a dialogue."""


class Terminal:
    """One SSH session with a terminal.

    :param step: put around each line that is said and each answer that is awaited; may raise `HungUp`
    """

    def __init__(self, process: asyncssh.SSHServerProcess, step: Callable[[str], AbstractContextManager[None]]):
        self._process = process
        self._step = step

    def say(self, text: str = "") -> None:
        """Print lines.

        :raises HungUp: the session ended
        """
        with self._step(text):
            self._process.stdout.write(text + "\n")

    async def lost(self) -> None:
        """Wait until the session has gone."""
        await self._process.wait_closed()

    async def ask(self, prompt: str) -> str:
        """Ask for a line.

        :raises HungUp: the session ended, or control-C or control-D was typed
        """
        self._process.stdout.write(prompt)
        with self._step(prompt):
            return await self._answer()

    async def _answer(self) -> str:
        try:
            line = await self._process.stdin.readline()
        except (asyncssh.BreakReceived, asyncssh.TerminalSizeChanged, asyncssh.SignalReceived) as event:
            if isinstance(event, asyncssh.TerminalSizeChanged):
                return await self._answer()
            raise HungUp from None
        if not line.endswith("\n"):
            raise HungUp
        return line.strip("\r\n")

    async def ask_secret(self, prompt: str) -> str:
        """Ask for a line that is not shown."""
        self._process.channel.set_echo(False)
        try:
            return await self.ask(prompt)
        finally:
            self._process.channel.set_echo(True)
            self._process.stdout.write("\n")

    async def ask_until(self, prompt: str, check: Callable[[str], str | None], default: str = "") -> str:
        """Ask until an answer holds; an empty answer takes the default, which is shown.

        :param check: says what is wrong with an answer, or None
        """
        while True:
            answer = (await self.ask(f"{prompt} [{default}]: " if default else f"{prompt}: ")).strip() or default
            if (problem := check(answer)) is None:
                return answer
            self.say(f"  {problem}")
