"""One Management Node's platform: its database, its API, and what the rest of the lab may do with it."""

from __future__ import annotations

import contextlib
import json
import pathlib
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Protocol

from django.core.handlers.wsgi import WSGIHandler
from django.db import transaction
from django.http import HttpRequest
from tastypie.exceptions import ImmediateHttpResponse, TastypieError

from pexip_lab.api import authentication, database, installation, models, nodes, resources
from pexip_lab.api.base import Json
from pexip_lab.api.calls import Calls

Wsgi = Callable[[dict, Callable], Iterable[bytes]]
_serializer = Json()
_django = WSGIHandler()


class Clock(Protocol):
    """What the platform needs of the lab's clock."""

    def now(self) -> datetime:
        """The lab's time, aware, UTC."""


class Refused(ValueError):
    """An object that the API would have refused; the text is its answer."""


class Platform:
    """One Management Node.

    Args:
        path: a directory for its database.
        clock: the lab's clock.
        on_request: told of each API request served: method, resource (``worker_vm``, ``status/worker_vm``,
            ``command/platform/start_cloudnode``, ``schema``, ``index``, ``other``), status.
        capacities: HD calls by instance type, where they differ from the usual ones.
    """

    def __init__(
        self,
        path: pathlib.Path,
        clock: Clock,
        on_request: Callable[[str, str, int], object] | None = None,
        capacities: Mapping[str, int] | None = None,
    ):
        self.clock = clock
        self.capacities = capacities or {}
        self.calls = Calls(self)
        #: Told, from any thread, that calls, nodes or the global settings have changed.
        self.changed: Callable[[], object] = lambda: None
        self.rate_limit = authentication.RateLimit()
        #: Handlers of commands by path (``platform/start_cloudnode``): calls and bursting register theirs here.
        self.commands: dict[str, Callable[[dict], dict]] = {}
        #: Good credentials seen before, so that not every request pays for the slow hash (see authentication).
        self.known_credentials: dict[str, bytes] = {}
        self._on_request = on_request
        self._file = pathlib.Path(path) / "platform.sqlite3"
        if not self._file.exists():
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            database.create(self._file)
        self.alias = database.attach(self._file)
        self._application: Wsgi = self._serve

    @property
    def installed(self) -> bool:
        """Whether the installation wizard has been completed."""
        with self.using():
            return models.model("configuration", "management_vm").objects.filter(primary=True).exists()

    def install(self, **answers) -> None:
        """Do what the installation wizard does with its answers (see `installation.Answers`).

        Raises:
            RuntimeError: if it is installed already.
            TypeError: if an answer is missing or unknown.
        """
        if self.installed:
            raise RuntimeError("the Management Node is installed already")
        given = installation.Answers(**answers)
        with self.using(), transaction.atomic(using=self.alias):
            installation.install(given)

    @property
    def application(self) -> Wsgi:
        """The API as a WSGI application, for any number of threads; with the middleware added so far and later."""
        return self._through_middleware

    def _through_middleware(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        return self._application(environ, start_response)

    def add_middleware(self, middleware: Callable[[Wsgi], Wsgi]) -> None:
        """Put a WSGI middleware around the API: faults are injected so."""
        self._application = middleware(self._application)

    def using(self) -> contextlib.AbstractContextManager[None]:
        """Make the ORM work on this Management Node inside a ``with`` block."""
        return database.working_for(self)

    def create(self, resource: str, /, **fields) -> dict:
        """Create a configuration object as a POST would, with the same validation; references are URIs.

        Returns:
            The object as GET gives it. A new worker_vm has its configuration document too, as ``document``; an
            oauth2_client its ``private_key_jwt``.

        Raises:
            Refused: if the API would have answered 400.
        """
        handler = resources.resource("configuration", resource)
        request = HttpRequest()
        request.created = None
        with self.using(), transaction.atomic(using=self.alias):
            bundle = handler.build_bundle(data=dict(fields), request=request)
            try:
                bundle = handler.obj_create(bundle)
            except ImmediateHttpResponse as refusal:
                raise Refused(refusal.response.content.decode()) from None
            except TastypieError as refusal:
                raise Refused(str(refusal)) from None
            # Read back what was stored, as a client would.
            stored = handler.get_object_list(request).get(pk=bundle.obj.pk)
            data = _plain(handler, stored, request)
        if request.created:
            data |= {"private_key_jwt": request.created.data["private_key_jwt"]}
        return data | ({"document": request.document} if hasattr(request, "document") else {})

    def rows(self, resource: str, /, family: str = "configuration", **conditions) -> list[dict]:
        """All objects of a resource as GET gives them.

        Args:
            conditions: Django look-ups on the columns.
        """
        handler = resources.resource(family, resource)
        request = HttpRequest()
        with self.using():
            found = handler.get_object_list(request).filter(**conditions)
            return [_plain(handler, obj, request) for obj in found]

    def contact(
        self,
        *,
        token: str,
        address: str,
        version: str,
        boot_time: datetime,
        vcpus: int,
        ram_mb: int,
        instance_type: str | None,
    ) -> str:
        """Take the report of a Conferencing Node.

        Args:
            token: the secret of its configuration document.
            address: where it reports from.
            boot_time: when it started, aware.
            ram_mb: its memory in MB.
            instance_type: EC2's name for its size, or None outside EC2.

        Returns:
            ``ok``; ``unknown`` if no such node is configured: it was deleted, or registered anew; ``restart`` if the
            node must restart, for its location or type was changed.
        """
        with self.using(), transaction.atomic(using=self.alias):
            node = nodes.find(token, address)
            if node is None:
                return "unknown"
            if self.calls.outdated(address, boot_time):
                return "restart"
            nodes.contact(
                node,
                version=version,
                boot_time=boot_time,
                vcpus=vcpus,
                ram_mb=ram_mb,
                instance_type=instance_type,
            )
        self.calls.arrived(node.pk, address, boot_time)
        return "ok"

    def close(self) -> None:
        """Let go of the database; its file stays."""
        database.detach(self.alias)

    def _serve(self, environ: dict, start_response: Callable) -> Iterable[bytes]:
        """Answer one request, counted."""
        status = 500

        def started(line: str, headers: list, exc_info=None):
            nonlocal status
            status = int(line.split()[0])
            return start_response(line, headers, exc_info) if exc_info else start_response(line, headers)

        with self.using():
            response = _django(environ, started)
        if self._on_request:
            self._on_request(environ["REQUEST_METHOD"], _resource_of(environ.get("PATH_INFO", "")), status)
        return response


def _plain(handler, obj, request: HttpRequest) -> dict:
    bundle = handler.full_dehydrate(handler.build_bundle(obj=obj, request=request))
    return json.loads(_serializer.serialize(bundle))


def _resource_of(path: str) -> str:
    """The name under which a request is counted."""
    parts = path.strip("/").split("/")
    if parts[:2] != ["api", "admin"] or len(parts) < 4:
        return "other"
    family, rest = parts[2], parts[4:]
    if not rest:
        return "index"
    if rest[-1] == "schema":
        return "schema"
    if family == "command":
        return "/".join(["command", *rest])
    return rest[0] if family == "configuration" else f"{family}/{rest[0]}"
