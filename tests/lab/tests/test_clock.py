"""The lab's clock."""

import asyncio
import threading
import time

import pytest
from pexip_lab.clock import Clock, seconds_of


@pytest.fixture
def clock():
    clock = Clock(60)
    yield clock
    clock.stop()


def test_a_lab_minute_is_a_second(clock):
    before = clock.time()
    fired = threading.Event()
    started = time.monotonic()
    clock.call_later(30, fired.set)
    assert fired.wait(5)
    assert 0.4 < time.monotonic() - started < 2
    assert clock.time() - before >= 30


def test_advancing_fires_what_falls_due_in_order(clock):
    order, done = [], threading.Event()
    clock.call_later(7200, lambda: (order.append("later"), done.set()))
    clock.call_later(3600, order.append, "sooner")
    clock.call_later(3600, order.append, "taken back").cancel()
    clock.advance(3599)
    assert order == []
    clock.advance(3700)
    assert done.wait(5)
    assert order == ["sooner", "later"]


def test_a_failing_timer_does_not_stop_the_clock(clock):
    fired = threading.Event()
    clock.call_later(0, lambda: 1 / 0)
    clock.call_later(1, fired.set)
    assert fired.wait(5)


def test_sleeping_ends_when_the_time_is_advanced(clock):
    async def sleep() -> None:
        asyncio.get_running_loop().call_later(0.05, clock.advance, 3600)
        async with asyncio.timeout(5):
            await clock.sleep(3000)

    asyncio.run(sleep())


def test_time_is_utc_and_never_goes_back(clock):
    assert clock.now().utcoffset().total_seconds() == 0
    with pytest.raises(ValueError, match="put back"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="scale"):
        Clock(0)


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("50m", 3000), ("2h", 7200), ("1d", 86400), ("90", 90)])
def test_durations(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "soon", "5 weeks"])
def test_no_durations(text):
    with pytest.raises(ValueError, match="no duration"):
        seconds_of(text)
