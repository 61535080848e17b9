"""One lab: the AWS account, the hypervisor with its machines, the clock, the counters."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

from .aws import endpoint
from .aws.account import Account
from .aws.instance import LabInstance
from .clock import Clock
from .counters import Requests
from .firewall import Firewall
from .hypervisor import Hypervisor
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
        self.account = Account.open(self.network, self.clock, self._observe, settings.files.key)
        site = Site(self.network, self.clock, Firewall(self.account), self.requests.count)
        self.hypervisor = Hypervisor(self.account, site, settings.files.machines)
        #: the Management Node that the seed made
        self.seeded: ManagementNode | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve AWS while the block runs; then every machine is gone.

        :raises OSError: the endpoint cannot be bound
        """
        try:
            aws = endpoint.application(self.requests.count_aws)
            async with http_server(aws, self.open_port(self.network.aws_port), threads=10):
                yield
        finally:
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

    def status(self) -> dict[str, Any]:
        """Instances, machines and what the platforms say of their nodes."""
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
        }

    def _observe(self, instance: LabInstance, state: str) -> None:
        self.loop.call_soon_threadsafe(self.hypervisor.follow, instance, state)


def _instance(instance: LabInstance) -> dict[str, Any]:
    return {
        "id": instance.id,
        "name": {tag["key"]: tag["value"] for tag in instance.get_tags()}.get("Name", ""),
        "type": instance.instance_type,
        "state": instance.state,
        "private_ip": instance.private_ip,
        "public_ip": instance.public_ip,
    }
