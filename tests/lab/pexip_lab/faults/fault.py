"""What a fault is, which faults there are, and when one strikes."""

import itertools
import os
import random
import re
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

BEFORE, AFTER = "before", "after"
HTTP = ("api", "aws", "node")
TARGETS = (*HTTP, "ssh")

# what a fault can strike
REQUEST, STEP, LAUNCH, BOOT, REPORT = "request", "step", "launch", "boot", "report"
CONNECTIONS = ACCEPT, HANDSHAKE, KEY_EXCHANGE = "accept", "handshake", "key exchange"


@dataclass(frozen=True)
class Kind:
    """One sort of fault.

    :param on: where it happens
    :param strikes: what it strikes
    :param when: before or after what it strikes took effect, the first by default; empty if that is no question
    :param methods: the only methods that it strikes, any if empty
    :param needs: options without which it means nothing
    :param takes: options that it may have besides those that say when it strikes
    :param lasts: whether from the nth on it strikes for ever
    """

    on: tuple[str, ...]
    strikes: str = REQUEST
    when: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    lasts: bool = False


_EITHER = (BEFORE, AFTER)
KINDS: dict[str, Kind] = {
    "hold": Kind(HTTP, when=_EITHER, takes=("seconds",)),
    "delay": Kind(HTTP, when=_EITHER, needs=("seconds",)),
    "status": Kind(HTTP, when=_EITHER, needs=("status",), takes=("retry_after",)),
    "unauthorized": Kind(HTTP, lasts=True),
    "reset": Kind(HTTP, when=_EITHER),
    "truncate": Kind(HTTP),
    "garbage": Kind(HTTP, when=(AFTER, BEFORE)),
    "slow": Kind(HTTP, needs=("seconds",)),
    "refuse": Kind(HTTP, takes=("seconds",)),
    "abort": Kind(HTTP, ACCEPT),
    "expired-certificate": Kind(("api", "node"), HANDSHAKE),
    "throttle": Kind(("aws",)),
    "capacity": Kind(("aws",), methods=("RunInstances", "StartInstances")),
    "unsupported": Kind(("aws",), methods=("RunInstances",)),
    "terminate": Kind(("aws",), takes=("seconds",)),
    "stuck-pending": Kind(("aws",), LAUNCH),
    "no-boot": Kind(("aws",), BOOT),
    "drop": Kind(("ssh",), STEP, when=_EITHER),
    "host-key": Kind(("ssh",), KEY_EXCHANGE),
    "silent": Kind(("node",), REPORT),
}
_MATCHING = ("method", "match", "nth", "write", "times", "probability", "seed")
_OPTIONS = ("on", "kind", *_MATCHING, "when", "seconds", "status", "retry_after")
LONGEST = 600.0  # seconds
HOLD_SECONDS = 60.0


@dataclass(frozen=True)
class Event:
    """Something that a fault may strike.

    :param on: where: api, aws, node or ssh
    :param strikes: what it is
    :param method: the HTTP method, or the action of AWS
    :param path: what a fault's regular expression is sought in
    :param write: the ordinal of a writing request
    """

    on: str
    strikes: str
    method: str = ""
    path: str = ""
    write: int | None = None


@dataclass(eq=False)
class Fault:
    """One fault. It counts what matches it, and strikes the nth, or with a probability, or always."""

    id: str
    kind: str
    on: str | None
    method: str | None = None
    match: str | None = None
    nth: int | None = None
    write: int | None = None
    times: int | None = None
    probability: float | None = None
    seed: int | None = None
    when: str = ""
    seconds: float | None = None
    status: int | None = None
    retry_after: int | None = None
    seen: int = 0
    hits: int = 0
    #: readable once the fault has been cleared
    released: int = field(default_factory=lambda: os.eventfd(0, os.EFD_CLOEXEC), repr=False)

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, dict[str, Any]] = {}
        self._numbers = itertools.count()
        self._random = random.Random(self.seed)
        # whoever still waits for it holds the fault, and so the descriptor
        weakref.finalize(self, os.close, self.released)

    def sees(self, event: Event) -> bool:
        """Count an event that matches, and say whether it is due to be struck."""
        if not self._matches(event):
            return False
        with self._lock:
            self.seen += 1
            return self._is_due()

    def hit(self) -> None:
        """Count a strike."""
        with self._lock:
            self.hits += 1

    def release(self) -> None:
        """Let go of all that waits for this fault."""
        os.eventfd_write(self.released, 1)

    @contextmanager
    def holding(self, event: Event) -> Iterator[None]:
        """Show an event as held while the block runs."""
        number = next(self._numbers)
        described = {"on": event.on, "method": event.method, "path": event.path, "write": event.write}
        with self._lock:
            self._held[number] = {name: value for name, value in described.items() if value is not None}
        try:
            yield
        finally:
            with self._lock:
                del self._held[number]

    def describe(self) -> dict[str, Any]:
        """Its options, what it has seen and struck, and what it holds now."""
        options = {name: getattr(self, name) for name in ("id", *_OPTIONS)}
        with self._lock:
            state = {"seen": self.seen, "hits": self.hits, "held": list(self._held.values())}
        return {name: value for name, value in options.items() if value not in (None, "")} | state

    def _matches(self, event: Event) -> bool:
        kind = KINDS[self.kind]
        methods = (self.method,) if self.method else kind.methods
        return (
            event.strikes == kind.strikes
            and event.on in ((self.on,) if self.on else kind.on)
            and (not methods or event.method.lower() in [method.lower() for method in methods])
            and (self.match is None or re.search(self.match, event.path) is not None)
            and self.write in (None, event.write)
        )

    def _is_due(self) -> bool:
        if self.times is not None and self.hits >= self.times:
            return False
        if self.nth is not None:
            return self.seen >= self.nth
        return self.probability is None or self._random.random() < self.probability


