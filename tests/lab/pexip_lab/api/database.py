"""One SQLite database a Management Node; which one is meant is a context variable."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import pathlib
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING
from weakref import WeakSet

from django.apps import apps
from django.db import connections
from django.db.backends.signals import connection_created

if TYPE_CHECKING:
    from pexip_lab.api.platform import Platform

_current: ContextVar[Platform] = ContextVar("pexip_lab_platform")
_numbers = itertools.count(1)
_lock = threading.Lock()
_opened: defaultdict[str, WeakSet] = defaultdict(WeakSet)


def current() -> Platform:
    """The Management Node that this thread works for.

    Raises:
        RuntimeError: if there is none; wrap the code in ``with platform.using():``.
    """
    try:
        return _current.get()
    except LookupError:
        raise RuntimeError("no Management Node chosen: use 'with platform.using():'") from None


@contextlib.contextmanager
def working_for(platform: Platform) -> Iterator[None]:
    """Make a Management Node the current one."""
    token = _current.set(platform)
    try:
        yield
    finally:
        _current.reset(token)


class Router:
    """Sends every query to the current Management Node's database."""

    def db_for_read(self, model, **hints) -> str:
        return current().alias

    def db_for_write(self, model, **hints) -> str:
        return current().alias

    def allow_relation(self, first, second, **hints) -> bool:
        return True


@functools.cache
def _empty() -> bytes:
    """A SQLite file with all tables and no rows."""
    connection = connections["default"]
    connection.ensure_connection()
    with connection.schema_editor() as editor:
        for model in apps.get_app_config("pexip").get_models():
            editor.create_model(model)
    content = connection.connection.serialize()
    connection.close()
    return content


def create(path: pathlib.Path) -> None:
    """Write an empty database; only its owner may read it, for it holds secrets."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_empty())


def attach(path: pathlib.Path) -> str:
    """Make a database file known to Django.

    Returns:
        Its alias.
    """
    alias = f"platform{next(_numbers)}"
    options = {
        "timeout": 30,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF",
    }
    settings = {"NAME": str(path), "CONN_MAX_AGE": None, "OPTIONS": options}
    with _lock:
        # A new dictionary, for threads that serve requests iterate over the old one.
        connections.settings = connections.settings | {alias: connections["default"].settings_dict | settings}
    return alias


def detach(alias: str) -> None:
    """Forget a database and close every thread's connection to it."""
    connections[alias].close()
    del connections[alias]
    with _lock:
        connections.settings = {name: value for name, value in connections.settings.items() if name != alias}
        opened = list(_opened.pop(alias, ()))
    for connection in opened:
        connection.inc_thread_sharing()  # Django lets only the thread that opened a connection close it otherwise
        connection.close()


def _note(sender: object, connection, **_signal: object) -> None:
    with _lock:
        _opened[connection.alias].add(connection)


connection_created.connect(_note)
