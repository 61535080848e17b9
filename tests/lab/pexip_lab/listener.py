"""Listening sockets that ask the firewall first, and HTTP servers on them."""

import asyncio
import contextlib
import errno
import logging
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from .aws.endpoint import WsgiApp

_log = logging.getLogger(__name__)

Guard = Callable[[str], bool]


def reset_on_close(connection: socket.socket) -> None:
    """Let the peer see a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


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

    def accept(self) -> tuple[socket.socket, tuple[str, int]]:
        """As accept(2), with ECONNABORTED for a connection that was refused."""
        if self._silent:
            raise ConnectionAbortedError(errno.ECONNABORTED, "no longer listening")
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


class HttpServer(wsgi.Server):
    """cheroot on a socket of ours, on a thread of its own."""

    def __init__(self, app: WsgiApp, listener: socket.socket, certificate: tuple[Path, Path] | None, threads: int):
        super().__init__(listener.getsockname(), app, numthreads=threads, shutdown_timeout=1)
        if certificate is not None:
            self.ssl_adapter = BuiltinSSLAdapter(str(certificate[0]), str(certificate[1]))
        self.keep_alive_conn_limit = 100
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
    app: WsgiApp, listener: socket.socket, certificate: tuple[Path, Path] | None = None, threads: int = 4
) -> AsyncIterator[None]:
    """Serve a WSGI application while the block runs.

    :param certificate: paths of certificate and key, for HTTPS
    """
    server = HttpServer(app, listener, certificate, threads)
    server.open()
    try:
        yield
    finally:
        # stopping waits for requests in progress, which must not hold up the event loop
        await asyncio.shield(asyncio.to_thread(server.close))
