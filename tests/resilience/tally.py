# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of a kind, and how many were survived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Tally:
    """Counts the cases of one kind; `close` fails when one was not survived, and names it.

    :param of: how many cases there could be, where only some are tried; else all are
    """

    kind: str
    record: Callable[[str, object], None]
    cases: int = 0
    of: int | None = None
    lost: list[str] = field(default_factory=list)

    @contextmanager
    def case(self, name: str) -> Iterator[None]:
        """One case: survived when nothing inside raises AssertionError."""
        self.cases += 1
        try:
            yield
        except AssertionError as error:
            self.lost.append(f"{name}: {error}")

    def close(self) -> None:
        """Tells the report, and fails when a case was lost or there was none."""
        self.record("kind", self.kind)
        self.record("cases", self.cases)
        self.record("of", self.cases if self.of is None else self.of)
        self.record("survived", self.cases - len(self.lost))
        assert not self.lost, f"{self.kind}: {len(self.lost)} of {self.cases} not survived:\n" + "\n".join(self.lost)
