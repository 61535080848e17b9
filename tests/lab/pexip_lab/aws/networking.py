"""moto's security group rules, network interfaces and subnets, mended to behave as in AWS."""

from ipaddress import IPv4Address
from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.ec2.models.subnets import Subnet

from .errors import address_in_use, invalid_value

PROTOCOL_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
WITH_PORTS = ("tcp", "udp", "icmp", "icmpv6")


def protocol_name(protocol: object) -> str:
    """The name under which AWS keeps a protocol: ``6`` is ``tcp``, ``50`` stays ``50``."""
    text = str(protocol).lower()
    return PROTOCOL_NAMES.get(text, text)


class LabRule(SecurityGroupRule):
    """A rule of any protocol. AWS keeps ports for TCP, UDP and ICMP alone; moto answers 500 where there are none."""

    def __init__(
        self, ec2_backend: Any, ip_protocol: str, group_id: str, from_port: Any, to_port: Any, *args: Any, **kwargs: Any
    ):
        protocol = protocol_name(ip_protocol)
        if protocol in WITH_PORTS and (from_port is None or to_port is None):
            raise invalid_value("Invalid value for portRange. Must specify both from and to ports with TCP/UDP.")
        if protocol not in WITH_PORTS and protocol != "-1" and not (protocol.isdigit() and int(protocol) <= 255):
            raise invalid_value(f"Invalid value '{ip_protocol}' for IP protocol. Unknown protocol.")
        # "-1" is the one protocol for which moto takes no ports
        super().__init__(ec2_backend, "-1", group_id, None, None, *args, **kwargs)
        self.ip_protocol = protocol
        if protocol in WITH_PORTS:
            self.from_port, self.to_port = int(from_port), int(to_port)

    @property
    def _identity(self) -> tuple:
        return (
            self.ip_protocol,
            self.from_port,
            self.to_port,
            self.cidr_ipv4,
            self.cidr_ipv6,
            self.source_group.get("GroupId") or self.source_group.get("GroupName"),
            self.prefix_list_id,
        )

    def __eq__(self, other: object) -> bool:
        """The same rule whatever its description says, as in AWS."""
        return isinstance(other, LabRule) and self._identity == other._identity

    __hash__ = None  # as in moto: rules are compared, never keys


class LabNetworkInterface(NetworkInterface):
    """An Elastic IP stays over stop and start; only an auto-assigned public address changes (guide: IP addressing)."""

    @property
    def elastic_address(self) -> Any:
        """The Elastic IP associated with this interface, or None."""
        return next((address for address in self.ec2_backend.addresses if address.eni is self), None)

    @property
    def association(self) -> dict[str, Any] | None:
        """What public address it has, and whose; AWS leaves this out where there is none."""
        found = super().association
        if found and self.elastic_address is None:
            found["ipOwnerId"] = "amazon"
        return found or None

    def stop(self) -> None:
        if self.elastic_address is None:
            super().stop()

    def check_auto_public_ip(self) -> None:
        if str(self.public_ip_auto_assign).lower() == "true" and self.elastic_address is None:
            self.public_ip = self.ec2_backend.next_public_address()


class LabSubnet(Subnet):
    """Answers as AWS does to an address that is taken, reserved or elsewhere."""

    def request_ip(self, ip: str, instance: Any) -> None:
        address = IPv4Address(ip)
        if address not in self.cidr:
            raise invalid_value(f"Address {ip} does not fall within the subnet's address range")
        offset = int(address) - int(self.cidr.network_address)
        if offset < 4 or address == self.cidr.broadcast_address:
            raise invalid_value(f"Address {ip} is in subnet's reserved address range")
        if ip in self._subnet_ips or any(nic.private_ip_address == ip for nic in self.ec2_backend.enis.values()):
            raise address_in_use(ip)
        super().request_ip(ip, instance)
