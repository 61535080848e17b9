# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide's table of inbound rules as rules of amazon.aws.ec2_security_group."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: security_group_rules
short_description: Inbound rules of the nodes' and the Management Node's security groups
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Turns the inbound table of the deployment guide, "Configuring AWS security groups", into rules for
    M(amazon.aws.ec2_security_group), one list for each group.
  - A separate Management Node group has no signalling and media ports; both groups allow the backplane (UDP 500 and
    ESP) from each other and from themselves.
options:
  _input:
    description: The settings.
    type: dict
    required: true
    suboptions:
      groups:
        description: Group ids by use, C(nodes) and C(management); the same id where one group serves both.
        type: dict
      management_cidrs:
        description: Who may use SSH, the upload port and ICMP.
        type: list
        elements: str
      client_cidrs:
        description: Who may call and use HTTPS.
        type: list
        elements: str
      peer_cidrs:
        description: Networks of nodes outside this VPC that speak UDP 500 and ESP.
        type: list
        elements: str
      ssh_port:
        description: SSH.
        type: int
      api_port:
        description: HTTPS.
        type: int
      bootstrap_port:
        description: The upload of a node's configuration document.
        type: int
      sip_udp:
        description: Whether SIP over UDP is to be allowed.
        type: bool
      port_profile:
        description: V(default) is the guide's table; V(current) adds TCP 80 and UDP 33000-39999.
        type: str
        choices: [default, current]
"""

EXAMPLES = r"""
- name: See the rules
  ansible.builtin.debug:
    msg: "{{ settings | pexip.infinity.security_group_rules }}"
"""

RETURN = r"""
_value:
  description: Lists of rules, C(nodes) and C(management). They are equal where one group serves both.
  type: dict
"""

# (description, protocol, ports or the setting that holds the port, source, who has it, when)
# Sources: management, clients, backplane. "media" rows are left out of a separate Management Node group.
CONTROL = "control"
MEDIA = "media"
TABLE = [
    ("SSH", "tcp", "ssh_port", "management", CONTROL, None),
    ("HTTPS", "tcp", "api_port", "clients", CONTROL, None),
    ("Upload of the node configuration", "tcp", "bootstrap_port", "management", CONTROL, None),
    ("Backplane, ISAKMP", "udp", "500", "backplane", CONTROL, None),
    ("Backplane, ESP", "50", None, "backplane", CONTROL, None),
    ("ICMP", "icmp", None, "management", CONTROL, None),
    ("H.323", "tcp", "1720", "clients", MEDIA, None),
    ("SIP", "tcp", "5060", "clients", MEDIA, None),
    ("SIP over TLS", "tcp", "5061", "clients", MEDIA, None),
    ("Signalling and media", "tcp", "33000-49999", "clients", MEDIA, None),
    ("SIP over UDP", "udp", "5060", "clients", MEDIA, "sip_udp"),
    ("Media", "udp", "40000-49999", "clients", MEDIA, None),
    ("H.323 gatekeeper", "udp", "1719", "clients", MEDIA, None),
    ("HTTP", "tcp", "80", "clients", MEDIA, "current"),
    ("Media, newer versions", "udp", "33000-39999", "clients", MEDIA, "current"),
]


def networks(cidrs: Iterable[str]) -> list:
    """Networks in canonical form, without repetition; AnsibleFilterError for what is none."""
    found = {}
    for cidr in cidrs:
        try:
            found[ipaddress.ip_network(str(cidr), strict=False)] = None
        except ValueError as error:
            raise AnsibleFilterError(f"{cidr!r} is not a network such as 192.0.2.0/24: {error}") from error
    return list(found)


def open_cidrs(cidrs: Iterable[str]) -> list[str]:
    """Those of the networks that are the whole internet."""
    return [str(network) for network in networks(cidrs) if network.prefixlen == 0]


def _sources(cidrs: Iterable[str]) -> dict[str, list[str]]:
    """Networks by the option that takes them."""
    by_option: dict[str, list[str]] = {"cidr_ip": [], "cidr_ipv6": []}
    for network in networks(cidrs):
        by_option["cidr_ip" if network.version == 4 else "cidr_ipv6"].append(str(network))
    return by_option


def _rules(row: tuple, settings: Mapping) -> list[dict]:
    """The rules of a row: one for each kind of source, because ICMP has another name over IPv6."""
    description, proto, ports, source, _kind, _when = row
    cidrs = {"management": "management_cidrs", "clients": "client_cidrs", "backplane": "peer_cidrs"}[source]
    sources: dict[str, list[str]] = _sources(settings.get(cidrs) or [])
    if source == "backplane":
        sources["group_id"] = list(dict.fromkeys(settings["groups"].values()))
    where = {"from_port": -1, "to_port": -1} if ports is None else {"ports": [str(settings.get(ports, ports))]}
    return [
        {
            "proto": "icmpv6" if (proto, option) == ("icmp", "cidr_ipv6") else proto,
            **where,
            option: values,
            "rule_desc": description,
        }
        for option, values in sources.items()
        if values
    ]


def security_group_rules(settings: Mapping) -> dict[str, list[dict]]:
    """Rules of the groups O(nodes) and O(management). A port that two rows name for the same sources comes once."""
    wanted = {None, settings.get("port_profile"), "sip_udp" if settings.get("sip_udp") else None}
    separate = settings["groups"]["nodes"] != settings["groups"]["management"]
    result = {}
    for group in ("nodes", "management"):
        kinds = {CONTROL} if group == "management" and separate else {CONTROL, MEDIA}
        unique = {}
        for row in TABLE:
            if row[4] in kinds and row[5] in wanted:
                for rule in _rules(row, settings):
                    unique.setdefault(str({k: v for k, v in rule.items() if k != "rule_desc"}), rule)
        result[group] = list(unique.values())
    return result


class FilterModule:
    """Registers the filters."""

    def filters(self) -> dict:
        return {"security_group_rules": security_group_rules, "open_cidrs": open_cidrs}
