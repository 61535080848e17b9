"""Who may call, and how often."""

from __future__ import annotations

import collections
import hashlib
import hmac
import math
import secrets
import threading
import time

from tastypie.authentication import BasicAuthentication
from tastypie.throttle import BaseThrottle

from pexip_lab.api import database, models, passwords


class User:
    """The web administrator that a request came from."""

    is_active = True

    def __init__(self, username: str):
        self.username = username


class _Backend:
    """Compares with the web user that the installation made.

    The slow hash is computed once for each good pair of credentials; afterwards a keyed digest in memory is compared.
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes()

    def authenticate(self, *, username: str, password: str) -> User | None:
        if models.model("configuration", "authentication").objects.filter(api_oauth2_disable_basic=True).exists():
            return None
        user = models.WebUser.objects.filter(username=username).first()
        if user is None:
            return None
        known = database.current().known_credentials
        pair = f"{user.password_hash}\0{password}".encode()
        digest = hmac.digest(self._key, pair, hashlib.sha256)
        if not hmac.compare_digest(known.get(username, b""), digest):
            if not passwords.verify(password, user.password_hash):
                return None
            known[username] = digest
        return User(username)


basic = BasicAuthentication(backend=_Backend(), realm="Pexip Infinity")


class RateLimit:
    """Counts the requests of the last `seconds` of real time."""

    def __init__(self, requests: int = 1000, seconds: float = 60.0):
        self.requests = requests
        self.seconds = seconds
        self._served: collections.deque[float] = collections.deque()
        self._lock = threading.Lock()

    def admit(self) -> int:
        """Count one request, unless it is one too many.

        Returns:
            0, or the whole seconds after which to try again.
        """
        with self._lock:
            now = time.monotonic()
            while self._served and self._served[0] <= now - self.seconds:
                self._served.popleft()
            if len(self._served) >= self.requests:
                return max(1, math.ceil(self._served[0] + self.seconds - now))
            self._served.append(now)
            return 0


class Throttle(BaseThrottle):
    """Answers 429 with Retry-After beyond the Management Node's limit, whoever calls."""

    def should_be_throttled(self, identifier, **kwargs) -> int:
        return database.current().rate_limit.admit()


throttle = Throttle()
