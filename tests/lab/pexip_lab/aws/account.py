"""The account that a lab starts with: network, key pair, images and an administrator's access key."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends
from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.iam.models import iam_backends

from ..clock import Clock
from ..network import REGION, ZONES, Network
from . import iam, images
from .backend import LOCK, Addresses, LabEC2Backend, Observer, install
from .instance import LabInstance

KEY_NAME = "lab-key"
ADMINISTRATOR = "lab-operator"


@dataclass(frozen=True)
class Account:
    """The account as the lab's own parts see it. Hold ``lock`` while reading several things that belong together."""

    ec2: LabEC2Backend
    vpc_id: str
    subnet_ids: tuple[str, str]
    access_key: str
    secret_key: str
    key_file: Path

    lock = LOCK

    @classmethod
    def open(
        cls,
        network: Network,
        clock: Clock,
        observe: Observer,
        public: Addresses,
        stays_pending: Callable[[LabInstance], bool],
        key_file: Path,
    ) -> "Account":
        """Make the account with the prerequisites that the guide assumes (Assumptions and prerequisites).

        :param observe: told of every change of an instance's state
        :param public: gives out public addresses
        :param stays_pending: says of an instance that is about to run that it never will
        :param key_file: where the private half of the key pair goes, mode 0600
        """
        os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"  # moto reads it when a region is made
        install(clock, observe, public, stays_pending)
        iam.install()
        ec2 = ec2_backends[DEFAULT_ACCOUNT_ID][REGION]
        images.load(ec2)
        vpc = ec2.create_vpc(str(network.vpc))
        vpc.add_tag("Name", "lab")
        subnets = [
            ec2.create_subnet(vpc.id, str(cidr), availability_zone=zone, tags={"subnet": {"Name": f"lab-{letter}"}})
            for letter, cidr, zone in zip("ab", network.subnets, ZONES, strict=True)
        ]
        gateway = ec2.create_internet_gateway()
        ec2.attach_internet_gateway(gateway.id, vpc.id)
        table = ec2.describe_route_tables(filters={"vpc-id": [vpc.id]})[0]
        ec2.create_route(table.id, "0.0.0.0/0", gateway_id=gateway.id)
        pair = ec2.create_key_pair(KEY_NAME, "rsa", {})
        key_file.touch(mode=0o600)
        key_file.write_text(pair.key_material)
        access_key, secret_key = _administrator()
        return cls(ec2, vpc.id, (subnets[0].id, subnets[1].id), access_key, secret_key, key_file)

    def living(self) -> list[LabInstance]:
        """The instances that still exist, running or not."""
        with self.lock:
            return [instance for instance in self.ec2.instances() if instance.live]

    def image(self, instance: LabInstance) -> images.PexipImage | None:
        """What an instance was made from; None when that is none of Pexip's images."""
        ami = self.ec2.amis.get(instance.image_id)
        return images.pexip_image(ami.owner_id, ami.name) if ami else None

    def lose(self, instance_id: str) -> None:
        """Let an instance be terminated by nobody, whatever protects it, as when its hardware fails."""
        with self.lock:
            for instance in self.ec2.instances():
                if instance.id == instance_id:
                    instance.terminate()

    def secret_keys(self) -> list[str]:
        """The secrets of all access keys."""
        with self.lock:
            users = list(iam_backends[DEFAULT_ACCOUNT_ID]["aws"].users.values())
            return [key.secret_access_key for user in users for key in user.access_keys]

    def public_key(self, instance: LabInstance) -> str | None:
        """The public half of the key pair that an instance was launched with, as the account holds it now."""
        pair = self.ec2.key_pairs.get(instance.key_name)
        return pair.public_key if pair else None

    def size(self, instance_type: str) -> tuple[int, int]:
        """Virtual CPUs and memory in MB of an instance type."""
        facts: dict[str, Any] = INSTANCE_TYPES[instance_type]
        return facts["VCpuInfo"]["DefaultVCpus"], facts["MemoryInfo"]["SizeInMiB"]


def _administrator() -> tuple[str, str]:
    """An IAM user that may do everything, for the operator."""
    service = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    service.create_user(REGION, ADMINISTRATOR)
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    service.put_user_policy(ADMINISTRATOR, "AdministratorAccess", json.dumps(everything))
    key = service.create_access_key(ADMINISTRATOR)
    return key.access_key_id, key.secret_access_key
