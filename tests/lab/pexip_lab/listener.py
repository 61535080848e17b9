"""Listening sockets that ask the firewall first, and HTTP servers on them."""

import asyncio
import contextlib
import errno
import logging
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

from cheroot import wsgi
from cheroot.server import HTTPConnection
from cheroot.ssl import Adapter

from .aws.endpoint import WsgiApp

_log = logging.getLogger(__name__)

Guard = Callable[[str], bool]
#: where a WSGI application finds the connection that its request came over
CONNECTION = "pexip_lab.connection"
# how often a shut door is looked at, in seconds
_SHUT_LOOK = 0.05


def reset_on_close(connection: socket.socket) -> None:
    """Let the peer see a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def cut_off(connection: HTTPConnection) -> None:
    """Reset the connection of an HTTP request; its server leaves it alone afterwards."""
    reset_on_close(connection.socket)
    connection.linger = True
    connection.socket.close()


class GuardedSocket(socket.socket):
    """A listening TCP socket; a connection that its guard refuses is reset at once and never handed on.

    :param guard: told the peer's address, says whether it may connect
    :raises OSError: the address or port cannot be bound
    """

    def __init__(self, address: str, port: int, guard: Guard):
        super().__init__(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # As web servers do: without it every answer on a kept-alive connection waits for the peer's delayed ACK.
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.bind((address, port))
            self.listen(128)
        except OSError as error:
            self.close()
            raise OSError(error.errno, f"cannot listen on {address}:{port}: {error.strerror}") from None
        self._guard = guard
        self._silent = False
        self._open = threading.Event()
        self._open.set()

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        """As accept(2), with ECONNABORTED for a connection that was refused."""
        if self._silent:
            raise ConnectionAbortedError(errno.ECONNABORTED, "no longer listening")
        if not self._open.wait(_SHUT_LOOK):
            raise ConnectionAbortedError(errno.ECONNABORTED, "not listening now")
        connection, peer = super().accept()
        if self._guard(peer[0]):
            return connection, peer
        reset_on_close(connection)
        connection.close()
        raise ConnectionAbortedError(errno.ECONNABORTED, f"connection from {peer[0]} refused")

    def silence(self) -> None:
        """Stop listening at once, and let another socket have the port; whoever serves it closes it later."""
        self._silent = True
        with contextlib.suppress(OSError):  # it is closed already
            self.shutdown(socket.SHUT_RDWR)

    def shut(self) -> None:
        """Refuse connections, as a port does where nobody listens, until it is opened again."""
        self._open.clear()
        with contextlib.suppress(OSError):  # it is closed, or shut already
            self.shutdown(socket.SHUT_RDWR)

    def open_again(self) -> None:
        """Listen again, unless it has been silenced."""
        if not self._silent and self.fileno() >= 0:
            self.listen(128)
        self._open.set()


class _Gateway(wsgi.Gateway_10):
    """Tells applications the connection, for the faults that happen there."""

    def get_environ(self) -> dict[str, Any]:
        return super().get_environ() | {CONNECTION: self.req.conn}


class HttpServer(wsgi.Server):
    """cheroot on a socket of ours, on a thread of its own."""

    def __init__(self, app: WsgiApp, listener: socket.socket, tls: Adapter | None, threads: int):
        super().__init__(listener.getsockname(), app, numthreads=threads, shutdown_timeout=1)
        self.ssl_adapter = tls
        self.keep_alive_conn_limit = 100
        self.gateway = _Gateway
        self._listener = listener

    def bind(self, family: int, type: int, proto: int = 0) -> socket.socket:
        self.socket = self._listener
        return self.socket

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        _log.log(level, "%s:%s %s", *self._listener_name, msg, exc_info=traceback)

    def open(self) -> None:
        """Begin to answer."""
        self._listener_name = self._listener.getsockname()
        self.prepare()
        self._thread = threading.Thread(target=self.serve, name=f"http-{self._listener_name}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Drop the connections and end the threads."""
        self.stop()
        self._thread.join()


@contextlib.asynccontextmanager
async def http_server(
    app: WsgiApp, listener: socket.socket, tls: Adapter | None = None, threads: int = 4
) -> AsyncIterator[None]:
    """Serve a WSGI application while the block runs.

    :param tls: certificate and key, for HTTPS
    """
    server = HttpServer(app, listener, tls, threads)
    server.open()
    try:
        yield
    finally:
        # stopping waits for requests in progress, which must not hold up the event loop
        await asyncio.shield(asyncio.to_thread(server.close))
