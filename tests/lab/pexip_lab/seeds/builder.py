"""What the seeds are made with: the account by its API, the machines by hand."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config

from ..api import models
from ..aws.account import KEY_NAME
from ..aws.images import IMAGES, PEXIP_OWNER, pexip_image
from ..aws.instance import LabInstance
from ..conferencing_node import ConferencingNode
from ..credentials import ADMIN_PASSWORD, NODE_PASSWORD, WEB_PASSWORD, WEB_USERNAME
from ..machine import Hardware, Machine
from ..management_node import ManagementNode
from ..network import CONTROLLER, DOMAIN, REGION
from ..simulation import Simulation

VERSION = "11.0.0"
MANAGER = "manager"
GROUP = "pexip-nodes"
GROUP_BY_HAND = "Pexip Infinity nodes"
PATIENCE = 60.0  # real seconds
STEP = 20.0  # lab seconds


class Builder:
    """What the seeds are made with: the account by its API, the machines by hand.

    ``ours`` says whether names and tags are the collection's, or what a person with the guide would choose.
    """

    def __init__(self, simulation: Simulation):
        self.simulation = simulation
        self.ours = True
        self.ec2, self.iam = (self._client(service) for service in ("ec2", "iam"))

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.simulation.network.endpoint,
            region_name=REGION,
            aws_access_key_id=self.simulation.account.access_key,
            aws_secret_access_key=self.simulation.account.secret_key,
            config=Config(proxies={}),
        )

    def manager_in_ec2(self) -> str:
        """An installed Management Node in EC2; returns the id of its security group, which is all nodes' group."""
        group = self.security_group()
        manager = self.launch(MANAGER, "management", group, 0)
        self.install(manager)
        if self.ours:
            self.tag(manager, {"pexip-infinity-tls-fingerprint": manager.fingerprint})
        return group

    def security_group(self) -> str:
        """The guide's group for all nodes, restricted to the controller; returns its id."""
        ports = self.simulation.network
        tags = {"pexip-infinity-platform": MANAGER} if self.ours else {"Name": GROUP_BY_HAND}
        group = self.ec2.create_security_group(
            GroupName=GROUP if self.ours else GROUP_BY_HAND,
            Description=f"Pexip Infinity nodes of {MANAGER}",
            VpcId=self.simulation.account.vpc_id,
            TagSpecifications=_specification("security-group", tags),
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

    def launch(
        self,
        name: str,
        kind: str,
        group: str,
        subnet: int,
        *,
        public: bool = False,
        version: str = VERSION,
        tags: Mapping[str, str] | None = None,
    ) -> Machine:
        """Launch and boot an instance.

        :param kind: management or conferencing
        :param subnet: 0 for a, 1 for b
        :param public: whether it gets a dynamic public address
        :param tags: tags beside the usual ones
        """
        ours = {
            "Name": name,
            "pexip-infinity-node": name,
            "pexip-infinity-platform": MANAGER,
            "pexip-infinity-role": kind,
        }
        usual = ours if self.ours else {"Name": name_by_hand(name)}
        instance = self.ec2.run_instances(
            ImageId=image_id(kind, version),
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
                    "AssociatePublicIpAddress": public,
                }
            ],
            TagSpecifications=_specification("instance", {**usual, **(tags or {})}),
        )["Instances"][0]["InstanceId"]
        machines = self.simulation.hypervisor.machines
        self.until(lambda: instance in machines and machines[instance].state == "running", f"{name} to boot")
        return machines[instance]

    def tag(self, machine: Machine, tags: Mapping[str, str]) -> None:
        """Tag the instance of a machine."""
        self.ec2.create_tags(
            Resources=[machine.hardware.identity], Tags=[{"Key": key, "Value": value} for key, value in tags.items()]
        )

    def stop(self, *machines: Machine) -> None:
        """Stop the instances of machines."""
        self.ec2.stop_instances(InstanceIds=[machine.hardware.identity for machine in machines])
        for machine in machines:
            instance = self.instance(machine)
            self.until(
                lambda instance=instance, machine=machine: (instance.state, machine.state) == ("stopped", "off"),
                f"{instance.id} to stop",
            )

    def start(self, machine: Machine) -> None:
        """Start the instance of a machine."""
        self.ec2.start_instances(InstanceIds=[machine.hardware.identity])
        self.until(lambda: machine.state == "running", f"{machine.hardware.identity} to boot")

    def instance(self, machine: Machine) -> LabInstance:
        """The instance of a machine."""
        return self.simulation.account.ec2.get_instance(machine.hardware.identity)

    def on_premises(self, group: str) -> Machine:
        """A running Conferencing Node onprem01 in the corporate network, for which the group is open."""
        self.allow_from(group, str(self.simulation.network.on_premises))
        machine = self.simulation.hypervisor.on_premises("onprem01", "conferencing", 20, version())
        self.power_on(machine)
        return machine

    def free_address(self, subnet: int) -> str:
        """An address that no instance will get: the last one of a subnet."""
        return str(self.simulation.network.subnets[subnet].broadcast_address - 1)

    def user(self, name: str, policy: str, host_name: str) -> dict[str, str]:
        """A user with the guide's policy and an access key (guide: Configuring an AWS user and policy).

        :param host_name: the Management Node's, as the policy names it
        :returns: the key, as fields of the global settings
        """
        tags = [{"Key": "pexip-infinity-platform", "Value": MANAGER}] if self.ours else []
        document = {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": ["ec2:Describe*"], "Effect": "Allow", "Resource": "*"},
                {
                    "Action": ["ec2:StartInstances", "ec2:StopInstances"],
                    "Effect": "Allow",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"ec2:ResourceTag/pexip-cloud": host_name}},
                },
            ],
        }
        arn = self.iam.create_policy(PolicyName=policy, PolicyDocument=json.dumps(document), Tags=tags)["Policy"]["Arn"]
        self.iam.create_user(UserName=name, Tags=tags)
        self.iam.attach_user_policy(UserName=name, PolicyArn=arn)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return {"aws_access_key": key["AccessKeyId"], "aws_secret_key": key["SecretAccessKey"]}

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

    def location(self, name: str, **fields: Any) -> str:
        """A system location with the platform's DNS and NTP servers; returns its URI."""
        platform = self.manager.platform
        dns, ntp = ([row["resource_uri"] for row in platform.rows(kind)] for kind in ("dns_server", "ntp_server"))
        return platform.create("system_location", name=name, dns_servers=dns, ntp_servers=ntp, **fields)["resource_uri"]

    def register(self, name: str, node: ConferencingNode, location: str, **fields: Any) -> None:
        """Register a Conferencing Node and give it its document; it reboots."""
        document = self.declare(name, node.hardware, location, **fields)
        node.configure(document.encode())
        self.reboot(node)

    def declare(self, name: str, hardware: Hardware, location: str, **fields: Any) -> str:
        """Register a Conferencing Node with a machine's addresses; returns its document."""
        return self.manager.platform.create(
            "worker_vm",
            name=name,
            hostname=name,
            domain=DOMAIN,
            address=hardware.address,
            netmask=hardware.netmask,
            gateway=hardware.gateway,
            system_location=location,
            password=NODE_PASSWORD,
            deployment_type="MANUAL-PROVISION-ONLY",
            **fields,
        )["document"]

    def enable_bursting(self, **settings: Any) -> None:
        """Change the global settings; the nodes that run fetch them."""
        with self.manager.platform.using():
            row = models.model("configuration", "global").objects.get()
            for name, value in {"bursting_enabled": True, **settings}.items():
                setattr(row, name, value)
            row.save()
        status = self.manager.platform.rows
        running = {machine.hardware.address for machine in self.simulation.machines() if machine.state == "running"}
        for node in self.manager.platform.rows("worker_vm", address__in=running):
            self.until(
                lambda pk=node["id"]: status("worker_vm", "status", pk=pk)[0]["sync_status"] == "SYNCED",
                f"{node['name']} to fetch the settings",
            )

    def licences(self, ports: int) -> None:
        """Let the platform hold so many licences for calls (concurrent video or audio participants)."""
        with self.manager.platform.using():
            models.model("status", "licensing").objects.update(port_total=ports)

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


def image_id(kind: str, wanted: str) -> str:
    """Pexip's newest image of a kind and version."""
    found = [
        (image.build, identity)
        for identity, owner, name in IMAGES
        if (image := pexip_image(owner, name)) and image.kind == kind and image.version == wanted
    ]
    return max(found)[1]


def name_by_hand(name: str) -> str:
    """What a person calls the instance of a node."""
    return f"Pexip {name}"


def version() -> str:
    """The version that nodes made from the seeds' images report."""
    names = {identity: name for identity, _owner, name in IMAGES}
    return pexip_image(PEXIP_OWNER, names[image_id("conferencing", VERSION)]).full_version


def _specification(resource: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": resource, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
