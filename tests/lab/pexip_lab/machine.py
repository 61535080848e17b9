"""A virtual machine: something that boots, runs, and can be switched off. What it is, its subclasses say."""

import asyncio
import logging
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from .clock import Clock
from .counters import Requests
from .faults import Faults
from .faults.fault import ACCEPT, BOOT
from .firewall import Firewall
from .listener import Guard, GuardedSocket
from .names import Surroundings
from .network import Network

_log = logging.getLogger(__name__)

BOOT_SECONDS = 120


@dataclass(frozen=True)
class Site:
    """What all machines of a lab share.

    :param requests: counts the requests of the management APIs
    :param faults: what is to go wrong
    :param left: told the address of a Conferencing Node that cannot reach its Management Node any more
    :param lost: told the address of one that has lost its power
    :param capacities: HD calls of a Conferencing Node by instance type, where they differ from the usual ones
    """

    network: Network
    clock: Clock
    firewall: Firewall
    requests: Requests
    faults: Faults
    left: Callable[[str], object]
    lost: Callable[[str], object]
    capacities: Mapping[str, int]


@dataclass(frozen=True)
class Hardware:
    """What a machine is made of.

    :param identity: the instance's id, or a name on premises
    :param directory: its disk, gone with the machine
    :param public_key: the key pair it was launched with, as an OpenSSH line
    :param public: says whether the machine has a public address now
    :param title: what the operator calls it now: the tag Name of its instance
    """

    identity: str
    address: str
    netmask: str
    gateway: str
    directory: Path
    version: str = ""
    instance_type: str | None = None
    vcpus: int = 4
    ram_mb: int = 4096
    public_key: str | None = None
    public: Callable[[], bool] = field(default=lambda: False)
    title: Callable[[], str] = field(default=lambda: "")


class Machine:
    """A machine without sockets. Its life is a coroutine, and its power switch cancels it: use it on the event loop."""

    kind = "other"

    def __init__(self, site: Site, hardware: Hardware):
        self.site = site
        self.hardware = hardware
        self.state = "off"
        self.boot_time: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self._listeners: list[GuardedSocket] = []
        hardware.directory.mkdir(parents=True, exist_ok=True)

    def power_on(self) -> None:
        """Boot, once what is left of the life before has ended."""
        self._task = asyncio.get_running_loop().create_task(self._live(self._stop()))

    def power_off(self) -> None:
        """Lose the power: every connection drops, the disk stays."""
        self._stop()
        self.state = "off"

    def reboot(self) -> None:
        """Drop every connection and boot again."""
        self.power_on()

    async def destroy(self) -> None:
        """Switch off and lose the disk."""
        task = self._stop()
        if task is not None:
            await asyncio.wait([task])
        self.state = "gone"
        shutil.rmtree(self.hardware.directory, ignore_errors=True)

    async def run(self) -> None:
        """What the machine does once it has booted: it says `booted` when its ports are open. Returning is a reboot."""
        self.booted()
        await asyncio.Event().wait()

    def booted(self) -> None:
        """The machine is up."""
        self.state = "running"

    def describe(self) -> dict[str, Any]:
        """One line of ``pexip-lab status``."""
        return {
            "id": self.hardware.identity,
            "kind": self.kind,
            "address": self.hardware.address,
            "version": self.hardware.version,
            "state": self.state,
        }

    @property
    def labels(self) -> str:
        """What a fault may know the machine by."""
        own = self.hardware
        names = (own.identity, own.title(), self.describe().get("name"), own.address, own.instance_type)
        return " ".join(dict.fromkeys(filter(None, names)))

    @property
    def surroundings(self) -> Surroundings:
        """What the machine can reach now."""
        return Surroundings(self.site.network, self.hardware.public())

    def listen(self, port: int, serving: str) -> GuardedSocket:
        """Open a TCP port to those whom the security groups let in.

        :param serving: where its faults happen: api or node
        """
        own, allows = self.hardware.address, self.site.firewall.allows
        listener = self.listen_if(
            port, lambda peer: allows(peer, own, "tcp", port) and not self.site.faults.strikes(serving, ACCEPT)
        )
        self.site.faults.watch(serving, listener)
        return listener

    def listen_if(self, port: int, guard: Guard) -> GuardedSocket:
        """Open a TCP port to those whom the guard lets in; it goes silent with the machine."""
        self._listeners.append(GuardedSocket(self.hardware.address, port, guard))
        return self._listeners[-1]

    def _stop(self) -> asyncio.Task[None] | None:
        """End this life; the caller may wait for the task that it was."""
        while self._listeners:
            self._listeners.pop().silence()
        # once only: a second cancellation would interrupt the closing of its servers
        if self._task is not None and not self._task.cancelling():
            self._task.cancel()
        return self._task

    async def _live(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            while True:
                self.state = "booting"
                self.boot_time = self.site.clock.now()
                if self.site.faults.strikes("aws", BOOT, self.labels):
                    await asyncio.Event().wait()
                await self.site.clock.sleep(BOOT_SECONDS)
                await self.run()
        except asyncio.CancelledError:
            raise
        except Exception:
            self.state = "crashed"
            _log.exception("machine %s (%s) crashed", self.hardware.identity, self.hardware.address)
