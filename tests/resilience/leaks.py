# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for secrets: in texts, in everything below a directory, and in the arguments of a run's processes.

A secret is found in each of its spellings, and also where a display has folded the line that holds it.
"""

from __future__ import annotations

import base64
import html
import json
import shlex
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

PERIOD = 0.05  # seconds between two looks at the processes
SHORTEST_LINE = 16  # characters of a line by which a secret of several lines is known


class Search:
    """Knows secrets by their names, in all their spellings.

    A secret of several lines is sought line by line, without the first and the last: they only say what it is.
    """

    def __init__(self, secrets: Mapping[str, str]):
        self._sought = {
            spelling: name
            for name, secret in secrets.items()
            for part in _parts(secret)
            for spelling in map(_joined, spellings(part))
        }

    def text(self, text: bytes, where: str) -> list[str]:
        """What is found in a text, one line a secret: its name, and ``where``."""
        joined = _joined(text)
        names = {name for spelling, name in self._sought.items() if spelling in joined}
        return [f"{name} in {where}" for name in sorted(names)]

    def files(self, directory: Path) -> list[str]:
        """What is found in the files below a directory, and in their names."""
        return [
            found
            for path in sorted(directory.rglob("*"))
            for content in [path.read_bytes() if path.is_file() else b""]
            for found in self.text(str(path).encode() + b"\0" + content, str(path.relative_to(directory)))
        ]


def spellings(secret: str) -> set[bytes]:
    """The ways in which a text is written where it is data: as it is, escaped, quoted, encoded."""
    in_json = [json.dumps(secret, ensure_ascii=ascii)[1:-1] for ascii in (True, False)]
    texts = {
        secret,
        *in_json,
        *(json.dumps(text)[1:-1] for text in in_json),  # JSON in JSON
        *map(_in_python, (secret, *in_json)),  # JSON in Python, too: what a module's file has
        repr(secret)[1:-1],
        shlex.quote(secret).strip("'"),
        secret.replace("'", "''"),  # YAML
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        html.escape(secret),
        html.escape(secret, quote=False),
        html.escape(secret, quote=False).replace('"', "&quot;"),  # XML
        secret.encode().hex(),
        secret.encode("utf-16-le").hex(),
    }
    encoded = {part for raw in dict.fromkeys([secret.encode(), in_json[0].encode()]) for part in _base64(raw)}
    return {text.encode() for text in texts} | encoded | {part.translate(_URL_SAFE) for part in encoded}


def _in_python(text: str) -> str:
    """A text between single quotes, whatever quotes stand in it."""
    return text.replace("\\", "\\\\").replace("'", "\\'")


_URL_SAFE = bytes.maketrans(b"+/", b"-_")


def _base64(raw: bytes) -> Iterator[bytes]:
    """What is sure to stand in the base64 of any text that holds this one: it may begin at any of three offsets."""
    for offset, foreign in enumerate((0, 2, 3)):
        whole = base64.b64encode(bytes(offset) + raw)
        yield whole[foreign : (offset + len(raw)) * 8 // 6]


def _parts(secret: str) -> list[str]:
    lines = secret.strip().splitlines()
    return [secret] if len(lines) == 1 else [line for line in lines[1:-1] if len(line) >= SHORTEST_LINE]


def _joined(text: bytes) -> bytes:
    return b"".join(text.split())


class Watch:
    """Looks at the arguments of a process and all its descendants until it is left; a context manager.

    ``arguments`` are the command lines seen, the words of each with a space between them.
    """

    def __init__(self, pid: int):
        self.arguments: set[bytes] = set()
        self._family = {pid}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look_until_over, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._thread.join()

    def _look_until_over(self) -> None:
        while not self._over.wait(PERIOD):
            self._look()

    def _look(self) -> None:
        parents = dict(_parents())
        while found := {pid for pid, parent in parents.items() if parent in self._family} - self._family:
            self._family |= found
        for pid in self._family & parents.keys():
            try:
                self.arguments.add(Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" "))
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended


def _parents() -> Iterator[tuple[int, int]]:
    """Every process and its parent."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended
            yield int(entry.name), int(stat.rpartition(")")[2].split()[1])
