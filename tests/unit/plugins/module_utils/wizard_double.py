# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays a transcript as the machine's side of a session: standing in for ssh, and as a program under a terminal.

A session is a list of steps: `say` (what the machine prints), `hear` (the answer it wants; any with null), `echo`
(default true), `pause` (seconds of silence afterwards), `exit` (the session ends with this status).
"""

from __future__ import annotations

import getpass
import json
import sys


class FakeSsh:
    """A channel over a transcript, a clock that time passes on, and what was typed."""

    def __init__(self, steps: list[dict], chunk: int = 7):
        self._steps = iter(steps)
        self._chunk = chunk
        self._output = ""
        self._step: dict = {}
        self._silence = 0.0
        self._exit: int | None = None
        self.now = 0.0
        self.typed: list[str] = []
        self.wrong: list[tuple[str, str]] = []
        self._advance()

    def _advance(self) -> None:
        self._step = next(self._steps, {})
        self._output += self._step.get("say", "")
        self._silence = self._step.get("pause", 0.0)
        self._exit = self._step.get("exit")

    def __enter__(self) -> FakeSsh:
        return self

    def __exit__(self, *_exception: object) -> None:
        pass

    def clock(self) -> float:
        return self.now

    def read(self, timeout: float) -> str | None:
        if self._output:
            text, self._output = self._output[: self._chunk], self._output[self._chunk :]
            return text
        if self._exit is not None:
            return None
        self.now += timeout
        if self._step.get("pause"):
            self._silence -= timeout
            if self._silence <= 0:
                self._advance()
        return ""

    def send(self, line: str) -> None:
        wanted = self._step.get("hear")
        self.typed.append(line)
        if wanted is not None and line != wanted:
            self.wrong.append((wanted, line))
        self._output = (line if self._step.get("echo", True) else "") + "\r\n"
        self._advance()

    def close(self) -> int:
        return 255 if self._exit is None else self._exit


def play(steps: list[dict]) -> int:
    """The same as a program: prints, reads from the terminal, ends with the transcript's status."""
    for step in steps:
        if "exit" in step:
            print(step["say"], end="", flush=True)
            return step["exit"]
        if step.get("echo", True):
            heard = input(step["say"])
        else:
            print(step["say"], end="", flush=True)
            heard = getpass.getpass("")
        if step.get("hear") is not None and heard != step["hear"]:
            print("wrong answer")
            return 9
    return 0


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.exit(play(json.load(file)))
