"""The lab's addresses and ports, all derived from one network and one base port."""

import itertools
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

REGION = "eu-west-1"
ZONES = ("eu-west-1a", "eu-west-1b")
DOMAIN = "example.com"
CONTROLLER = "127.0.0.1"


@dataclass(frozen=True)
class Network:
    """Where everything of one lab listens. Addresses are loopback addresses, so that no root is needed."""

    vpc: IPv4Network
    base_port: int = 20000

    @classmethod
    def parse(cls, network: str, base_port: int = 20000) -> "Network":
        """Check and build.

        :raises ValueError: no /16 in 127.1.0.0 to 127.99.0.0, or ports that do not fit
        """
        vpc = IPv4Network(network)
        first, second = vpc.network_address.packed[:2]
        if vpc.prefixlen != 16 or first != 127 or not 1 <= second <= 99:
            raise ValueError(f"{network}: the lab needs a /16 network between 127.1.0.0/16 and 127.99.0.0/16")
        if not 1024 <= base_port <= 65000:
            raise ValueError(f"{base_port}: the base port must lie between 1024 and 65000")
        return cls(vpc, base_port)

    @property
    def subnets(self) -> tuple[IPv4Network, IPv4Network]:
        """Subnets a and b: the first two /20 of the VPC."""
        first, second = itertools.islice(self.vpc.subnets(new_prefix=20), 2)
        return first, second

    @property
    def on_premises(self) -> IPv4Network:
        """The corporate network, joined to the VPC by a VPN: the second octet plus 100."""
        return IPv4Network((int(self.vpc.network_address) + (100 << 16), 16))

    @property
    def public(self) -> IPv4Network:
        """The region's public addresses: a /17 of each lab's own between 127.200.0.0 and 127.249.255.255."""
        number = self.vpc.network_address.packed[1]
        return IPv4Network((int(IPv4Address("127.200.0.0")) + (number << 15), 17))

    @property
    def resolver(self) -> str:
        """The VPC's own DNS and NTP server: the base address plus two, as in AWS. The lab's services listen there."""
        return str(self.vpc.network_address + 2)

    @property
    def aws_port(self) -> int:
        return self.base_port

    @property
    def control_port(self) -> int:
        return self.base_port + 1

    @property
    def ssh_port(self) -> int:
        """Stands for 22, which needs root."""
        return self.base_port + 22

    @property
    def api_port(self) -> int:
        """Stands for 443, which needs root."""
        return self.base_port + 443

    @property
    def contact_port(self) -> int:
        """Stands for the IPsec backplane (UDP 500 and ESP) between the nodes."""
        return self.base_port + 500

    @property
    def bootstrap_port(self) -> int:
        """The upload form of a new Conferencing Node (guide: Deploying a Conferencing Node)."""
        return 8443

    @property
    def endpoint(self) -> str:
        """The AWS endpoint."""
        return f"http://{self.resolver}:{self.aws_port}"

    def holds(self, address: str) -> bool:
        """Whether the lab can bind the address: it lies in the VPC or on premises."""
        ip = IPv4Address(address)
        return ip in self.vpc or ip in self.on_premises
