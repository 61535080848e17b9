"""A Conferencing Node: waits for its configuration document, reboots, and then reports to its Management Node."""

import asyncio
import email
import email.policy
import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from werkzeug.wsgi import ClosingIterator

from . import document, tls
from .document import Document, DocumentError
from .faults.certificate import Adapter
from .faults.fault import HANDSHAKE, REPORT
from .faults.http import Dialect, faulty
from .listener import http_server
from .machine import Machine

# guide: a node is available for conference hosting approximately 5 minutes after the upload, or after a start
SETTLE_SECONDS = 180
REPORT_SECONDS = 60
CONTACT_TIMEOUT = 5.0  # real seconds
UPLOAD_PATH = "/configuration/bootstrap"

FORM = """<!doctype html>
<title>Pexip Infinity Conferencing Node</title>
<h1>Conferencing Node configuration</h1>
<form method="post" action="/configuration/bootstrap" enctype="multipart/form-data">
<p>Configuration file: <input type="file" name="file"> <button>Upload</button></p>
</form>
"""


class UploadRefused(Exception):
    """An upload that the node does not take: an HTTP status and words."""

    def __init__(self, status: HTTPStatus, message: str):
        super().__init__(message)
        self.status = status


class ConferencingNode(Machine):
    """Takes its own document once. Its disk is the object, so it survives a stop and is gone with the instance."""

    kind = "conferencing"
    document: Document | None = None
    contact = "never"

    async def run(self) -> None:
        if self.document is None:
            await self._wait_for_document()
            return
        self.booted()
        await self.site.clock.sleep(SETTLE_SECONDS)
        await self._report()
        while self.contact != "restart":
            await self.site.clock.sleep(REPORT_SECONDS)
            await self._report()

    def configure(self, xml: bytes) -> None:
        """Take a configuration document.

        :raises UploadRefused: it is not for this node, is malformed, or is not the first one
        """
        if self.document is not None:
            raise UploadRefused(HTTPStatus.CONFLICT, "this Conferencing Node has already been configured")
        try:
            wanted = document.parse(xml)
        except DocumentError as error:
            raise UploadRefused(HTTPStatus.BAD_REQUEST, f"invalid configuration file: {error}") from None
        if wanted.address != self.hardware.address:
            raise UploadRefused(
                HTTPStatus.BAD_REQUEST,
                f"the configuration is for a node at {wanted.address}, and this node's address is "
                f"{self.hardware.address}",
            )
        self.document = wanted

    def describe(self) -> dict[str, Any]:
        name = self.document.name if self.document else ""
        return super().describe() | {"name": name, "configured": self.document is not None, "contact": self.contact}

    def _stop(self) -> asyncio.Task[None] | None:
        if self.document is not None and self.state != "off":
            self.site.lost(self.hardware.address)
        return super()._stop()

    async def _wait_for_document(self) -> None:
        loop = asyncio.get_running_loop()
        uploaded = asyncio.Event()
        form = UploadForm(self, lambda: loop.call_soon_threadsafe(uploaded.set))
        application = faulty(form, self.site.faults, self.site.requests, Dialect("node"))
        directory = self.hardware.directory
        certificate = (directory / "certificate.pem", directory / "key.pem")
        if not certificate[0].exists():
            certificate = tls.make_certificate(directory, [], [self.hardware.address])
        listener = self.listen(self.site.network.bootstrap_port, "node")
        adapter = Adapter(*certificate, lambda: self.site.faults.strikes("node", HANDSHAKE))
        async with http_server(application, listener, adapter, threads=2):
            self.booted()
            await uploaded.wait()

    async def _report(self) -> None:
        """Tell the Management Node that this node is there. What it says is on the machine's status line."""
        if self.site.faults.strikes("node", REPORT, self.labels):
            self.contact = "failed: timed out"
            self.site.left(self.hardware.address)
            return
        report = {
            "token": self.document.token,
            "address": self.hardware.address,
            "version": self.hardware.version,
            "boot_time": self.boot_time.isoformat(),
            "vcpus": self.hardware.vcpus,
            "ram_mb": self.hardware.ram_mb,
            "instance_type": self.hardware.instance_type,
        }
        try:
            async with asyncio.timeout(CONTACT_TIMEOUT):
                self.contact = await self._exchange(json.dumps(report).encode() + b"\n")
        except (OSError, TimeoutError) as error:
            self.contact = f"failed: {error or 'timed out'}"
            self.site.left(self.hardware.address)

    async def _exchange(self, line: bytes) -> str:
        reader, writer = await asyncio.open_connection(
            self.document.management_address, self.site.network.contact_port, local_addr=(self.hardware.address, 0)
        )
        try:
            writer.write(line)
            answer = await reader.readline()
            if not answer:
                raise ConnectionError("no answer")
            return answer.decode().strip()
        finally:
            writer.close()


class UploadForm:
    """The WSGI application of a node that has not been configured: the form at ``/``, the upload behind it.

    :param accepted: called when a document has been taken and its answer is on its way
    """

    def __init__(self, node: ConferencingNode, accepted: Callable[[], object]):
        self._node = node
        self._accepted = accepted

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        status, kind, text = HTTPStatus.OK, "text/plain", ""
        if path == "/" and method in ("GET", "HEAD"):
            kind, text = "text/html", FORM
        elif path == UPLOAD_PATH and method == "POST":
            try:
                self._node.configure(_uploaded(environ))
                text = "Configuration accepted. The Conferencing Node reboots now.\n"
            except UploadRefused as refusal:
                status, text = refusal.status, f"Configuration refused: {refusal}\n"
        elif path in ("/", UPLOAD_PATH):
            status, text = HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not allowed here\n"
        else:
            status, text = HTTPStatus.NOT_FOUND, "there is no such page\n"
        body = text.encode()
        headers = [("Content-Type", f"{kind}; charset=utf-8"), ("Content-Length", str(len(body)))]
        start_response(f"{status.value} {status.phrase}", headers)
        return ClosingIterator([b"" if method == "HEAD" else body], [self._answered])

    def _answered(self) -> None:
        """The answer has been written: now the node may reboot."""
        if self._node.document is not None:
            self._accepted()


def _uploaded(environ: dict[str, Any]) -> bytes:
    """The document in a request: the body itself, or the file of the form.

    :raises UploadRefused: empty, or of another type
    """
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    content_type = environ.get("CONTENT_TYPE", "")
    kind = content_type.split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        message = email.message_from_bytes(
            f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=email.policy.HTTP
        )
        files = [part.get_payload(decode=True) for part in message.iter_parts() if part.get_filename()]
        body = files[0] if files else b""
    elif kind not in ("text/xml", "application/xml"):
        raise UploadRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the configuration must be uploaded as text/xml")
    if not body.strip():
        raise UploadRefused(HTTPStatus.BAD_REQUEST, "the upload holds no configuration file")
    return body
