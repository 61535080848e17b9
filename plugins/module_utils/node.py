# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is particular to a Conferencing Node: its upload listener, its configuration document, its contact, its load."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

from .client import (
    Client,
    PexipError,
    describe,
    normalise_fingerprint,
    open_session,
    peer_fingerprint,
    resource_path,
    server_message,
    text_of,
    unsent,
)

try:
    import requests
except ImportError:  # the module layer reports it
    requests = None  # type: ignore[assignment]

UPLOAD_PATH = "/configuration/bootstrap"  # API fact "Conferencing Node deployment"
PROBE_TIMEOUT = 5.0  # seconds: the listener answers at once or is not there
UPLOAD_TIMEOUT = 30.0  # seconds
UPLOAD_ATTEMPTS = 3
UPLOAD_PAUSE = 1.0  # seconds after the first attempt, twice that after the second
SILENCE = timedelta(minutes=5)  # guide: as long may the status of a node that runs take


@dataclass(frozen=True)
class Listener:
    """The upload listener of a node that has not been configured yet.

    Its certificate is self-signed, so it is trusted by ``tls_fingerprint`` (SHA-256) or, without one, not verified.
    """

    host: str
    port: int = 8443
    tls_fingerprint: str | None = None

    @property
    def place(self) -> str:
        """Host and port as messages name them."""
        return f"{self.host}:{self.port}"

    def waiting(self) -> bool:
        """Whether a TLS listener accepts connections there now. Raises PexipError when it is not the pinned one."""
        try:
            presented = peer_fingerprint(self.host, self.port, PROBE_TIMEOUT)
        except OSError:
            return False
        if self.tls_fingerprint and presented != normalise_fingerprint(self.tls_fingerprint):
            raise PexipError(
                f"the listener at {self.place} presents the certificate {presented}, not the pinned bootstrap.tls_fingerprint: is it the right instance?"
            )
        return True

    def upload(self, document: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Uploads a configuration document; raises PexipError with the listener's words when it refuses.

        An answer that is lost is not the end: when the listener has gone since, it took the document and reboots; when it
        is there, a repeated upload is either taken now or refused as a second one (409): then the first one arrived.
        Where no answer ever comes and the listener stays, the error is ``lost``: the document may have been taken.
        """
        session, verify = open_session(validate_certs=False, ca_path=None, tls_fingerprint=self.tls_fingerprint)
        session.trust_env = False  # straight to the node, as the probe goes: through no proxy, with no .netrc
        failure, arrived, lost = "", False, False
        for attempt in range(1, UPLOAD_ATTEMPTS + 1):
            try:
                response = session.post(
                    f"https://{self.place}{UPLOAD_PATH}",
                    data=document.encode(),
                    headers={"Content-Type": "text/xml"},
                    timeout=UPLOAD_TIMEOUT,
                    verify=verify,
                    allow_redirects=False,
                )
            except requests.exceptions.RequestException as error:
                failure = describe(error)
                arrived = lost = arrived or not unsent(error)
            else:
                lost = False
                if response.status_code < 400 or (response.status_code == 409 and arrived):
                    return
                failure = f"{server_message(text_of(response))} ({response.status_code})"
                if response.status_code < 500:
                    break
                arrived = True
            sleep(UPLOAD_PAUSE * attempt)
            if arrived and not self._reachable():
                return
        if lost:
            raise PexipError(
                f"the listener at {self.place} did not answer, and may have taken the configuration document: {failure}",
                lost=True,
            )
        raise PexipError(f"the listener at {self.place} did not take the configuration document: {failure}")

    def _reachable(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=PROBE_TIMEOUT):
                return True
        except OSError:
            return False


def is_document(text: str) -> bool:
    """Whether a text may be a configuration document: well-formed XML, and no web page of something in between."""
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return False
    return root.tag.rpartition("}")[2].lower() != "html"


def document_name(hostname: str, domain: str) -> str:
    """The file name that the platform itself gives a configuration document (guide, "Download Conferencing Node Configuration")."""
    return f"pexip-{hostname}.{domain}.xml"


def write_document(directory: str, name: str, document: str) -> str:
    """Writes a configuration document, mode 0600, and returns its path; raises PexipError where it cannot.

    The file appears whole or not at all: the document cannot be had a second time.
    """
    path = os.path.join(directory, name)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{name}.")  # mkstemp makes it 0600
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            os.unlink(temporary)  # it is secret
        raise PexipError(f"config_path: {path} cannot be written: {error.strerror or error}") from None
    return path


@dataclass(frozen=True)
class DocumentPlace:
    """Where a node's configuration document is kept, with a mark beside it while one is expected.

    The mark is set before the registration, so that the next run sees what a run that was killed has lost.
    """

    directory: str
    name: str

    @property
    def path(self) -> str:
        """The document's path."""
        return os.path.join(self.directory, self.name)

    @property
    def _mark(self) -> str:
        return os.path.join(self.directory, f".{self.name}.pending")

    def lost(self) -> bool:
        """Whether the document of the last registration is not there; one that lies beside a mark is older."""
        return os.path.exists(self._mark) or not os.path.exists(self.path)

    def expect(self) -> None:
        """Sets the mark; raises PexipError where nothing can be written."""
        try:
            os.close(os.open(self._mark, os.O_CREAT | os.O_WRONLY | os.O_NOFOLLOW, 0o600))
        except OSError as error:
            raise PexipError(f"config_path: {self.path} cannot be written: {error.strerror}") from None

    def give_up(self) -> None:
        """Takes the mark away: there was no registration, or its document is there."""
        os.unlink(self._mark)

    def write(self, document: str) -> str:
        """Writes the document and returns its path; raises PexipError where it cannot."""
        path = write_document(self.directory, self.name, document)
        self.give_up()
        return path


def in_contact(status: dict[str, Any] | None, since: str | None = None) -> bool:
    """Whether a node's status row says that it has reported in.

    ``since`` is a ``last_updated`` read before the event (a start, an upload): only a newer one counts. Both are the
    server's own ISO 8601 times. Null means never. Raises ValueError for a time that is none.
    """
    if not status or status.get("sync_status") != "SYNCED" or not status.get("last_updated"):
        return False
    return since is None or moment(status["last_updated"]) > moment(since)


def moment(text: str) -> datetime:
    """A time of the platform, with microseconds and a zone or without (API fact); raises ValueError for anything else."""
    value = datetime.fromisoformat(text)
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def contact_line(name: str, status: dict[str, Any] | None) -> str:
    """What a node last reported, in words."""
    if status is None:
        return f"{name}: not registered"
    return (
        f"{name}: last updated {status.get('last_updated') or 'never'}, {status.get('sync_status') or 'no sync status'}"
    )


def newest_report(rows: list[dict[str, Any]]) -> datetime | None:
    """The latest time in the status rows of all nodes: the nearest thing to the server's own clock. None without one."""
    times = (row.get(name) for row in rows for name in ("last_updated", "last_attempted_contact"))
    return max((moment(time) for time in times if time), default=None)


def silent(status: dict[str, Any] | None, rows: list[dict[str, Any]]) -> bool:
    """Whether a node has stopped reporting (its instance is stopped, say), or never began; ``rows`` are all nodes' status."""
    return overdue(status, newest_report(rows))


def overdue(status: dict[str, Any] | None, newest: datetime | None) -> bool:
    """The same against the newest report of all nodes, for who asks of many nodes."""
    last = (status or {}).get("last_updated")
    return not last or newest is None or newest - moment(last) > SILENCE


@dataclass(frozen=True)
class Load:
    """What nodes carry, all of them read at once. A node is named by its name or its address there."""

    shards: list[dict[str, Any]]
    callers: list[dict[str, Any]]

    @classmethod
    def read(cls, client: Client) -> Load:
        """Reads it, in two requests."""
        return cls(
            client.list(resource_path("conference_shard", family="status")),
            client.list(resource_path("participant", family="status")),
        )

    def conferences(self, node: dict[str, Any]) -> int:
        """The number of conferences that a node hosts."""
        return sum(shard.get("node") in (node["name"], node["address"]) for shard in self.shards)

    def participants(self, node: dict[str, Any], *uses: str) -> int:
        """The number of participants whose media a node carries, or who use it in one of these ways (fields)."""
        names = {node["name"], node["address"]}
        return sum(not names.isdisjoint(caller.get(use) for use in uses or ("media_node",)) for caller in self.callers)
