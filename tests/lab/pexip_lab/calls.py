"""Conferences and where their participants are: placement and load, as the guide describes them. Nothing here does I/O.

Guide: "Dynamic bursting to the AWS cloud", "How it works" and the worked example.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction

from .capacity import Capacity

KINDS = Capacity._fields


@dataclass(frozen=True)
class Host:
    """A Conferencing Node as the placement sees it.

    Args:
        key: the node's configuration id.
        location: its location's configuration id.
        present: whether it is in contact.
        accepts: whether it takes conferences that it does not host yet: it is in contact, not in maintenance mode, and
            not about to be stopped.
    """

    key: int
    name: str
    address: str
    location: int
    capacity: Capacity
    present: bool
    accepts: bool


@dataclass
class Conference:
    """One conference.

    Args:
        location: the configuration id of the location where it is held.
        kind: of its participants' calls: hd, sd or audio.
        nodes: participants by node, in the order in which the nodes joined.
        rejected: how many were turned away with "capacity exceeded".
        dropped: how many lost their connection with their node.
    """

    id: str
    name: str
    location: int
    kind: str
    started: datetime
    nodes: dict[int, int] = field(default_factory=dict)
    rejected: int = 0
    dropped: int = 0

    @property
    def participants(self) -> int:
        return sum(self.nodes.values())

    def share(self, host: Host) -> Fraction:
        """The part of a node's capacity that the conference takes, of 1."""
        if host.key not in self.nodes:
            return Fraction(0)
        calls = Fraction(self.nodes[host.key], getattr(host.capacity, self.kind))
        return calls + (0 if host.key == next(iter(self.nodes)) else _backplane(host))

    def next_share(self, host: Host) -> Fraction:
        """The part that one more participant on a node would take; a node that joins reserves its backplane."""
        call = Fraction(1, getattr(host.capacity, self.kind))
        return call if host.key in self.nodes or not self.nodes else call + _backplane(host)


def _backplane(host: Host) -> Fraction:
    """One HD connection, reserved for the backplane to the conference's other nodes (guide: the worked example)."""
    return Fraction(1, host.capacity.hd)


@dataclass(frozen=True)
class Load:
    """The load of a node, or of a location's nodes together, in HD connections.

    Args:
        used: may be broken, for SD and audio calls take less than one.
        free: how many more HD calls can be hosted; nothing of a node that takes no new conference counts.
    """

    used: Fraction
    capacity: int
    free: int

    @property
    def percent(self) -> int:
        """The media load; any load at all is at least 1."""
        return math.ceil(100 * self.used / self.capacity) if self.capacity else 0


class Switchboard:
    """All conferences of one platform, and what became of those who called."""

    def __init__(self) -> None:
        self.conferences: dict[str, Conference] = {}
        self.rejected = 0
        self.dropped = 0

    def add(self, conference: Conference, participants: int, tiers: Sequence[Sequence[Host]]) -> None:
        """Let participants join one by one; who finds no place is rejected.

        Args:
            tiers: the nodes of their location, of its primary and of its secondary overflow location.
        """
        for number in range(participants):
            host = self._place(conference, tiers)
            if host is None:
                conference.rejected += participants - number
                self.rejected += participants - number
                return
            conference.nodes[host.key] = conference.nodes.get(host.key, 0) + 1

    def drop(self, key: int) -> list[Conference]:
        """Everybody on a node loses the connection; returns the conferences that this hits."""
        hit = [conference for conference in self.conferences.values() if key in conference.nodes]
        for conference in hit:
            lost = conference.nodes.pop(key)
            conference.dropped += lost
            self.dropped += lost
        return hit

    def hosted_by(self, key: int) -> int:
        """How many conferences a node hosts."""
        return sum(key in conference.nodes for conference in self.conferences.values())

    def part_used(self, host: Host) -> Fraction:
        """How much of a node's capacity is taken, of 1."""
        return sum((conference.share(host) for conference in self.conferences.values()), Fraction(0))

    def load(self, hosts: Iterable[Host]) -> Load:
        """The load of those nodes that are in contact."""
        there = [(host, self.part_used(host)) for host in hosts if host.present]
        return Load(
            used=sum((part * host.capacity.hd for host, part in there), Fraction(0)),
            capacity=sum(host.capacity.hd for host, _part in there),
            free=sum(_free(host, part) for host, part in there),
        )

    def _place(self, conference: Conference, tiers: Sequence[Sequence[Host]]) -> Host | None:
        """The node for one more participant: in the nearest location that has room, one that hosts the conference
        already, else the one with most room."""
        for hosts in tiers:
            hosting = [host for host in hosts if host.present and host.key in conference.nodes]
            hosting.sort(key=lambda host: list(conference.nodes).index(host.key))
            others = [host for host in hosts if host.accepts and host.key not in conference.nodes]
            others.sort(key=lambda host: (-_free(host, self.part_used(host)), host.key))
            for host in hosting + others:
                if host.capacity.hd and self.part_used(host) + conference.next_share(host) <= 1:
                    return host
        return None


def _free(host: Host, part: Fraction) -> int:
    return max(0, math.floor((1 - part) * host.capacity.hd)) if host.accepts else 0
