# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is particular to a Conferencing Node: its upload listener, its configuration document, its contact."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .client import (
    PexipError,
    describe,
    normalise_fingerprint,
    open_session,
    peer_fingerprint,
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
        """
        session, verify = open_session(validate_certs=False, ca_path=None, tls_fingerprint=self.tls_fingerprint)
        session.trust_env = False  # straight to the node, as the probe goes: through no proxy, with no .netrc
        failure, arrived = "", False
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
                arrived = arrived or not unsent(error)
            else:
                if response.status_code < 400 or (response.status_code == 409 and arrived):
                    return
                failure = f"{server_message(text_of(response))} ({response.status_code})"
                if response.status_code < 500:
                    break
                arrived = True
            sleep(UPLOAD_PAUSE * attempt)
            if arrived and not self._reachable():
                return
        raise PexipError(f"the listener at {self.place} did not take the configuration document: {failure}")

    def _reachable(self) -> bool:
        try:
            with socket.create_connection((self.host, self.port), timeout=PROBE_TIMEOUT):
                return True
        except OSError:
            return False


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
