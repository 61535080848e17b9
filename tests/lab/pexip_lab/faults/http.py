"""Faults of HTTP servers, as a WSGI middleware. AWS has a dialect of its own (`aws.py`)."""

import contextlib
import errno
import io
import json
import select
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn

from cheroot.server import HTTPConnection
from werkzeug.wsgi import ClosingIterator

from ..aws.endpoint import WsgiApp
from ..counters import Requests
from ..listener import CONNECTION, cut_off
from .fault import AFTER, BEFORE, REQUEST, Event, Fault
from .registry import Faults

PIECE_SECONDS = 0.1
LOOK_SECONDS = 0.5  # how often a request that waits looks whether its server is still there
# what a proxy says that stands in front of a server
PAGE = "<html>\n<head><title>{0}</title></head>\n<body>\n<center><h1>{0}</h1></center>\n</body>\n</html>\n"
# neither JSON nor well-formed XML
MISPLACED = (
    b'<!doctype html>\n<html>\n<head><meta charset="utf-8"><title>Welcome</title></head>\n<body></body>\n</html>\n'
)


@dataclass
class Answer:
    """An answer that has not been sent yet."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    close: Callable[[], object] = lambda: None

    def header(self, name: str, value: str) -> None:
        """Set one header."""
        self.headers = [item for item in self.headers if item[0].lower() != name.lower()] + [(name, value)]


class Dialect:
    """How requests are read and failures are told: here as a Management Node and its proxy do it.

    :param on: api or node
    """

    def __init__(self, on: str):
        self.on = on

    def read(self, environ: dict[str, Any]) -> tuple[str, str] | None:
        """Method and path of a request; None for one that no fault may touch."""
        query = environ.get("QUERY_STRING", "")
        return environ["REQUEST_METHOD"], environ["PATH_INFO"] + (f"?{query}" if query else "")

    def failure(self, event: Event, status: HTTPStatus) -> Answer:
        """An answer of a status of 400 and above."""
        line = f"{status.value} {status.phrase}"
        if status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT):
            return Answer(line, [("Content-Type", "text/html")], PAGE.format(line).encode())
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS):
            return Answer(line, [("Content-Type", "text/html; charset=utf-8")], b"")
        text = json.dumps({"error_message": "Sorry, this request could not be processed. Please try again later."})
        return Answer(line, [("Content-Type", "application/json")], text.encode())

    def unauthorized(self, event: Event) -> Answer:
        """The answer to credentials that are no good."""
        answer = self.failure(event, HTTPStatus.UNAUTHORIZED)
        answer.header("WWW-Authenticate", 'Basic Realm="Pexip Infinity"')
        return answer


@dataclass
class Exchange:
    """One request that a fault has struck."""

    fault: Fault
    event: Event
    dialect: Dialect
    app: WsgiApp
    environ: dict[str, Any]
    start_response: Callable[..., Any]

    @property
    def connection(self) -> HTTPConnection:
        return self.environ[CONNECTION]

    def take(self) -> None:
        """Read the body, so that the client has sent all of its request."""
        body = self.environ["wsgi.input"].read(int(self.environ.get("CONTENT_LENGTH") or 0))
        self.environ["wsgi.input"] = io.BytesIO(body)

    def act(self) -> Answer:
        """Let the request take effect."""
        told: list[Any] = []
        response = self.app(self.environ, lambda status, headers, exc_info=None: told.extend((status, list(headers))))
        return Answer(told[0], told[1], b"".join(response), getattr(response, "close", lambda: None))

    def send(self, answer: Answer, pieces: Iterable[bytes] | None = None) -> Iterable[bytes]:
        """Send an answer, or only some pieces of its body."""
        if not any(name.lower() == "content-length" for name, _value in answer.headers):
            answer.header("Content-Length", str(len(answer.body)))
        if pieces is None:
            pieces = [b"" if self.environ["REQUEST_METHOD"] == "HEAD" else answer.body]
        self.start_response(answer.status, answer.headers)
        return ClosingIterator(pieces, [answer.close])

    def fail(self, answer: Answer) -> Iterable[bytes]:
        """Send another answer than that of the server, before or after the request takes effect."""
        if self.fault.when == AFTER:
            answer.close = self.act().close
        return self.send(answer)

    def reset(self, answer: Answer | None = None) -> NoReturn:
        """Cut the connection; the answer is never sent."""
        cut_off(self.connection)
        if answer is not None:
            answer.close()
        raise lost()

    def wait(self, seconds: float, for_client: bool = False) -> None:
        """Wait, until the fault is cleared at the longest, or with ``for_client`` until the client has gone.

        :raises ConnectionResetError: meanwhile the server has come to its end, and the request with it
        """
        poll = select.poll()
        poll.register(self.fault.released, select.POLLIN)
        if for_client:
            poll.register(self.connection.socket.fileno(), select.POLLRDHUP)
        end = time.monotonic() + seconds
        while self.connection.server.ready and (left := end - time.monotonic()) > 0:
            if poll.poll(min(left, LOOK_SECONDS) * 1000):
                break
        if not self.connection.server.ready:
            raise lost()


def lost() -> ConnectionResetError:
    """What ends a request without an answer."""
    return ConnectionResetError(errno.ECONNRESET, "a fault of the lab")


def _hold(exchange: Exchange) -> Iterable[bytes]:
    """Give no answer ever: the connection is cut when the hold ends."""
    answer = exchange.act() if exchange.fault.when == AFTER else None
    with contextlib.suppress(ConnectionResetError), exchange.fault.holding(exchange.event):
        exchange.wait(exchange.fault.seconds or 0, for_client=True)
    exchange.reset(answer)


def _delay(exchange: Exchange) -> Iterable[bytes]:
    # a client that gives up meanwhile does not take its request back
    if exchange.fault.when == BEFORE:
        exchange.wait(exchange.fault.seconds or 0)
        return exchange.send(exchange.act())
    answer = exchange.act()
    exchange.wait(exchange.fault.seconds or 0)
    return exchange.send(answer)


def _status(exchange: Exchange) -> Iterable[bytes]:
    answer = exchange.dialect.failure(exchange.event, HTTPStatus(exchange.fault.status))
    if exchange.fault.retry_after is not None:
        answer.header("Retry-After", str(exchange.fault.retry_after))
    return exchange.fail(answer)


def _unauthorized(exchange: Exchange) -> Iterable[bytes]:
    return exchange.fail(exchange.dialect.unauthorized(exchange.event))


def _reset(exchange: Exchange) -> Iterable[bytes]:
    exchange.reset(exchange.act() if exchange.fault.when == AFTER else None)


def _refuse(exchange: Exchange) -> Iterable[bytes]:
    """What is not listening any more has no old connections either."""
    exchange.reset()


def _truncate(exchange: Exchange) -> Iterable[bytes]:
    answer = exchange.act()
    answer.header("Content-Length", str(max(len(answer.body), 2)))
    return exchange.send(answer, _half(answer.body))


def _half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]
    raise lost()


def _garbage(exchange: Exchange) -> Iterable[bytes]:
    answer = exchange.act() if exchange.fault.when == AFTER else Answer("200 OK", [], b"")
    answer.body = MISPLACED
    answer.header("Content-Type", "text/html")
    answer.header("Content-Length", str(len(MISPLACED)))
    return exchange.send(answer)


def _slow(exchange: Exchange) -> Iterable[bytes]:
    answer = exchange.act()
    return exchange.send(answer, _trickle(exchange, answer.body))


def _trickle(exchange: Exchange, body: bytes) -> Iterator[bytes]:
    seconds = exchange.fault.seconds or 0
    count = max(1, min(len(body), int(seconds / PIECE_SECONDS)))
    size = -(-len(body) // count)
    for start in range(0, len(body), size or 1):
        exchange.wait(seconds / count)
        yield body[start : start + size]


Carrier = Callable[[Exchange], Iterable[bytes]]
CARRIERS: dict[str, Carrier] = {
    "hold": _hold,
    "delay": _delay,
    "status": _status,
    "unauthorized": _unauthorized,
    "reset": _reset,
    "refuse": _refuse,
    "truncate": _truncate,
    "garbage": _garbage,
    "slow": _slow,
}


def faulty(
    app: WsgiApp, faults: Faults, requests: Requests, dialect: Dialect, more: dict[str, Carrier] | None = None
) -> WsgiApp:
    """Put the faults of one sort of server around its application; its writing requests are numbered.

    :param more: what carries out further kinds of fault
    """
    carriers = CARRIERS | (more or {})

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if (read := dialect.read(environ)) is None:
            return app(environ, start_response)
        event = Event(dialect.on, REQUEST, *read, write=requests.arrived(dialect.on, *read))
        if (fault := faults.strike(event)) is None:
            return app(environ, start_response)
        exchange = Exchange(fault, event, dialect, app, environ, start_response)
        exchange.take()
        return carriers[fault.kind](exchange)

    return serve
