"""Follows the states of the account's instances and boots, stops and deletes the machines behind them."""

import asyncio
from ipaddress import IPv4Network
from pathlib import Path

from .aws.account import Account
from .aws.instance import LabInstance
from .conferencing_node import ConferencingNode
from .faults.aws import name_of
from .machine import Hardware, Machine, Site
from .management_node import ManagementNode

KINDS: dict[str, type[Machine]] = {"management": ManagementNode, "conferencing": ConferencingNode}


class Hypervisor:
    """All machines of the lab, by instance id, or by name on premises.

    :param directory: where the machines' disks lie
    """

    def __init__(self, account: Account, site: Site, directory: Path):
        self.machines: dict[str, Machine] = {}
        self._account = account
        self._site = site
        self._directory = directory
        self._deletions: set[asyncio.Task[None]] = set()

    def follow(self, instance: LabInstance, state: str) -> None:
        """Do what an instance's new state means for its machine. On the event loop."""
        if state == "running":
            self.machine(instance).power_on()
        elif state == "rebooting" and instance.id in self.machines:
            self.machines[instance.id].reboot()
        elif state in ("stopping", "shutting-down") and instance.id in self.machines:
            self.machines[instance.id].power_off()
        elif state == "terminated" and instance.id in self.machines:
            deletion = asyncio.get_running_loop().create_task(self.machines.pop(instance.id).destroy())
            self._deletions.add(deletion)
            deletion.add_done_callback(self._deletions.discard)

    def machine(self, instance: LabInstance) -> Machine:
        """The machine behind an instance; made when it boots for the first time, with the key pair of then."""
        if instance.id not in self.machines:
            image = self._account.image(instance)
            kind = KINDS[image.kind] if image and self._site.network.holds(instance.private_ip) else Machine
            subnet: IPv4Network = self._account.ec2.get_subnet(instance.subnet_id).cidr
            vcpus, ram_mb = self._account.size(instance.instance_type)
            hardware = Hardware(
                identity=instance.id,
                address=instance.private_ip,
                netmask=str(subnet.netmask),
                gateway=str(subnet.network_address + 1),
                directory=self._directory / instance.id,
                version=image.full_version if image else "",
                instance_type=instance.instance_type,
                vcpus=vcpus,
                ram_mb=ram_mb,
                public_key=self._account.public_key(instance),
                public=lambda: instance.public_ip is not None,
                title=lambda: name_of(instance),
            )
            self.machines[instance.id] = kind(self._site, hardware)
        return self.machines[instance.id]

    def on_premises(self, name: str, kind: str, host: int, version: str) -> Machine:
        """Put a machine into the corporate network.

        :param host: the number of its address in the network
        """
        network = self._site.network.on_premises
        hardware = Hardware(
            identity=name,
            address=str(network.network_address + host),
            netmask=str(network.netmask),
            gateway=str(network.network_address + 1),
            directory=self._directory / name,
            version=version,
            public=lambda: True,
        )
        self.machines[name] = KINDS[kind](self._site, hardware)
        return self.machines[name]

    async def close(self) -> None:
        """Switch everything off."""
        for machine in self.machines.values():
            machine.power_off()
        await asyncio.gather(*(machine.destroy() for machine in self.machines.values()), *self._deletions)
