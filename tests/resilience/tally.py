# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cases of a kind, and how many were survived."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

#: The kinds of attack, which all of `make resilience` has cases of, and so has the table.
KINDS = (
    "bad option of a module",
    "bad option of a module, refused by the platform",
    "bad variable of a playbook",
    "bad variable of a role",
    "call between playbooks",
    "call dropped by force",
    "faults in whole playbook runs",
    "faults of the API, module by module",
    "kill after a write took effect",
    "kill before a write took effect",
    "kill between two tasks",
    "odd name as a reference",
    "odd name of a location",
    "odd name of a node",
    "odd name of a resource",
    "playbook with exactly its IAM policy",
    "secrets sought after a module",
    "secrets sought after a run",
    "the installation, cut off",
    "the installation, its API faulty",
    "the upload of a configuration document, failing",
    "two at once",
    "very long list",
)


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

    def __post_init__(self) -> None:
        assert self.kind in KINDS, self.kind

    @contextmanager
    def case(self, *names: str) -> Iterator[None]:
        """A case, or several that share what becomes of them: survived when nothing inside fails."""
        self.cases += len(names)
        try:
            yield
        except AssertionError as error:
            self.lost += [f"{name}: {error}" for name in names]
        except BaseException as error:
            self.lost += [f"{name}: {error!r}" for name in names]
            raise

    def close(self) -> None:
        """Tells the report, and fails when a case was lost or there was none."""
        self.record("kind", self.kind)
        self.record("cases", self.cases)
        self.record("of", self.cases if self.of is None else self.of)
        self.record("survived", self.cases - len(self.lost))
        assert not self.lost, f"{self.kind}: {len(self.lost)} of {self.cases} not survived:\n" + "\n".join(self.lost)
