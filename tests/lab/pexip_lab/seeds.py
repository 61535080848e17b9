"""Seeds: states that a lab can start in, built inside it in seconds and never through the collection's modules.

A seed is a function that takes a `Builder`; ``@seed("name")`` makes it known to ``pexip-lab up --seed``. It runs on a
thread of its own and moves the lab's clock on instead of waiting for the machines.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from .aws.account import KEY_NAME
from .aws.images import IMAGES, PEXIP_OWNER, pexip_image
from .conferencing_node import ConferencingNode
from .credentials import ADMIN_PASSWORD, NODE_PASSWORD, WEB_PASSWORD, WEB_USERNAME
from .machine import Machine
from .management_node import ManagementNode
from .network import CONTROLLER, DOMAIN, REGION
from .simulation import Simulation

VERSION = "11.0.0"
MANAGER = "manager"
GROUP = "pexip-nodes"
PATIENCE = 60.0  # real seconds
STEP = 20.0  # lab seconds

Seed = Callable[["Builder"], None]
SEEDS: dict[str, Seed] = {}


def seed(name: str) -> Callable[[Seed], Seed]:
    """Register a seed."""

    def register(build: Seed) -> Seed:
        SEEDS[name] = build
        return build

    return register


async def plant(simulation: Simulation, name: str) -> None:
    """Build a seed; afterwards the request counters stand at zero.

    :raises TimeoutError: something of it never came up
    """
    await asyncio.to_thread(SEEDS[name], Builder(simulation))
    simulation.requests.read(reset=True)


class Builder:
    """What the seeds are made with: the account by its API, the machines by hand."""

    def __init__(self, simulation: Simulation):
        self.simulation = simulation
        self.ec2 = boto3.client(
            "ec2",
            endpoint_url=simulation.network.endpoint,
            region_name=REGION,
            aws_access_key_id=simulation.account.access_key,
            aws_secret_access_key=simulation.account.secret_key,
            config=Config(proxies={}),
        )

    def security_group(self) -> str:
        """The guide's group for all nodes, restricted to the controller; returns its id."""
        ports = self.simulation.network
        group = self.ec2.create_security_group(
            GroupName=GROUP,
            Description=f"Pexip Infinity nodes of {MANAGER}",
            VpcId=self.simulation.account.vpc_id,
            TagSpecifications=_tags("security-group", {"pexip-infinity-platform": MANAGER}),
        )["GroupId"]
        everyone, station, itself = "0.0.0.0/0", f"{CONTROLLER}/32", {"UserIdGroupPairs": [{"GroupId": group}]}
        rules = [
            ("tcp", ports.ssh_port, ports.ssh_port, station),
            ("tcp", ports.api_port, ports.api_port, everyone),
            ("tcp", 1720, 1720, everyone),
            ("tcp", 5060, 5060, everyone),
            ("tcp", 5061, 5061, everyone),
            ("tcp", ports.bootstrap_port, ports.bootstrap_port, station),
            ("tcp", 33000, 49999, everyone),
            ("udp", 40000, 49999, everyone),
            ("udp", 1719, 1719, everyone),
            ("icmp", -1, -1, station),
        ]
        permissions: list[dict[str, Any]] = [
            {"IpProtocol": protocol, "FromPort": low, "ToPort": high, "IpRanges": [{"CidrIp": source}]}
            for protocol, low, high, source in rules
        ]
        permissions.append({"IpProtocol": "udp", "FromPort": 500, "ToPort": 500, **itself})
        permissions.append({"IpProtocol": "50", **itself})
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
        return group

    def allow_from(self, group: str, cidr: str) -> None:
        """Let the nodes of another network build their tunnels (UDP 500 and ESP)."""
        peers = {"IpRanges": [{"CidrIp": cidr}]}
        self.ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[
                {"IpProtocol": "udp", "FromPort": 500, "ToPort": 500, **peers},
                {"IpProtocol": "50", **peers},
            ],
        )

    def launch(self, name: str, kind: str, group: str, subnet: int) -> Machine:
        """Launch and boot an instance that is tagged as the collection tags it.

        :param kind: management or conferencing
        :param subnet: 0 for a, 1 for b
        """
        tags = {
            "Name": name,
            "pexip-infinity-node": name,
            "pexip-infinity-platform": MANAGER,
            "pexip-infinity-role": kind,
        }
        instance = self.ec2.run_instances(
            ImageId=image_id(kind, VERSION),
            InstanceType="m4.large" if kind == "management" else "c4.2xlarge",
            KeyName=KEY_NAME,
            MinCount=1,
            MaxCount=1,
            Placement={"Tenancy": "default" if kind == "management" else "dedicated"},
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": self.simulation.account.subnet_ids[subnet],
                    "Groups": [group],
                    "AssociatePublicIpAddress": False,
                }
            ],
            TagSpecifications=_tags("instance", tags),
        )["Instances"][0]["InstanceId"]
        machines = self.simulation.hypervisor.machines
        self.until(lambda: instance in machines and machines[instance].state == "running", f"{name} to boot")
        return machines[instance]

    def install(self, node: ManagementNode) -> None:
        """Do what the first login and the installation wizard do, then reboot."""
        server = self.simulation.network.resolver
        node.unix_password = ADMIN_PASSWORD
        node.platform.install(
            hostname=MANAGER,
            domain=DOMAIN,
            address=node.hardware.address,
            netmask=node.hardware.netmask,
            gateway=node.hardware.gateway,
            dns_servers=[server],
            ntp_servers=[server],
            web_username=WEB_USERNAME,
            web_password=WEB_PASSWORD,
            version=node.hardware.version,
        )
        self.reboot(node)
        self.simulation.seeded = node

    def location(self, name: str) -> str:
        """A system location with the platform's DNS and NTP servers; returns its URI."""
        platform = self.manager.platform
        dns, ntp = ([row["resource_uri"] for row in platform.rows(kind)] for kind in ("dns_server", "ntp_server"))
        return platform.create("system_location", name=name, dns_servers=dns, ntp_servers=ntp)["resource_uri"]

    def register(self, name: str, node: ConferencingNode, location: str) -> None:
        """Register a Conferencing Node and give it its document; it reboots."""
        answer = self.manager.platform.create(
            "worker_vm",
            name=name,
            hostname=name,
            domain=DOMAIN,
            address=node.hardware.address,
            netmask=node.hardware.netmask,
            gateway=node.hardware.gateway,
            system_location=location,
            password=NODE_PASSWORD,
            deployment_type="MANUAL-PROVISION-ONLY",
        )
        node.configure(answer["document"].encode())
        self.reboot(node)

    def await_contact(self, *nodes: ConferencingNode) -> None:
        """Until the nodes have reported in."""
        for node in nodes:
            self.until(lambda node=node: node.contact == "ok", f"{node.document.name} to report in")

    @property
    def manager(self) -> ManagementNode:
        """The platform's Management Node."""
        assert self.simulation.seeded is not None, "install it first"
        return self.simulation.seeded

    def power_on(self, machine: Machine) -> None:
        self.simulation.loop.call_soon_threadsafe(machine.power_on)
        self.until(lambda: machine.state == "running", f"{machine.hardware.identity} to boot")

    def reboot(self, machine: Machine) -> None:
        """Reboot and see it up again."""
        machine.state = "rebooting"
        self.simulation.loop.call_soon_threadsafe(machine.reboot)
        self.until(lambda: machine.state == "running", f"{machine.hardware.identity} to boot")

    def until(self, ready: Callable[[], bool], what: str) -> None:
        """Move the lab's time on until something is so.

        :raises TimeoutError: it never was
        """
        deadline = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the seed waited {PATIENCE:.0f} seconds for {what}")
            self.simulation.clock.advance(STEP)
            time.sleep(0.01)  # the machines need real time for what they do in it


