"""Who may talk to whom: the security groups of the account, evaluated live (guide: Configuring AWS security groups)."""

from ipaddress import ip_address, ip_network

from .aws.account import Account
from .aws.instance import LabInstance
from .aws.networking import LabRule, protocol_name

ESP = "50"
IKE_PORT = 500


class Firewall:
    """Security groups are stateful: what matters is who opens a connection. Addresses without an instance (controllers,
    the corporate network behind its VPN) have no groups, so only the other side's rules count."""

    def __init__(self, account: Account):
        self._account = account

    def allows(self, source: str, target: str, protocol: str, port: int | None = None) -> bool:
        """Whether ``source`` may open a connection to ``target``, both private addresses.

        :param protocol: a name or number of an IP protocol
        :param port: for TCP and UDP
        """
        with self._account.lock:
            sender, receiver = self._instance(source), self._instance(target)
            outbound = self._rules(sender, "egress_rules")
            inbound = self._rules(receiver, "ingress_rules")
            return (sender is None or any(self._matches(rule, target, protocol, port) for rule in outbound)) and (
                receiver is None or any(self._matches(rule, source, protocol, port) for rule in inbound)
            )

    def backplane_allowed(self, one: str, other: str) -> bool:
        """Whether two nodes can build their IPsec tunnel: UDP 500 and ESP, in both directions."""
        return all(
            self.allows(source, target, "udp", IKE_PORT) and self.allows(source, target, ESP)
            for source, target in ((one, other), (other, one))
        )

    def _instance(self, address: str) -> LabInstance | None:
        return next((item for item in self._account.ec2.instances() if item.live and item.private_ip == address), None)

    @staticmethod
    def _rules(instance: LabInstance | None, direction: str) -> list[LabRule]:
        groups = instance.nics[0].group_set if instance else ()
        return [rule for group in groups for rule in getattr(group, direction)]

    def _matches(self, rule: LabRule, peer: str, protocol: str, port: int | None) -> bool:
        wanted = protocol_name(protocol)
        if rule.ip_protocol not in ("-1", wanted):
            return False
        if rule.ip_protocol in ("tcp", "udp") and not rule.from_port <= (port or 0) <= rule.to_port:
            return False
        if rule.cidr_ipv4:
            return ip_address(peer) in ip_network(rule.cidr_ipv4, strict=False)
        if group_id := rule.source_group.get("GroupId"):
            instance = self._instance(peer)
            return instance is not None and any(group.id == group_id for group in instance.nics[0].group_set)
        return False
