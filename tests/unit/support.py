# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real TLS server on 127.0.0.1, scripted by each test, and a small management API to put behind it."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import trustme
from ansible.module_utils.common import warnings
from ansible.module_utils.common.parameters import PASS_VARS
from ansible.module_utils.testing import patch_module_args
from ansible_collections.pexip.infinity.plugins.module_utils.client import Client, Connection

CUT, RESET, TRUNCATED = "cut", "reset", "truncated"  # how an answer gets lost
PASSWORD = "web-admin-Secret#1"
CONFIGURATION = "/api/admin/configuration/v1/"


@functools.cache
def authority() -> trustme.CA:
    """One certificate authority a test run."""
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@functools.cache
def identity(*names: str) -> tuple[ssl.SSLContext, str]:
    """A server's TLS context with a certificate for these names, and the certificate's fingerprint."""
    certificate = authority().issue_cert(*names, key_type=trustme.KeyType.ECDSA)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    der = ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
    return context, hashlib.sha256(der).hexdigest()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return unused.getsockname()[1]


@dataclass
class Request:
    """What arrived: ``target`` is the request line's own, ``query`` its parameters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query))

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def line(self) -> str:
        """Method and path from the resource on, as the tests name a request."""
        return f"{self.method} {self.path.split('/v1/')[-1]}"


@dataclass
class Reply:
    """An answer: a text or bytes as they are, anything else as JSON."""

    status: int = 200
    body: Any = b""
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, dict[str, str]]:
        if isinstance(self.body, (bytes, str)):
            body = self.body if isinstance(self.body, bytes) else self.body.encode()
            return body, self.headers
        return json.dumps(self.body).encode(), {"Content-Type": "application/json", **self.headers}


@dataclass
class Fault:
    """What befalls the next request of this method and path: a Reply in place of the true one, or a lost answer.

    ``acted`` says whether the server does what was asked before the answer is lost; ``then`` runs after it.
    """

    kind: str | Reply
    method: str = ""
    path: str = ""
    acted: bool = False
    then: Callable[[], None] = lambda: None

    def meets(self, request: Request) -> bool:
        return self.method in ("", request.method) and self.path in request.path


class Server(ThreadingHTTPServer):
    """Answers with ``answer``, after the ``faults`` and the ``script`` (replies for the next requests) are used up."""

    daemon_threads = True

    def __init__(
        self,
        answer: Callable[[Request], Reply] | None = None,
        *,
        names: tuple[str, ...] = ("127.0.0.1",),
        port: int = 0,
    ):
        super().__init__(("127.0.0.1", port), _Handler)
        self.answer = answer or (lambda request: Reply(404))
        self.script: list[Reply | str] = []
        self.faults: list[Fault] = []
        self.requests: list[Request] = []
        self.refused_handshakes = 0
        self.connections = 0
        self.context, self.fingerprint = identity(*names)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return self.server_address[1]

    @property
    def lines(self) -> list[str]:
        """The requests so far, as the tests name them."""
        return [request.line for request in self.requests]

    @property
    def writes(self) -> list[str]:
        """The requests so far that change something."""
        return [request.line for request in self.requests if request.method != "GET"]

    def connection(self, **options: Any) -> Connection:
        """A connection that trusts nobody until the test says whom."""
        return Connection("127.0.0.1", **{"port": self.port, "password": PASSWORD, "timeout": 5, **options})

    def client(self, sleeps: list[float] | None = None, **options: Any) -> Client:
        """A client that is pinned to this server; its back-off is noted in ``sleeps`` and not slept."""
        pauses = sleeps if sleeps is not None else []
        connection = self.connection(**{"tls_fingerprint": self.fingerprint, **options})
        return Client(connection, sleep=pauses.append)

    def stop(self) -> None:
        """Takes the socket away; later connections are refused."""
        self.shutdown()
        self.server_close()
        self._thread.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def setup(self) -> None:
        self.server.connections += 1
        if self.server.refused_handshakes:
            self.server.refused_handshakes -= 1
            raise ConnectionError("the test wants no handshake")
        self.request.settimeout(10)
        self.request = self.server.context.wrap_socket(self.request, server_side=True)
        super().setup()

    def finish(self) -> None:
        super().finish()
        self.request.close()

    def log_message(self, *args: Any) -> None:
        """Silent."""

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
        server = self.server
        server.requests.append(request)
        fault = next((fault for fault in server.faults if fault.meets(request)), None)
        if fault:
            server.faults.remove(fault)
            reply = server.answer(request) if fault.acted else Reply(body="cut short")
            fault.then()
            self._give(reply, fault.kind)
        elif server.script:
            self._give(Reply(body="cut short"), server.script.pop(0))
        else:
            self._give(server.answer(request), "")

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _handle

    def _give(self, reply: Reply, kind: Reply | str) -> None:
        if isinstance(kind, Reply):
            reply, kind = kind, ""
        if kind in (CUT, RESET):
            if kind == RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        body, headers = reply.encoded()
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if kind == TRUNCATED else body)
        self.close_connection = kind == TRUNCATED


class Memory:
    """A management API in memory: lists with filters and pages, single objects, unique names, schemas.

    ``nested`` maps (resource, field) to the resource that GET shows there as whole objects. ``hidden`` fields are stored
    and never shown. A schema's ``filtering`` says what its lists can be filtered by. ``documents`` names resources whose
    creation answers with an XML text. ``defaults`` fill creations.
    """

    def __init__(
        self,
        tables: dict[str, list[dict[str, Any]]] | None = None,
        *,
        status: dict[str, list[dict[str, Any]]] | None = None,
        nested: dict[tuple[str, str], str] | None = None,
        hidden: tuple[str, ...] = ("password",),
        documents: tuple[str, ...] = (),
        defaults: dict[str, dict[str, Any]] | None = None,
        schemas: dict[str, dict[str, Any]] | None = None,
        unique: str = "name",
    ):
        self._ids = itertools.count(1)
        self.tables = {name: {} for name in tables or {}}
        for name, objects in (tables or {}).items():
            for item in objects:
                self.add(name, item)
        self.status = status or {}
        self.nested = nested or {}
        self.hidden = hidden
        self.documents = documents
        self.defaults = defaults or {}
        self.schemas = schemas or {}
        self.unique = unique
        self.document = "<?xml version='1.0'?>\n<configuration>Zürich {name} {key}</configuration>"

    def add(self, resource: str, item: dict[str, Any]) -> dict[str, Any]:
        """Puts an object there; its id is the next free one unless it has one."""
        key = item.get("id") or next(self._ids)
        stored = {**item, "id": key, "resource_uri": f"{CONFIGURATION}{resource}/{key}/"}
        self.tables.setdefault(resource, {})[key] = stored
        return stored

    def of(self, resource: str) -> list[dict[str, Any]]:
        """The objects of a resource as they are stored."""
        return list(self.tables.get(resource, {}).values())

    def __call__(self, request: Request) -> Reply:
        family, _version, *rest = request.path.split("/")[3:-1]
        if not rest:
            return Reply(body={name: {} for name in (self.tables if family == "configuration" else self.status)})
        if family == "status":
            return self._list(request, self.status[rest[0]]) if rest[0] in self.status else Reply(404)
        if rest[0] not in self.tables:
            return Reply(404)
        if rest[1:] == ["schema"]:
            return Reply(body=self.schemas[rest[0]])
        return self._detail(request, *rest) if len(rest) > 1 else self._collection(request, rest[0])

    def shown(self, resource: str, item: dict[str, Any]) -> dict[str, Any]:
        """An object as GET gives it."""
        seen = {key: value for key, value in item.items() if key not in self.hidden}
        for (owner, name), target in self.nested.items():
            if owner == resource and seen.get(name):
                objects = {other["resource_uri"]: other for other in self.of(target)}
                value = seen[name]
                seen[name] = [objects[uri] for uri in value] if isinstance(value, list) else objects[value]
        return seen

    def _list(self, request: Request, objects: list[dict[str, Any]]) -> Reply:
        query = request.query
        limit, offset = int(query.pop("limit", 20)), int(query.pop("offset", 0))
        found = [item for item in objects if all(str(item.get(key)) == value for key, value in query.items())]
        following = f"{request.path}?limit={limit}&offset={offset + limit}" if offset + limit < len(found) else None
        meta = {"limit": limit, "offset": offset, "total_count": len(found), "next": following, "previous": None}
        return Reply(body={"meta": meta, "objects": found[offset : offset + limit]})

    def _collection(self, request: Request, resource: str) -> Reply:
        filtering = self.schemas.get(resource, {}).get("filtering")
        refused = [
            name for name in request.query if filtering is not None and name not in (*filtering, "limit", "offset")
        ]
        if refused:
            return Reply(400, {"error": f"The '{refused[0]}' field does not allow filtering."})
        if request.method == "GET":
            return self._list(request, [self.shown(resource, item) for item in self.of(resource)])
        if request.method != "POST":
            raise AssertionError(f"{request.method} on the list of {resource}")
        wanted = request.json
        if any(self.unique in wanted and item.get(self.unique) == wanted[self.unique] for item in self.of(resource)):
            return Reply(400, {resource: {self.unique: [f"{resource} with this {self.unique} already exists."]}})
        made = self.add(resource, {**self.defaults.get(resource, {}), **wanted})
        text = self.document.format(name=made.get("name"), key=made["id"]) if resource in self.documents else ""
        return Reply(201, text, {"Location": f"https://manager{made['resource_uri']}", "Content-Type": "text/xml"})

    def _detail(self, request: Request, resource: str, key: str) -> Reply:
        table = self.tables[resource]
        item = table.get(int(key)) if key.isdecimal() else None
        if item is None:
            return Reply(404)
        if request.method == "GET":
            return Reply(body=self.shown(resource, item))
        if request.method == "PATCH":
            item.update(request.json)
            return Reply(202)
        del table[item["id"]]
        return Reply(204)


def run_module(module: Any, *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
    """Runs a module's ``main`` and returns its JSON, with ``stdout`` the very text that it printed."""
    warnings._global_warnings.clear()  # a module's process has its own
    given = {
        "_ansible_check_mode": check,
        "_ansible_diff": diff,
        "_ansible_verbosity": 4,
        **args,
    }
    if "inject_invocation" in PASS_VARS:  # from ansible-core 2.21 on it is left out unless asked for
        given["_ansible_inject_invocation"] = True
    with pytest.MonkeyPatch.context() as patch, patch_module_args(given):
        printed: list[str] = []
        # A module's warnings go into its result; beside tests of action plugins Ansible takes this process for its own.
        patch.setattr("ansible.module_utils._internal.is_controller", False, raising=False)
        patch.setattr("builtins.print", lambda *values, **options: printed.append(" ".join(map(str, values))))
        with pytest.raises(SystemExit):
            module.main()
    text = "\n".join(printed)
    return {**json.loads(text), "stdout": text}


def run_on(server: Server, module: Any, **args: Any) -> dict[str, Any]:
    """Runs a module against a server."""
    place = {"host": "127.0.0.1", "port": server.port, "password": PASSWORD, "tls_fingerprint": server.fingerprint}
    return run_module(module, **{**place, **args})