def parse(id: str, given: Mapping[str, str]) -> Fault:
    """Read a fault from the words of the command line.

    :raises ValueError: an unknown option or kind, a value that it cannot have, or options that do not go together
    """
    for name in given:
        if name not in _OPTIONS:
            raise ValueError(f"a fault has no option {_flag(name)}; there are {', '.join(map(_flag, _OPTIONS))}")
    name = given.get("kind", "")
    if (kind := KINDS.get(name)) is None:
        raise ValueError(f"no kind of fault {name!r}; there are {', '.join(KINDS)}")
    allowed = {"on", "kind", *_MATCHING, *kind.needs, *kind.takes, *(("when",) if kind.when else ())}
    if name == "refuse":  # what is refused cannot be told apart
        allowed -= set(_MATCHING)
    if wrong := [option for option in given if option not in allowed]:
        raise ValueError(f"{_flag(wrong[0])} means nothing to the fault {name}")
    if missing := [option for option in kind.needs if option not in given]:
        raise ValueError(f"the fault {name} needs {_flag(missing[0])}")
    _together(kind, given)
    nth, write = _whole(given, "nth"), _whole(given, "write")
    once = write is not None or (nth is not None and not kind.lasts)
    return Fault(
        id,
        name,
        _place(name, kind, given),
        given.get("method"),
        _expression(given),
        nth,
        write,
        _whole(given, "times") or (1 if once else None),
        _number(given, "probability", 1),
        _whole(given, "seed", 0),
        _one_of(given, "when", kind.when) if "when" in given else next(iter(kind.when), ""),
        _number({"seconds": str(HOLD_SECONDS), **given}, "seconds", HOLD_SECONDS)
        if name == "hold"
        else _number(given, "seconds", LONGEST),
        _status(given),
        _whole(given, "retry_after", 0),
    )


def _together(kind: Kind, given: Mapping[str, str]) -> None:
    if "probability" in given and not {"nth", "write"}.isdisjoint(given):
        raise ValueError("--probability does not go with --nth or --write")
    if "seed" in given and "probability" not in given:
        raise ValueError("--seed means nothing without --probability")
    if "write" in given and not {"nth", "times"}.isdisjoint(given):
        raise ValueError("--write says which request; it does not go with --nth or --times")
    if "write" in given and kind.strikes != REQUEST:
        raise ValueError(f"--write means nothing to the fault {given['kind']}, which strikes no request")
    if "method" in given and kind.strikes != REQUEST:
        raise ValueError(f"--method means nothing to the fault {given['kind']}, which strikes no request")
    if "match" in given and kind.strikes in CONNECTIONS:
        raise ValueError(f"--match means nothing to the fault {given['kind']}: a connection says nothing")
    if kind.methods and "method" in given and given["method"] not in kind.methods:
        raise ValueError(f"the fault {given['kind']} strikes {' and '.join(kind.methods)} alone")


def _place(name: str, kind: Kind, given: Mapping[str, str]) -> str | None:
    """Where it happens; a request that is told by its ordinal may be anywhere."""
    if "on" in given:
        place = _one_of(given, "on", TARGETS)
        if place not in kind.on:
            raise ValueError(f"the fault {name} happens on {' or '.join(kind.on)}, not on {place}")
        return place
    if len(kind.on) == 1:
        return kind.on[0]
    if "write" in given:
        return None
    raise ValueError(f"say where the fault {name} happens: --on {' or '.join(kind.on)}")


def _whole(given: Mapping[str, str], name: str, low: int = 1) -> int | None:
    if (text := given.get(name)) is None:
        return None
    if not re.fullmatch(r"[0-9]+", text) or int(text) < low:
        raise ValueError(f"{_flag(name)} is a whole number, {low} or more, not {text!r}")
    return int(text)


def _number(given: Mapping[str, str], name: str, high: float) -> float | None:
    if (text := given.get(name)) is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= high:
        raise ValueError(f"{_flag(name)} is a number, 0 to {high:g}, not {text!r}")
    return value


def _status(given: Mapping[str, str]) -> int | None:
    if (text := given.get("status")) is None:
        return None
    known = [str(status.value) for status in HTTPStatus if status.value >= 400]
    if text not in known:
        raise ValueError(f"--status is one of {', '.join(known)}, not {text!r}")
    return int(text)


def _one_of(given: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    if given[name] not in choices:
        raise ValueError(f"{_flag(name)} is {' or '.join(choices)}, not {given[name]!r}")
    return given[name]


def _expression(given: Mapping[str, str]) -> str | None:
    if (text := given.get("match")) is not None:
        try:
            re.compile(text)
        except re.error as error:
            raise ValueError(f"--match {text!r} is no regular expression: {error}") from None
    return text


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
