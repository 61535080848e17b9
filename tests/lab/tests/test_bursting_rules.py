"""When overflow nodes start and stop (guide: Dynamic bursting to the AWS cloud), rule by rule."""

from __future__ import annotations

from fractions import Fraction

import pytest
from pexip_lab.bursting.rules import CloudNode, Overflow, Place
from pexip_lab.calls import Host, Load
from pexip_lab.capacity import Capacity

LIFETIME = 3000
THRESHOLD = 5


def load(free: int, capacity: int = 20, used: int | None = None) -> Load:
    return Load(Fraction(capacity - free if used is None else used), capacity, free)


def node(name: str, state: str = "stopped", *, present: bool | None = None, **given) -> CloudNode:
    """An overflow node; a running one is in contact, has 20 free connections and was just started."""
    present = state == "running" if present is None else present
    host = Host(1, name, "127.16.0.9", 9, Capacity.scaled(20), present, present)
    given = {"age": 400, "conferences": 0, "load": load(20) if present else load(0, 0)} | given
    return CloudNode(instance_id=f"i-{name}", state=state, host=host, **given)


def burst(*nodes: CloudNode, free: int | None = None, primaries: tuple[Load, ...] = (load(20),)) -> Overflow:
    running = sum(item.host.present for item in nodes)
    place = Place(9, "AWS burst", load(20 * running if free is None else free, 20 * running))
    named = [Place(number, f"Primary {number}", item) for number, item in enumerate(primaries)]
    return Overflow(place, named, nodes)


def started(overflow: Overflow) -> str | None:
    found = overflow.next_start(THRESHOLD)
    return found and found[0].host.name


def stopped(overflow: Overflow) -> str | None:
    found = overflow.next_stop(THRESHOLD, LIFETIME)
    return found and found[0].host.name


@pytest.mark.parametrize(
    ("primary", "starts"),
    [
        (load(6), None),
        (load(5), "a"),
        (load(0), "a"),
        (load(5, used=0), None),  # no media load: a network interruption does not trigger bursting
        (load(0, capacity=0, used=0), None),
    ],
)
def test_a_primary_location_at_the_threshold_starts_the_first_node(primary, starts):
    assert started(burst(node("b"), node("a"), primaries=(load(20), primary))) == starts


def test_a_primary_location_starts_one_node_only():
    full = (load(0), load(0))
    assert started(burst(node("a", "pending"), node("b"), primaries=full)) is None
    assert started(burst(node("a", "running"), node("b"), primaries=full)) is None


@pytest.mark.parametrize(("free", "starts"), [(6, None), (5, "b"), (0, "b")])
def test_an_overflow_location_at_the_threshold_starts_the_next(free, starts):
    # whatever is free in the primary location
    assert started(burst(node("a", "running"), node("b"), free=free)) == starts


def test_an_overflow_location_without_load_starts_nothing():
    assert started(Overflow(Place(9, "AWS burst", load(4, 4)), [], [node("a", "running"), node("b")])) is None


@pytest.mark.parametrize("way", [{"state": "pending"}, {"state": "running", "present": False}])
def test_the_next_node_waits_until_the_one_before_is_available(way):
    nodes = [node("a", "running"), node("b", **way), node("c")]
    assert started(burst(*nodes, free=0)) is None
    late = [node("a", "running"), node("b", "running", present=False, age=700), node("c")]
    assert started(burst(*late, free=0)) == "c"


def test_only_stopped_nodes_are_started():
    assert started(burst(node("a", "stopping"), primaries=(load(0),))) is None
    assert started(burst(node("a", "stopping"), node("b"), primaries=(load(0),))) == "b"


def test_an_idle_node_stops_after_its_lifetime():
    assert stopped(burst(node("a", "running", age=LIFETIME - 1))) is None
    assert stopped(burst(node("a", "running", age=LIFETIME))) == "a"
    assert stopped(burst(node("a", "running", age=LIFETIME, conferences=1))) is None
    assert stopped(burst(node("a", "stopping", age=LIFETIME))) is None


def test_a_node_that_is_still_starting_is_not_idle():
    young = burst(node("a", "running", present=False, age=300))
    assert young.next_stop(THRESHOLD, 300) is None
    lost = burst(node("a", "running", present=False, age=LIFETIME))
    assert stopped(lost) == "a"


def test_an_idle_node_stays_while_it_is_required():
    # one would have to start in its place at once
    old = node("a", "running", age=LIFETIME)
    assert stopped(burst(old, primaries=(load(5),))) is None
    busy = node("b", "running", age=LIFETIME, conferences=1, load=load(0))
    assert stopped(burst(old, busy, free=20, primaries=(load(0),))) is None
    partly = node("b", "running", age=LIFETIME, conferences=1, load=load(10))
    assert stopped(burst(old, partly, free=30, primaries=(load(0),))) == "a"


def test_idle_nodes_stop_one_after_the_other_as_long_as_none_is_required():
    nodes = burst(node("a", "running", age=LIFETIME), node("b", "running", age=LIFETIME), primaries=(load(5),))
    first, _why = nodes.next_stop(THRESHOLD, LIFETIME)
    assert first.host.name == "a"
    assert nodes.without(first).next_stop(THRESHOLD, LIFETIME) is None
