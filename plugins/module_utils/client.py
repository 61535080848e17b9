# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that speaks HTTP to a Management Node."""

from __future__ import annotations

import hashlib
import json
import random
import re
import socket
import ssl
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urlsplit

try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import LocationValueError, NewConnectionError
    from urllib3.exceptions import SSLError as TransportSSLError
    from urllib3.util.ssl_ import create_urllib3_context

    REQUESTS_IMPORT_ERROR = None
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()
    HTTPAdapter = object  # type: ignore[assignment,misc]

PAGE_SIZE = 1000
ATTEMPTS = 5
FIRST_PAUSE = 0.5  # seconds before the second attempt; doubled up to the cap
BACKOFF_CAP = 8.0  # seconds
RETRY_AFTER_CAP = 60.0  # seconds: the rate limit counts the requests of one minute (API fact "Limit 1000 requests")
BUSY_STATUSES = (502, 503, 504)
MESSAGE_LIMIT = 2000  # characters of a server's answer that an error quotes

# In a filter the API's framework takes these for a boolean or for null, also where a text is meant.
MISREAD = ("true", "True", "false", "False", "nil", "none", "None")

ROOT = "/api/admin/{family}/v1/"
FAMILIES = ("configuration", "status", "history", "command")
URI_PATTERN = re.compile(r"^/api/admin/(?P<family>[a-z]+)/v1/(?P<resource>[a-z0-9_]+)/(?P<key>[^/?#\s]+)/")


class PexipError(Exception):
    """What went wrong between us and a Management Node, said for an operator.

    Attributes: ``status`` the HTTP status or None, ``method`` and ``path`` of the request or None,
    ``lost`` True when a request may have taken effect although no proper answer came, ``away`` True when the Management Node
    did not answer, or asked to come again later, until the last attempt: a later one may succeed.
    Never holds headers or request bodies.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        method: str | None = None,
        path: str | None = None,
        lost: bool = False,
        away: bool = False,
    ):
        super().__init__(message)
        self.status = status
        self.method = method
        self.path = path
        self.lost = lost
        self.away = away

    def about(self, label: str) -> PexipError:
        """Itself, with what it is about in front where the message does not name it."""
        if label not in str(self):
            self.args = (f"{label}: {self}",)
        return self


@dataclass(frozen=True)
class Connection:
    """How to reach the management API.

    ``timeout`` is in seconds and holds for connecting and for each wait for an answer.
    Trust: ``tls_fingerprint`` (SHA-256, hexadecimal, colons allowed) pins one certificate, else ``ca_path``
    (a file or directory), else the authorities that the system trusts; ``validate_certs=False`` trusts anybody.
    """

    host: str
    port: int = 443
    username: str = "admin"
    password: str = ""
    validate_certs: bool = True
    ca_path: str | None = None
    tls_fingerprint: str | None = None
    timeout: float = 30

    def __repr__(self) -> str:
        return f"Connection({self.username}@{self.host}:{self.port})"

    @property
    def authority(self) -> str:
        """Host and port as a URL writes them (IPv6 in brackets)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True)
class Answer:
    """One answer of the API: ``status``, ``location`` (the path of a new object, or None) and ``text``, the body."""

    status: int
    location: str | None
    text: str

    def json(self) -> Any:
        """The body as JSON; raises ValueError where it is something else."""
        return json.loads(self.text)


def resource_path(resource: str, key: str | int | None = None, family: str = "configuration") -> str:
    """The path of a resource's list or, with ``key``, of one object; every part is escaped.

    ``platform__start_cloudnode`` is the fact files' spelling of ``platform/start_cloudnode``.
    Raises ValueError for a name or key that cannot be part of a path.
    """
    if family not in FAMILIES:
        raise ValueError(f"unknown API family {family!r}")
    if not re.fullmatch(r"[a-z0-9_]+", resource):
        raise ValueError(
            f"{resource!r} is not the name of an API resource (lower-case letters, digits and underscores)"
        )
    path = ROOT.format(family=family) + resource.replace("__", "/") + "/"
    if key is None:
        return path
    if str(key) in ("", ".", ".."):
        raise ValueError(f"{key!r} does not name an object of {resource}")
    return path + quote(str(key), safe="") + "/"


def is_uri(value: Any) -> bool:
    """Whether a value is the URI of one API object, as references are written on the wire."""
    match = URI_PATTERN.fullmatch(value) if isinstance(value, str) else None
    # A dot segment vanishes on its way and leaves the URI of the whole list.
    return match is not None and unquote(match["key"]) not in (".", "..")


