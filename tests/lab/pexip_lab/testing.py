"""What tests do with a lab's account, as an operator would."""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import botocore.exceptions

from .client import Lab

MANAGEMENT_IMAGE = "ami-e5d67696"
CONFERENCING_IMAGE = "ami-60dd7d13"
OTHER_IMAGE = "ami-0a1b2c3d4e5f60001"
EVERYONE = "0.0.0.0/0"
CONTROLLER = "127.0.0.1/32"


def until(condition: Callable[[], Any], what: str, seconds: float = 60, pause: float = 0.05) -> Any:
    """Wait for a condition; gives back its value, and fails after so many seconds.

    :param pause: seconds between two looks
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} seconds for {what}"
        time.sleep(pause)
    return value


class Account:
    """Launches and changes instances as an operator would."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.env = lab.env
        self.ec2 = lab.ec2()
        self._names = iter(range(10_000))

    def group(self, *rules: dict[str, Any]) -> str:
        """A security group with these inbound rules."""
        group = self.ec2.create_security_group(
            GroupName=f"group-{next(self._names)}", Description="test", VpcId=self.vpc_id
        )["GroupId"]
        if rules:
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(rules))
        return group

    @property
    def vpc_id(self) -> str:
        return self.ec2.describe_subnets(SubnetIds=[self.env["LAB_SUBNET_A"]])["Subnets"][0]["VpcId"]

    def launch(
        self,
        group: str,
        image: str = CONFERENCING_IMAGE,
        private_ip: str | None = None,
        public: bool = False,
        key: str = "lab-key",
        **options: Any,
    ) -> str:
        """Launch one instance into subnet a; returns its id."""
        interface: dict[str, Any] = {
            "DeviceIndex": 0,
            "SubnetId": self.env["LAB_SUBNET_A"],
            "Groups": [group],
            "AssociatePublicIpAddress": public,
        }
        if private_ip:
            interface["PrivateIpAddress"] = private_ip
        options = {"InstanceType": "c4.2xlarge"} | options
        return self.ec2.run_instances(
            ImageId=image, MinCount=1, MaxCount=1, KeyName=key, NetworkInterfaces=[interface], **options
        )["Instances"][0]["InstanceId"]

    def instance(self, instance_id: str) -> dict[str, Any]:
        return self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]

    def address(self, instance_id: str) -> str:
        return self.instance(instance_id)["PrivateIpAddress"]

    def await_state(self, instance_id: str, state: str) -> dict[str, Any]:
        """Wait until an instance is in a state."""
        until(lambda: self.instance(instance_id)["State"]["Name"] == state, f"{instance_id} to be {state}")
        return self.instance(instance_id)

    def machine(self, instance_id: str) -> dict[str, Any] | None:
        """The machine behind an instance, or None."""
        return next((item for item in self.lab.status()["machines"] if item["id"] == instance_id), None)


def own_network(number: int) -> str:
    """A /16 of this test process's own, one of four; pytest-xdist's workers do not meet."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    return f"127.{60 + 4 * worker + number}.0.0/16"


def tcp(port: int, source: str = CONTROLLER) -> dict[str, Any]:
    """An inbound rule for one TCP port."""
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}


def opens(address: str, port: int) -> bool:
    """Whether a connection is accepted and kept: a refused one is reset at once."""
    try:
        with socket.create_connection((address, port), timeout=3) as connection:
            connection.settimeout(0.3)
            try:
                return connection.recv(1) != b""
            except TimeoutError:
                return True
    except OSError:
        return False


@contextlib.contextmanager
def refused(code: str) -> Iterator[None]:
    """The AWS call inside the block must fail with this error code."""
    got = "success"
    try:
        yield
    except botocore.exceptions.ClientError as error:
        got = error.response["Error"]["Code"]
    assert got == code, f"expected {code}, got {got}"
