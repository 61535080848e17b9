"""The faults of a lab."""

import itertools
import threading
import weakref
from collections.abc import Mapping
from typing import Any, Protocol

from .fault import Event, Fault, parse


class Door(Protocol):
    """A listening socket that can be shut for a while."""

    def shut(self) -> None:
        """Refuse every connection."""

    def open_again(self) -> None:
        """Listen as before."""


class Faults:
    """Those that have been added and not yet cleared. May be used on any thread."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._timers: dict[str, threading.Timer] = {}
        self._doors: weakref.WeakKeyDictionary[Door, str] = weakref.WeakKeyDictionary()
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()

    def add(self, given: Mapping[str, str]) -> str:
        """Arm a fault, and give back its id.

        :param given: options by the names of the command line, with underscores
        :raises ValueError: see `parse`
        """
        with self._lock:
            fault = parse(str(next(self._numbers)), given)
            self._faults[fault.id] = fault
            if fault.kind == "refuse":
                self._shut(fault)
        return fault.id

    def clear(self, id: str | None = None) -> int:
        """Take one fault back, or all; what they hold or delay goes on. Gives back how many there were.

        :raises ValueError: there is no such fault
        """
        with self._lock:
            if id is not None and id not in self._faults:
                known = ", ".join(self._faults) or "none"
                raise ValueError(f"no fault {id!r}; there are: {known}")
            gone = [self._faults.pop(key) for key in ([id] if id is not None else list(self._faults))]
            for fault in gone:
                fault.release()
                if fault.kind == "refuse":
                    self._open_again(fault)
        return len(gone)

    def listed(self) -> list[dict[str, Any]]:
        """Every fault with its options, how often it struck, and what it holds now."""
        with self._lock:
            return [fault.describe() for fault in self._faults.values()]

    def strike(self, event: Event) -> Fault | None:
        """The fault that strikes an event: each one that it matches counts it, and the oldest that is due strikes."""
        with self._lock:
            due = [fault for fault in self._faults.values() if fault.sees(event)]
            if not due:
                return None
            due[0].hit()
        return due[0]

    def strikes(self, on: str, what: str, path: str = "") -> bool:
        """Whether something that is no request is struck.

        :param what: accept, handshake, key exchange, launch, boot or report
        """
        return self.strike(Event(on, what, path=path)) is not None

    def watch(self, on: str, door: Door) -> None:
        """Shut a listening socket, too, whenever connections are refused there."""
        with self._lock:
            self._doors[door] = on
            if any(fault.kind == "refuse" and fault.on == on for fault in self._faults.values()):
                door.shut()

    def _shut(self, fault: Fault) -> None:
        for door, on in list(self._doors.items()):
            if on == fault.on:
                door.shut()
        if fault.seconds is not None:
            self._timers[fault.id] = threading.Timer(fault.seconds, self._expire, [fault.id])
            self._timers[fault.id].daemon = True
            self._timers[fault.id].start()

    def _open_again(self, fault: Fault) -> None:
        if timer := self._timers.pop(fault.id, None):
            timer.cancel()
        if any(other.kind == "refuse" and other.on == fault.on for other in self._faults.values()):
            return
        for door, on in list(self._doors.items()):
            if on == fault.on:
                door.open_again()

    def _expire(self, id: str) -> None:
        with self._lock:
            if id in self._faults:
                self.clear(id)
