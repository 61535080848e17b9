"""The lab's time: it runs at a scale and can be advanced; every delay of the lab goes through it."""

import asyncio
import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

_log = logging.getLogger(__name__)


class Timer:
    """A call that is due at a lab time; ``cancel()`` takes it back."""

    def __init__(self, due: float, call: Callable[[], object]):
        self.due = due
        self._call: Callable[[], object] | None = call

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        call, self._call = self._call, None
        if call is not None:
            call()


class Clock:
    """Lab seconds since the epoch. It starts at the real time; at scale 60 a lab minute is a real second.

    Timers fire on one thread of the clock, in the order in which they are due; what they call must be short.
    """

    def __init__(self, scale: float = 60.0):
        if scale <= 0:
            raise ValueError("the time scale must be greater than 0")
        self.scale = scale
        self._real_start = time.monotonic()
        self._lab_start = time.time()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._changed = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="lab-clock", daemon=True)
        self._thread.start()

    def time(self) -> float:
        """The lab time in seconds since the epoch."""
        return self._lab_start + (time.monotonic() - self._real_start) * self.scale

    def now(self) -> datetime:
        """The lab time as an aware UTC datetime."""
        return datetime.fromtimestamp(self.time(), UTC)

    def advance(self, seconds: float) -> None:
        """Move the lab time on; whatever falls due meanwhile happens now.

        :raises ValueError: time does not go backwards
        """
        if seconds < 0:
            raise ValueError("the lab's clock cannot be put back")
        with self._changed:
            self._lab_start += seconds
            self._changed.notify_all()

    def call_later(self, seconds: float, call: Callable[..., object], *args: object) -> Timer:
        """Call ``call(*args)`` on the clock's thread after so many lab seconds."""
        timer = Timer(self.time() + seconds, lambda: call(*args))
        with self._changed:
            heapq.heappush(self._timers, (timer.due, next(self._order), timer))
            self._changed.notify_all()
        return timer

    async def sleep(self, seconds: float) -> None:
        """Let so many lab seconds go by."""
        loop = asyncio.get_running_loop()
        awake = asyncio.Event()
        timer = self.call_later(seconds, lambda: loop.call_soon_threadsafe(awake.set))
        try:
            await awake.wait()
        finally:
            timer.cancel()

    def stop(self) -> None:
        """End the clock's thread; timers that are still waiting never fire."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while (timer := self._next_due()) is not None:
            try:
                timer.fire()
            except Exception:
                _log.exception("a timer of the lab's clock failed")

    def _next_due(self) -> Timer | None:
        """Wait for the next timer; None when the clock is stopped."""
        with self._changed:
            while not self._stopped:
                ahead = self._timers[0][0] - self.time() if self._timers else None
                if ahead is not None and ahead <= 0:
                    return heapq.heappop(self._timers)[2]
                self._changed.wait(None if ahead is None else ahead / self.scale)
        return None


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(duration: str) -> float:
    """Read a duration such as ``50m``, ``2h``, ``30s`` or ``90`` (seconds).

    :raises ValueError: not such a duration
    """
    text = duration.strip().lower()
    number, unit = (text[:-1], text[-1]) if text[-1:] in UNITS else (text, "s")
    try:
        return float(number) * UNITS[unit]
    except ValueError:
        raise ValueError(f"{duration!r} is no duration; say 30s, 50m, 2h or 1d") from None
