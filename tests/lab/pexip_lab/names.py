"""What a machine can resolve and reach: the lab's stand-in for DNS, NTP and the internet."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from .network import DOMAIN, Network

# servers that only an instance with a public address reaches (guide: Deploying a Management Node, step 14)
PUBLIC_DNS = ("8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9")
PUBLIC_NTP_NAMES = ("pool.ntp.org", "time.google.com", "time.cloudflare.com")
# EC2's own servers, on every instance's link
LINK_LOCAL = ("169.254.169.123", "169.254.169.253")


@dataclass(frozen=True)
class Surroundings:
    """Where a machine stands.

    :param public: whether it has a public address now
    """

    network: Network
    public: bool

    def reaches(self, server: str) -> bool:
        """Whether a DNS or NTP server answers at this address."""
        address = IPv4Address(server)
        if server in LINK_LOCAL:
            return True
        for own in (self.network.vpc, self.network.on_premises):
            if address in own:
                # the addresses that AWS keeps for its own servers, and the same ones on premises
                return 1 <= int(address) - int(own.network_address) <= 3
        return self.public and address.is_global

    def ntp_problem(self, server: str, dns_servers: Sequence[str]) -> str | None:
        """Why no time can be had from an NTP server, or None if it answers."""
        try:
            IPv4Address(server)
        except AddressValueError:
            return self._name_problem(server.lower().rstrip("."), dns_servers)
        return None if self.reaches(server) else f"NTP server {server} did not answer"

    def _name_problem(self, name: str, dns_servers: Sequence[str]) -> str | None:
        ours = _within(name, (DOMAIN,))
        resolvers = [server for server in dns_servers if self.reaches(server)]
        # the lab's own names are known to its own resolvers alone
        if ours:
            resolvers = [server for server in resolvers if server not in PUBLIC_DNS]
        if not resolvers or not (ours or _within(name, PUBLIC_NTP_NAMES)):
            return f"NTP server {name} could not be resolved"
        return None if ours or self.public else f"NTP server {name} did not answer"


def _within(name: str, domains: Sequence[str]) -> bool:
    return any(name == domain or name.endswith(f".{domain}") for domain in domains)
