"""When an overflow node starts and when it stops, as the guide says it (Dynamic bursting). Nothing here does I/O.

The guide leaves open in what order nodes start (here: by name), how long a node that does not report in counts as
starting (here: ten minutes), and when an idle node is "no longer required" (here: unless one would have to start in
its place at once).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..calls import Host, Load

UP = ("pending", "running")
STARTING_SECONDS = 600


@dataclass(frozen=True)
class CloudNode:
    """An overflow node: a tagged instance with its Conferencing Node.

    Args:
        instance_id: EC2's.
        state: as EC2 names it.
        age: lab seconds since the instance was started.
        conferences: how many it hosts.
        load: its own.
    """

    instance_id: str
    state: str
    age: float
    host: Host
    conferences: int
    load: Load

    @property
    def up(self) -> bool:
        """Whether it runs, or soon will."""
        return self.state in UP

    @property
    def starting(self) -> bool:
        """Whether it is on its way to be available."""
        return self.up and not self.host.present and self.age < STARTING_SECONDS


@dataclass(frozen=True)
class Place:
    """A location and the load of its nodes."""

    key: int
    name: str
    load: Load

    def reached(self, threshold: int) -> bool:
        """Whether the location has reached the threshold; one without any media load never has."""
        return self.load.used > 0 and self.load.free <= threshold

    def without(self, node: CloudNode) -> Place:
        """The same location if an idle node of it did not run."""
        less = Load(self.load.used, self.load.capacity - node.load.capacity, self.load.free - node.load.free)
        return replace(self, load=less)


@dataclass(frozen=True)
class Overflow:
    """An overflow location: who overflows to it, and its overflow nodes.

    Args:
        primaries: the locations of which it is the primary overflow location.
    """

    place: Place
    primaries: Sequence[Place]
    nodes: Sequence[CloudNode]

    def next_start(self, threshold: int) -> tuple[CloudNode, str] | None:
        """The node to start now and why; one at a time, the next when the one before is available."""
        if any(node.starting for node in self.nodes):
            return None
        why = self._need(threshold)
        stopped = sorted((node for node in self.nodes if node.state == "stopped"), key=lambda node: node.host.name)
        return (stopped[0], why) if why and stopped else None

    def next_stop(self, threshold: int, lifetime: float) -> tuple[CloudNode, str] | None:
        """A node to stop now and why.

        Args:
            lifetime: for how many seconds a node runs at least.
        """
        for node in sorted(self.nodes, key=lambda node: node.host.name):
            idle = node.state == "running" and not node.conferences and not node.starting and node.age >= lifetime
            if idle and self.without(node)._need(threshold) is None:
                return node, f"idle, and running for {node.age / 60:.0f} minutes"
        return None

    def without(self, node: CloudNode) -> Overflow:
        """The same location if an idle node of it did not run."""
        return replace(self, place=self.place.without(node), nodes=[other for other in self.nodes if other is not node])

    def _need(self, threshold: int) -> str | None:
        """Why one more node is needed: the first for a primary location, the next for this location itself."""
        running = any(node.up for node in self.nodes)
        for place in [self.place] if running else self.primaries:
            if place.reached(threshold):
                return f"{place.name} has {place.load.free} HD connections left; the threshold is {threshold}"
        return None
