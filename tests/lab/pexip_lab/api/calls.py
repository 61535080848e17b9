"""The calls of one platform: who can host what now, and the status resources that tell of it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Model

from pexip_lab.api import live, models, nodes
from pexip_lab.calls import KINDS, Conference, Host, Switchboard
from pexip_lab.capacity import NOTHING, Capacity

if TYPE_CHECKING:
    from pexip_lab.api.platform import Platform


class Calls:
    """Carries calls on the platform's Conferencing Nodes, and knows which of them are in contact.

    Safe to use from any thread. Whoever holds a write transaction must not wait for it: the signals of the models come
    here only after their commit.
    """

    def __init__(self, platform: Platform):
        self.lock = threading.RLock()
        self.board = Switchboard()
        self._platform = platform
        self._present: set[int] = set()
        self._leaving: set[int] = set()
        #: Where the nodes that were ever in contact are.
        self._addresses: dict[int, str] = {}
        #: Until when a node of this address must have booted anew to count as in contact.
        self._gone: dict[str, datetime] = {}
        self._number = 0

    def start(self, location: str, participants: int, kind: str = "hd") -> dict[str, Any]:
        """Begin a conference.

        Returns:
            It, as `listed` gives it.

        Raises:
            ValueError: no such location or kind, or no participant.
        """
        if kind not in KINDS:
            raise ValueError(f"no kind of call {kind!r}; there are {', '.join(KINDS)}")
        with self.lock:
            place = self._location(name=location)
            self._number += 1
            conference = Conference(
                id=str(uuid.uuid4()),
                name=f"Conference {self._number}",
                location=place.pk,
                kind=kind,
                started=self._platform.clock.now(),
            )
            self._add(conference, participants, place)
            self._publish([conference])
            return self._describe([conference])[0]

    def join(self, identity: str, participants: int, location: str | None = None) -> dict[str, Any]:
        """Let more participants join.

        Args:
            identity: the conference's id.
            location: where they call from; by default where the conference is held.

        Returns:
            The conference, as `listed` gives it.

        Raises:
            ValueError: no such conference or location, or no participant.
        """
        with self.lock:
            conference = self._conference(identity)
            place = self._location(name=location) if location else self._location(pk=conference.location)
            self._add(conference, participants, place)
            self._publish([conference])
            return self._describe([conference])[0]

    def end(self, identity: str | None = None) -> int:
        """End a conference, or all of them.

        Returns:
            How many ended.

        Raises:
            ValueError: no such conference.
        """
        with self.lock:
            ended = list(self.board.conferences.values()) if identity is None else [self._conference(identity)]
            for conference in ended:
                del self.board.conferences[conference.id]
                conference.nodes.clear()
            self._publish(ended)
            return len(ended)

    def listed(self) -> list[dict[str, Any]]:
        """The conferences in progress, for people and tests: nodes and location by name."""
        with self.lock:
            return self._describe(self.board.conferences.values())

    def hosts(self) -> list[Host]:
        """All Conferencing Nodes, in the order in which they were configured."""
        with self._platform.using():
            configured = list(models.model("configuration", "worker_vm").objects.all())
            status = models.model("status", "worker_vm").objects.in_bulk()
        # one that is being registered, or deleted, at this moment has no status
        return [self._host(node, status[node.pk]) for node in configured if node.pk in status]

    def arrived(self, key: int, address: str, booted: datetime) -> None:
        """A node has reported in."""
        with self.lock:
            if key not in self._present and not self.outdated(address, booted):
                self._present.add(key)
                self._addresses[key] = address
                self._publish()

    def outdated(self, address: str, booted: datetime) -> bool:
        """Whether a node's report comes from a life that has ended, or that it has to end by a restart."""
        return address in self._gone and booted < self._gone[address]

    def left(self, address: str) -> None:
        """A node is out of contact; the calls on it go on."""
        with self.lock:
            if here := self._present & self._at(address):
                self._present -= here
                self._publish()

    def lost(self, address: str) -> None:
        """A node has lost its power, and so its calls."""
        with self.lock:
            self._silence(self._at(address), address)

    def moved(self, key: int, address: str) -> None:
        """A node's location or type was changed: it drops its calls and restarts (FACTS, "Known values")."""
        with self.lock:
            self._silence({key}, address)

    def deleted(self, key: int, address: str) -> None:
        """A node is configured no more; what it carried is gone."""
        with self.lock:
            self._silence({key}, address)
            self._addresses.pop(key, None)

    def withdraw(self, host: Host) -> bool:
        """Keep new conferences from an idle node that is about to be stopped.

        Returns:
            False if it is not idle.
        """
        with self.lock:
            if self.board.hosted_by(host.key):
                return False
            self._leaving.add(host.key)
            return True

    def restore(self, host: Host) -> None:
        """Take `withdraw` back: the node was not stopped."""
        with self.lock:
            self._leaving.discard(host.key)

    def refresh(self) -> None:
        """Bring the status of nodes and locations up to date."""
        with self.lock:
            self._publish()

    def _location(self, **condition: object) -> Model:
        with self._platform.using():
            found = models.model("configuration", "system_location").objects
            if place := found.filter(**condition).first():
                return place
            names = ", ".join(found.values_list("name", flat=True))
        raise ValueError(f"no location {next(iter(condition.values()))!r}; there are {names}")

    def _conference(self, identity: str) -> Conference:
        if identity not in self.board.conferences:
            raise ValueError(f"no conference {identity!r} is in progress")
        return self.board.conferences[identity]

    def _add(self, conference: Conference, participants: int, place: Model) -> None:
        if participants < 1:
            raise ValueError(f"{participants}: at least one participant must call")
        self.board.conferences[conference.id] = conference
        hosts = self.hosts()
        tiers = (place.pk, place.overflow_location1_id, place.overflow_location2_id)
        self.board.add(conference, participants, [[host for host in hosts if host.location == key] for key in tiers])

    def _host(self, node: Model, status: Model) -> Host:
        present = node.pk in self._present
        hosting = node.node_type != nodes.PROXYING
        reported = Capacity(status.max_hd_calls, status.max_sd_calls, status.max_audio_calls)
        return Host(
            key=node.pk,
            name=node.name,
            address=node.address,
            location=node.system_location_id,
            capacity=reported if hosting else NOTHING,
            present=present,
            accepts=present and hosting and not node.maintenance_mode and node.pk not in self._leaving,
        )

    def _at(self, address: str) -> set[int]:
        return {key for key, where in self._addresses.items() if where == address}

    def _silence(self, keys: set[int], address: str) -> None:
        """These nodes host nothing any more until they have booted anew."""
        self._gone[address] = self._platform.clock.now()
        if keys:
            self._present -= keys
            self._leaving -= keys
            self._publish([conference for key in keys for conference in self.board.drop(key)])

    def _describe(self, conferences: Iterable[Conference]) -> list[dict[str, Any]]:
        with self._platform.using():
            nodes_by_key = live.names("worker_vm")
            locations = live.names("system_location")
        return [
            {
                "id": conference.id,
                "location": locations.get(conference.location, ""),
                "kind": conference.kind,
                "participants": conference.participants,
                "nodes": {nodes_by_key[key]: count for key, count in conference.nodes.items()},
                "rejected": conference.rejected,
                "dropped": conference.dropped,
            }
            for conference in conferences
        ]

    def _publish(self, conferences: Iterable[Conference] = ()) -> None:
        """Write what has changed into the status resources."""
        hosts = self.hosts()
        with self._platform.using(), transaction.atomic(using=self._platform.alias):
            for conference in conferences:
                live.write_conference(conference, hosts, self._platform.clock.now())
            live.write_loads(self.board, hosts)
        self._platform.changed()
