# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is a host name, a domain, an address, a network mask: in texts that people write."""

from __future__ import annotations

import ipaddress
import re

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


def is_hostname(text: str) -> bool:
    """Whether a text is a host's own name, without a domain."""
    return re.fullmatch(LABEL, text) is not None


def is_domain(text: str) -> bool:
    """Whether a text is a domain name, or a name with its domain."""
    return re.fullmatch(rf"{LABEL}(?:\.{LABEL})*", text) is not None


def is_ip(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_netmask(text: str) -> bool:
    """Whether a text is the mask of an IPv4 network that has room for a node and a gateway (/1 to /30)."""
    try:
        bits = int(ipaddress.IPv4Address(text))
    except ValueError:
        return False
    # Ones, then zeros: what is added to such a mask to make 2^32 is a power of two. A host mask (0.0.0.255) is not one.
    rest = (1 << 32) - bits
    return rest & (rest - 1) == 0 and 4 <= rest <= 1 << 31


# What a field's text may have to be: the test, and what a refusal calls it.
FORMS = {
    "hostname": (is_hostname, "a host name (letters, digits and inner hyphens, without a domain)"),
    "domain": (is_domain, "a domain name such as example.com"),
    "netmask": (is_netmask, "a network mask such as 255.255.240.0"),
}


def quoted(value: object, limit: int = 200) -> str:
    """A value as messages quote it; what is longer than ``limit`` characters ends in an ellipsis."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}…"