@seed("platform")
def platform(build: Builder) -> None:
    """An installed Management Node in EC2."""
    _manager_in_ec2(build)


@seed("nodes")
def nodes(build: Builder) -> None:
    """A platform with Conferencing Nodes conf01 (London) and conf02 (Oslo) in EC2 and onprem01 (HQ) on premises."""
    group = _manager_in_ec2(build)
    premises = build.simulation.network.on_premises
    build.allow_from(group, str(premises))
    placed = [
        ("conf01", build.launch("conf01", "conferencing", group, 0), "London"),
        ("conf02", build.launch("conf02", "conferencing", group, 1), "Oslo"),
        ("onprem01", build.simulation.hypervisor.on_premises("onprem01", "conferencing", 20, version()), "HQ"),
    ]
    build.power_on(placed[-1][1])
    for name, node, location in placed:
        build.register(name, node, build.location(location))
    build.await_contact(*(node for _name, node, _location in placed))


@seed("hybrid")
def hybrid(build: Builder) -> None:
    """A Management Node in the corporate network and an empty VPC (guide: Deployment options, hybrid cloud)."""
    manager = build.simulation.hypervisor.on_premises(MANAGER, "management", 10, version())
    build.power_on(manager)
    build.install(manager)


def _manager_in_ec2(build: Builder) -> str:
    group = build.security_group()
    manager = build.launch(MANAGER, "management", group, 0)
    build.install(manager)
    build.ec2.create_tags(
        Resources=[manager.hardware.identity],
        Tags=[{"Key": "pexip-infinity-tls-fingerprint", "Value": manager.fingerprint}],
    )
    return group


def image_id(kind: str, wanted: str) -> str:
    """Pexip's newest image of a kind and version."""
    found = [
        (image.build, identity)
        for identity, owner, name in IMAGES
        if (image := pexip_image(owner, name)) and image.kind == kind and image.version == wanted
    ]
    return max(found)[1]


def version() -> str:
    """The version that nodes made from the seeds' images report."""
    names = {identity: name for identity, _owner, name in IMAGES}
    return pexip_image(PEXIP_OWNER, names[image_id("conferencing", VERSION)]).full_version


def _tags(resource: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": resource, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
