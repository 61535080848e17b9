# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's addresses from its subnet, by the rules of AWS and of the deployment guide."""

from __future__ import annotations

import ipaddress

RESERVED_AT_START = 4  # guide, "Primary IP": AWS reserves the first four addresses and the last one of every subnet


def parse_subnet(subnet: str) -> ipaddress.IPv4Network:
    """The network of a CIDR such as ``172.31.0.0/20``; raises ValueError that names the value and the remedy.

    AWS subnets are IPv4 networks from /16 to /28.
    """
    try:
        network = ipaddress.IPv4Network(subnet)
    except ValueError as error:
        try:
            hint = f": did you mean {ipaddress.IPv4Network(subnet, strict=False)}?"
        except ValueError:
            hint = ""
        raise ValueError(f"subnet {subnet!r} is not an IPv4 network in CIDR notation ({error}){hint}") from None
    if not 16 <= network.prefixlen <= 28 or "/" not in subnet:
        raise ValueError(
            f"subnet {subnet!r}: AWS has subnets from /16 to /28; give the node's own subnet, such as 172.31.0.0/20"
        )
    return network


def netmask(subnet: str) -> str:
    """The network mask of a subnet: 255.255.240.0 for a /20 (guide, "Network mask")."""
    return str(parse_subnet(subnet).netmask)


def gateway(subnet: str) -> str:
    """The first usable address of a subnet: 172.31.0.1 for 172.31.0.0/20 (guide, "Gateway IP address")."""
    return str(parse_subnet(subnet)[1])


def reserved(subnet: str) -> list[str]:
    """The addresses that AWS keeps for itself in a subnet: the first four and the last."""
    network = parse_subnet(subnet)
    return [str(network[index]) for index in (*range(RESERVED_AT_START), -1)]


def network_problem(address: str, mask: str, way: str) -> str | None:
    """Why an address, a network mask and a gateway do not fit together, or None when they do.

    ``mask`` is a network mask already; raises ValueError where it is none.
    """
    for name, text in (("address", address), ("gateway", way)):
        try:
            value = ipaddress.IPv4Address(text)
        except ValueError:
            return f"{name} {text!r} is not an IPv4 address"
        if value.is_unspecified or value.is_multicast or value.is_reserved:
            return f"{name} {text} is not one that a machine can have"
    network = ipaddress.IPv4Network(f"{address}/{mask}", strict=False)
    if ipaddress.IPv4Address(address) in (network[0], network[-1]):
        return f"address {address} is that of the network {network} itself; use {network[1]} to {network[-2]}"
    if ipaddress.IPv4Address(way) not in network:
        return f"gateway {way} is outside the network {network} of address {address} with netmask {mask}"
    if ipaddress.IPv4Address(way) == ipaddress.IPv4Address(address):
        return f"gateway {way} is the address itself; give the router's"
    return None


def address_problem(address: str, subnet: str) -> str | None:
    """Why an address cannot be a node's in this subnet, or None when it can; raises ValueError for a bad subnet."""
    network = parse_subnet(subnet)
    try:
        value = ipaddress.IPv4Address(address)
    except ValueError:
        return f"address {address!r} is not an IPv4 address"
    if value not in network:
        return f"address {address} is outside the subnet {network} ({network[RESERVED_AT_START]} to {network[-2]} can be used)"
    if str(value) in reserved(subnet):
        return f"address {address} is reserved by AWS in {network} (the first four and the last are); use {network[RESERVED_AT_START]} to {network[-2]}"
    return None
