"""How many calls a Conferencing Node can host at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Capacity(NamedTuple):
    """Calls of one kind, if a node hosts no other."""

    hd: int
    sd: int
    audio: int

    @classmethod
    def scaled(cls, hd: int) -> Capacity:
        """A node that hosts so many HD calls, with SD and audio as a c4.2xlarge has them beside its HD calls."""
        return cls(hd, hd * 34 // 15, hd * 175 // 15)


NOTHING = Capacity(0, 0, 0)

#: The guide names c4.2xlarge (and c3.2xlarge in its place); the large ones have less than their size, as it says.
CAPACITY = {
    "c3.2xlarge": Capacity(15, 34, 175),
    "c4.large": Capacity(4, 9, 44),
    "c4.xlarge": Capacity(8, 17, 88),
    "c4.2xlarge": Capacity(15, 34, 175),
    "c4.4xlarge": Capacity(27, 61, 315),
    "c4.8xlarge": Capacity(45, 102, 525),
}


def capacity(instance_type: str | None, vcpus: int, settings: Mapping[str, int]) -> Capacity:
    """What a node can carry: by its instance type, else two HD calls a virtual CPU, as a c4.2xlarge has it.

    Args:
        settings: HD calls by instance type that this lab was started with; they come first.
    """
    if instance_type in settings:
        return Capacity.scaled(settings[instance_type])
    if instance_type in CAPACITY:
        return CAPACITY[instance_type]
    return Capacity.scaled(max(1, vcpus * 15 // 8))