def normalise_fingerprint(fingerprint: str) -> str:
    """A SHA-256 fingerprint as 64 lower-case hexadecimal digits; raises ValueError for anything else."""
    digits = re.sub(r"^sha-?256:", "", fingerprint.strip(), flags=re.IGNORECASE).replace(":", "").lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ValueError(
            "a TLS fingerprint is the SHA-256 digest of the certificate: 64 hexadecimal digits, colons allowed"
        )
    return digits


def peer_fingerprint(host: str, port: int, timeout: float) -> str:
    """The SHA-256 fingerprint (hexadecimal) of the certificate that a TLS listener presents.

    Looks only: nothing is sent and nothing trusted. ``timeout`` in seconds; raises OSError when nobody answers.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        socket.create_connection((host, port), timeout=timeout) as plain,
        context.wrap_socket(plain, server_hostname=host) as tls,
    ):
        certificate = tls.getpeercert(binary_form=True)
    return hashlib.sha256(certificate or b"").hexdigest()


def system_authorities() -> str:
    """File or directory of the authorities that the system trusts, as OpenSSL knows them, else those of ``requests``."""
    known = ssl.get_default_verify_paths()
    return known.cafile or known.capath or requests.certs.where()


class UnverifiedAdapter(HTTPAdapter):
    """For sessions that do not verify the chain: talks to the holder of one certificate, or without a pin to anybody."""

    def __init__(self, fingerprint: str | None):
        # A context of our own: by default the system's authorities are loaded, which nobody asks here (50 ms a task).
        context = create_urllib3_context(cert_reqs=ssl.CERT_NONE)
        self._trust = {"ssl_context": context, "assert_fingerprint": fingerprint}
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Adds the pin to each connection pool."""
        super().init_poolmanager(*args, **self._trust, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Adds it behind a proxy, too."""
        return super().proxy_manager_for(proxy, **self._trust, **kwargs)


def open_session(*, validate_certs: bool, ca_path: str | None, tls_fingerprint: str | None) -> tuple[Any, Any]:
    """A ``requests`` session and the ``verify`` value that has to go with every request.

    The value is passed on each request, and is never True: else the environment's REQUESTS_CA_BUNDLE overrides it.
    """
    session = requests.Session()
    if validate_certs and not tls_fingerprint:
        return session, ca_path or system_authorities()
    # A pin is the trust; the chain of a self-signed certificate proves nothing.
    session.mount("https://", UnverifiedAdapter(normalise_fingerprint(tls_fingerprint) if tls_fingerprint else None))
    requests.packages.urllib3.disable_warnings(requests.packages.urllib3.exceptions.InsecureRequestWarning)
    return session, False


class Client:
    """Requests to one Management Node over one keep-alive session.

    Retries what is safe to repeat: GET, PATCH (absolute values) and DELETE after connection errors, 429, 502, 503 and 504;
    POST only after 429 (refused before acting) or when no connection was ever made. A POST without a proper answer
    raises PexipError with ``lost=True``: the caller looks the object up before anything else.
    """

    def __init__(
        self, connection: Connection, *, attempts: int = ATTEMPTS, sleep: Callable[[float], None] = time.sleep
    ):
        self.connection = connection
        self._attempts = attempts
        self._sleep = sleep
        self._base = f"https://{connection.authority}"
        self._session, self._verify = open_session(
            validate_certs=connection.validate_certs,
            ca_path=connection.ca_path,
            tls_fingerprint=connection.tls_fingerprint,
        )
        # OAuth2 (a bearer token from a client assertion) takes this place when it comes.
        self._session.auth = (connection.username.encode(), connection.password.encode())
        self._session.headers.update({"Accept": "application/json", "User-Agent": "pexip.infinity (Ansible)"})

    def get(self, path: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """One object or one page; raises PexipError, with status 404 where nothing is."""
        return self._decode(self._request("GET", path, params=params), "GET", path)

    def list(self, path: str, params: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Every object of a list, page by page."""
        return [item for page in self.pages(path, params) for item in page]

    def pages(self, path: str, params: dict[str, Any] | None = None) -> Iterator[list[dict[str, Any]]]:
        """The pages of a list; follows ``meta.next``, which must stay on this API."""
        following: str | None = path
        query: dict[str, Any] | None = {"limit": PAGE_SIZE, **(params or {})}
        while following:
            page = self.get(following, query)
            if not isinstance(page.get("objects"), list) or not isinstance(page.get("meta"), dict):
                raise PexipError(
                    f"{self._asked('GET', path)}: the answer is not a list of the management API",
                    method="GET",
                    path=path,
                )
            yield page["objects"]
            following, query = page["meta"].get("next"), None
            if following and not following.startswith(path + "?"):
                raise PexipError(
                    f"{self._asked('GET', path)}: the next page is said to be at {following!r}, outside this list",
                    method="GET",
                    path=path,
                )

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Creates an object or runs a command."""
        return self._request("POST", path, body=body)

    def patch(self, path: str, body: dict[str, Any]) -> Answer:
        """Changes one object, by absolute values."""
        return self._request("PATCH", self._detail(path), body=body)

    def delete(self, path: str) -> bool:
        """Deletes one object; False when a repeated request found it gone, which is success too.

        A 404 to the first request raises PexipError: nobody else should have taken the object away.
        """
        return self._request("DELETE", self._detail(path)).status != 404

    @staticmethod
    def _detail(path: str) -> str:
        # DELETE or PATCH on a list URI would hit every object of the resource.
        if not is_uri(path):
            raise ValueError(f"{path!r} is not the URI of one object")
        return path

    def _request(
        self, method: str, path: str, *, params: dict[str, Any] | None = None, body: dict[str, Any] | None = None
    ) -> Answer:
        pause = FIRST_PAUSE
        for attempt in range(1, self._attempts + 1):
            last = attempt == self._attempts
            try:
                response = self._session.request(
                    method,
                    self._base + path,
                    params=params,
                    json=body,
                    timeout=self.connection.timeout,
                    verify=self._verify,
                    allow_redirects=False,
                )
            except (requests.exceptions.RequestException, LocationValueError) as error:
                failure, repeatable = self._explain(error, method, path)
                if last or not repeatable:
                    failure.away = repeatable
                    raise failure from None
                wait = pause
            else:
                if response.status_code == 404 and method == "DELETE" and attempt > 1:
                    return Answer(404, None, "")
                if response.status_code < 300:
                    return self._answer(response)
                repeatable = response.status_code == 429 or (response.status_code in BUSY_STATUSES and method != "POST")
                if last or not repeatable:
                    failure = self._refusal(response, method, path)
                    failure.away = repeatable
                    raise failure
                wait = self._retry_after(response) or pause
            self._sleep(wait + random.uniform(0, wait / 4))
            pause = min(pause * 2, BACKOFF_CAP)
        raise AssertionError("unreachable: the last attempt returns or raises")

    @staticmethod
    def _answer(response: Any) -> Answer:
        location = response.headers.get("Location")
        return Answer(response.status_code, urlsplit(location).path if location else None, text_of(response))

    def _asked(self, method: str, path: str) -> str:
        """A request as errors name it."""
        return f"{method} {path} at {self.connection.authority}"

    def _decode(self, answer: Answer, method: str, path: str) -> dict[str, Any]:
        try:
            value = answer.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            # A broken object is of the API, and may hold a secret; what is anything else tells who answered.
            broken = answer.text.lstrip().startswith(("{", "["))
            why = "It breaks off or is garbled" if broken else f"It begins: {shorten(answer.text, 120)!r}"
            raise PexipError(
                f"{self._asked(method, path)}: the answer (status {answer.status}) is not a JSON object. "
                f"Is this the management API? {why}",
                status=answer.status,
                method=method,
                path=path,
            )
        return value

    def _explain(self, error: Exception, method: str, path: str) -> tuple[PexipError, bool]:
        """The operator's error for a request without an answer, and whether the request may be sent again."""
        where = self.connection.authority
        if isinstance(error, requests.exceptions.SSLError) and not broke_off(error):
            return PexipError(self._untrusted(error), method=method, path=path), False
        if isinstance(
            error,
            (
                requests.exceptions.InvalidURL,
                requests.exceptions.InvalidSchema,
                requests.exceptions.InvalidProxyURL,
                requests.exceptions.InvalidHeader,
                LocationValueError,
            ),
        ):
            return PexipError(
                f"host {self.connection.host!r}, port {self.connection.port}: not a place that can be asked: {error}",
                method=method,
                path=path,
            ), False
        if unsent(error):
            text = f"no connection to the management API at {where}: {describe(error)}. Check host, port and the security group's rule for HTTPS"
            return PexipError(text, method=method, path=path), True
        text = f"{method} {path}: the connection to {where} broke before the answer came: {describe(error)}"
        lost = method == "POST"
        return PexipError(text, method=method, path=path, lost=lost), not lost

    def _untrusted(self, error: Exception) -> str:
        where = self.connection.authority
        try:
            presented = peer_fingerprint(self.connection.host, self.connection.port, self.connection.timeout)
        except OSError:
            return f"TLS with the management API at {where} failed: {describe(error)}"
        if self.connection.tls_fingerprint:
            return (
                f"the certificate of {where} is not the pinned one: tls_fingerprint says {normalise_fingerprint(self.connection.tls_fingerprint)}, "
                f"it presents {presented}. If its certificate was replaced on purpose, give the new fingerprint or ca_path"
            )
        return (
            f"the certificate of {where} is not trusted: {describe(error)}. Give ca_path (the authority that signed it) or, after checking it, "
            f"tls_fingerprint: {presented}"
        )

    def _refusal(self, response: Any, method: str, path: str) -> PexipError:
        status = response.status_code
        said = server_message(text_of(response))
        if status == 401:
            text = (
                f"the management API at {self.connection.authority} refuses user {self.connection.username!r} (401): {said}. "
                "Check username and password (PEXIP_USERNAME, PEXIP_PASSWORD)"
            )
        elif status == 403:
            text = f"user {self.connection.username!r} may not {self._asked(method, path)} (403): {said}. Give the account's role the permission"
        elif status == 429:
            text = f"{self._asked(method, path)}: the Management Node still limits the rate of requests (429) after {self._attempts} attempts: {said}"
        elif status < 400:
            text = f"{self._asked(method, path)}: answered with a redirection ({status}), which the management API does not do. Check host and port"
        else:
            text = f"{self._asked(method, path)}: {said} ({status})"
        return PexipError(text, status=status, method=method, path=path, lost=method == "POST" and status >= 500)

    @staticmethod
    def _retry_after(response: Any) -> float | None:
        """Seconds the server asks us to wait (a number or an HTTP date), capped; None without such a wish."""
        value = response.headers.get("Retry-After", "")
        if value.isdecimal():
            return min(float(value), RETRY_AFTER_CAP)
        try:
            until = parsedate_to_datetime(value)
        except (TypeError, ValueError):
            return None
        return min(max(until.timestamp() - time.time(), 0.0), RETRY_AFTER_CAP)


def text_of(response: Any) -> str:
    """An answer's body. The API writes UTF-8, also where its content type does not say so (a text/xml document)."""
    return response.content.decode("utf-8", "replace")


def unsent(error: BaseException) -> bool:
    """Whether a request failed before anything of it was sent: nobody answered, or its certificate was refused."""
    if isinstance(error, requests.exceptions.SSLError):
        return not broke_off(error)
    return isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(root_cause(error), NewConnectionError)


def broke_off(error: BaseException) -> bool:
    """Whether a TLS error is the peer's going away (a reboot, say), not a certificate or protocol that is wrong."""
    return any(isinstance(arg, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for arg in root_cause(error).args)


def root_cause(error: BaseException) -> BaseException:
    """The innermost of the exceptions that requests and urllib3 wrap into each other."""
    inner = getattr(error, "reason", None) or next((arg for arg in error.args if isinstance(arg, BaseException)), None)
    if isinstance(inner, BaseException) and not isinstance(error, (NewConnectionError, TransportSSLError)):
        return root_cause(inner)
    return error


def describe(error: BaseException) -> str:
    """The innermost reason in words, without the pool objects' addresses."""
    text = re.sub(r"<[^>]*object at 0x[0-9a-f]+>:? ?|HTTPS?Connection(Pool)?\([^)]*\):? ?", "", str(root_cause(error)))
    return shorten(text, 300) or type(error).__name__


def shorten(text: str, limit: int) -> str:
    """Text on one line of at most ``limit`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def server_message(text: str) -> str:
    """The server's own message out of an error body, whatever of the known shapes it has.

    Shapes (API fact "Errors"): ``{"field": ["message"]}``, the same nested below the resource's name, and the keys
    ``error``, ``error_message``, ``message``, ``detail``.
    """
    try:
        body = json.loads(text)
    except ValueError:
        plain = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", text, flags=re.DOTALL | re.IGNORECASE)
        return shorten(plain, MESSAGE_LIMIT) or "no message"
    if isinstance(body, dict):
        body.pop("traceback", None)  # of no use to an operator
    return shorten("; ".join(_messages(body, "")), MESSAGE_LIMIT) or "no message"


def _messages(body: Any, field: str) -> Iterator[str]:
    if isinstance(body, dict):
        for key, value in body.items():
            yield from _messages(
                value, "" if key in ("error", "error_message", "message", "detail", "details", "__all__") else str(key)
            )
    elif isinstance(body, list):
        for value in body:
            yield from _messages(value, field)
    elif body not in (None, ""):
        yield f"{field}: {body}" if field else str(body)
