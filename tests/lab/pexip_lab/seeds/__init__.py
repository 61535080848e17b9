"""Seeds: states that a lab can start in, built inside it in seconds and never through the collection's modules.

A seed is a function that takes a `Builder`. It runs on a thread of its own and moves the lab's clock on instead of
waiting for the machines.
"""

import asyncio
from collections.abc import Callable

from ..simulation import Simulation
from . import bursting, by_hand, platforms
from .builder import GROUP_BY_HAND, MANAGER, VERSION, Builder
from .bursting import OVERFLOW

__all__ = ["GROUP_BY_HAND", "MANAGER", "OVERFLOW", "SEEDS", "VERSION", "plant"]

#: What ``pexip-lab up --seed`` takes.
SEEDS: dict[str, Callable[[Builder], None]] = {
    "platform": platforms.platform,
    "nodes": platforms.nodes,
    "hybrid": platforms.hybrid,
    "bursting": bursting.build,
    "by-hand": by_hand.build,
}


async def plant(simulation: Simulation, name: str) -> None:
    """Build a seed; afterwards the request counters stand at zero.

    :raises TimeoutError: something of it never came up
    """
    await asyncio.to_thread(SEEDS[name], Builder(simulation))
    simulation.requests.read(reset=True)
