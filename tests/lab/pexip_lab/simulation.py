"""One lab: the AWS account, the hypervisor with its machines, the clock, the counters."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

from .api.calls import Calls
from .aws import endpoint
from .aws.account import Account
from .aws.gate import Gate
from .aws.instance import LabInstance
from .clock import Clock
from .conferencing_node import ConferencingNode
from .counters import Requests
from .faults import Faults
from .faults import aws as aws_faults
from .faults.fault import ACCEPT
from .firewall import Firewall
from .hypervisor import Hypervisor
from .internet import Internet
from .listener import GuardedSocket, http_server
from .machine import Machine, Site
from .management_node import ManagementNode
from .network import Network
from .settings import Settings


class Simulation:
    """The parts of a lab. Machines live on the event loop; the account and the APIs on threads of their own."""

    def __init__(self, settings: Settings, loop: asyncio.AbstractEventLoop):
        # the lab's own queries are short and go to local files, so they may run on the event loop
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        self.settings = settings
        self.loop = loop
        self.network: Network = settings.addresses
        self.clock = Clock(settings.time_scale)
        self.requests = Requests()
        self.faults = Faults()
        self.internet = Internet(self.network, loop, self._living)
        self.account = Account.open(
            self.network,
            self.clock,
            self._observe,
            self.internet.next_address,
            lambda instance: aws_faults.stays_pending(self.faults, instance),
            settings.files.key,
        )
        site = Site(
            network=self.network,
            clock=self.clock,
            firewall=Firewall(self.account),
            requests=self.requests,
            faults=self.faults,
            left=lambda address: [calls.left(address) for calls in self.calls()],
            lost=lambda address: [calls.lost(address) for calls in self.calls()],
            capacities=settings.capacities,
        )
        self.hypervisor = Hypervisor(self.account, site, settings.files.machines)
        #: the Management Node that the seed made
        self.seeded: ManagementNode | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve AWS while the block runs; then every machine is gone.

        :raises OSError: the endpoint cannot be bound
        """
        try:
            gate = Gate(self.account.ec2, self.requests.saw)
            account = endpoint.application(gate, self.requests.count_aws)
            aws = aws_faults.application(account, self.faults, self.requests, self._lose)
            port = GuardedSocket(
                self.network.resolver, self.network.aws_port, lambda peer: not self.faults.strikes("aws", ACCEPT)
            )
            self.faults.watch("aws", port)
            async with http_server(aws, port, threads=10):
                try:
                    yield
                finally:
                    self.faults.clear()
        finally:
            await self.internet.close()
            await self.hypervisor.close()
            self.clock.stop()

    def open_port(self, port: int) -> socket.socket:
        """Listen for everybody on the address of the lab's own services."""
        return GuardedSocket(self.network.resolver, port, lambda peer: True)

    def machine_named(self, name: str) -> Machine | None:
        """The machine that calls itself so, or None."""
        return next((item for item in self.machines() if item.describe().get("name") == name), None)

    def machines(self) -> list[Machine]:
        return list(self.hypervisor.machines.values())

    def management_nodes(self) -> list[ManagementNode]:
        """The installed ones."""
        return [item for item in self.machines() if isinstance(item, ManagementNode) and item.platform.installed]

    def calls(self) -> list[Calls]:
        """The calls of each platform."""
        return [item.platform.calls for item in self.machines() if isinstance(item, ManagementNode)]

    def secrets(self) -> dict[str, list[str]]:
        """What was given out once, for whoever looks for where it may not be: the secrets of access keys, tokens of nodes."""
        nodes = (item for item in self.machines() if isinstance(item, ConferencingNode))
        tokens = [node.document.token for node in nodes if node.document]
        return {"access_keys": self.account.secret_keys(), "tokens": tokens}

    def status(self) -> dict[str, Any]:
        """Instances, machines, what the platforms say of their nodes, and calls."""
        with self.account.lock:
            instances = [_instance(item) for item in self.account.ec2.instances()]
        nodes = [
            {
                "platform": manager.configuration["hostname"],
                "name": node["name"],
                "location": node["system_location"],
                "sync_status": node["sync_status"],
                "last_updated": node["last_updated"],
                "version": node["version"],
            }
            for manager in self.management_nodes()
            for node in manager.platform.rows("worker_vm", family="status")
        ]
        return {
            "time": self.clock.now().isoformat(timespec="seconds"),
            "time_scale": self.clock.scale,
            "seed": self.settings.seed,
            "aws_endpoint": self.network.endpoint,
            "instances": instances,
            "machines": [machine.describe() for machine in self.machines()],
            "nodes": nodes,
            "calls": [call for calls in self.calls() for call in calls.listed()],
            "rejected": sum(calls.board.rejected for calls in self.calls()),
            "dropped": sum(calls.board.dropped for calls in self.calls()),
            "bursting": [entry for manager in self.management_nodes() for entry in manager.bursting.history],
        }

    def _lose(self, instance: str, seconds: float) -> None:
        self.clock.call_later(seconds, self.account.lose, instance)

    def _living(self) -> list[LabInstance]:
        return self.account.living()

    def _observe(self, instance: LabInstance, state: str) -> None:
        self.loop.call_soon_threadsafe(self.hypervisor.follow, instance, state)


def _instance(instance: LabInstance) -> dict[str, Any]:
    return {
        "id": instance.id,
        "name": aws_faults.name_of(instance),
        "type": instance.instance_type,
        "state": instance.state,
        "private_ip": instance.private_ip,
        "public_ip": instance.public_ip,
    }
