# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight's rules about what the inventory says: a case for each rule and message."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.tests.unit.plugins.filter.plans import (
    NODE_PLAY,
    changed,
    host,
    judged,
    manager_instance,
    platform,
    refuses,
    registered,
    several,
    warns,
)

ERRORS = {
    "deployment option": (changed("deployment", "cloud"), "pexip_deployment 'cloud' is not a deployment option"),
    "version missing": (changed("version", None), "pexip_version is not given"),
    "no management host": (changed("management", None), "The group pexip_management is empty"),
    "variable missing": (changed("nodes.0.key_name", None), "conf01: pexip_key_name is not given"),
    "variable that refers to nothing": (
        several(
            changed("nodes.0.undefined", {"location": "pexip_location: 'site' is undefined"}),
            changed("nodes.0.location", None),
        ),
        "conf01: pexip_location: 'site' is undefined: define it",
    ),
    "secret that refers to nothing": (
        several(
            *(
                changed(f"nodes.{n}.undefined", {"node_password": "pexip_node_password: 'v' is undefined"})
                for n in (0, 1)
            ),
            *(changed(f"nodes.{n}.secrets.pexip_node_password", False) for n in (0, 1)),
        ),
        "conf01, conf02: pexip_node_password: 'v' is undefined: define it",
    ),
    "location missing": (changed("nodes.1.location", None), "conf02: pexip_location is not given"),
    "node password missing": (
        changed("nodes.0.secrets.pexip_node_password", False),
        "conf01: pexip_node_password is not given or empty",
    ),
    "admin password missing": (
        changed("management.secrets.pexip_admin_password", False),
        "manager: pexip_admin_password is not given or empty",
    ),
    "web password missing": (
        changed("management.secrets.pexip_password", False),
        "manager: pexip_password is not given or empty",
    ),
    "name too long": (
        several(changed("nodes.0.name", "n" * 33), changed("nodes.0.hostname", "conf01")),
        f"{'n' * 33}: the name has 33 characters, the platform takes 32",
    ),
    "hostname too long": (changed("nodes.0.hostname", "h" * 64), f"hostname '{'h' * 64}' is not a host name"),
    "hostname illegal": (changed("nodes.0.hostname", "conf_01"), "conf01: hostname 'conf_01' is not a host name"),
    "manager's hostname illegal": (changed("management.hostname", "-m"), "manager: hostname '-m' is not a host name"),
    "manager's hostname too short": (
        changed("management.hostname", "mg"),
        "manager: hostname 'mg' is not a host name: give 3 to 63 letters",
    ),
    "domain too long": (
        changed("nodes.0.domain", ".".join(["d" * 60] * 4)),
        "has 243 characters, the platform takes 192",
    ),
    "domain illegal": (changed("nodes.0.domain", "example..com"), "pexip_domain 'example..com' is not a domain"),
    "name twice": (changed("nodes.1.name", "conf01"), "conf01, conf01: the name conf01 is given 2 times"),
    "hostname twice": (
        changed("nodes.1.hostname", "CONF01"),
        "conf01, conf02: the host name conf01.example.com is given 2 times",
    ),
    "hostname of the manager": (
        changed("nodes.1.hostname", "manager"),
        "manager, conf02: the host name manager.example.com is given 2 times",
    ),
    "address twice": (
        several(
            changed("nodes.0.private_ip", "10.0.0.20"),
            changed("nodes.1.private_ip", "10.0.0.20"),
            changed("nodes.1.subnet_id", "subnet-a"),
        ),
        "conf01, conf02: pexip_private_ip 10.0.0.20 is given 2 times",
    ),
    "hostname of another registered node": (
        changed("found.platform", platform(registered("old", hostname="conf01"))),
        "conf01: the host name conf01.example.com is that of the platform's node old",
    ),
    "no DNS servers": (changed("management.dns_servers", []), "manager: pexip_dns_servers is not given"),
    "no NTP servers, public": (
        several(
            changed("deployment", "public"),
            changed("management.public_address", "elastic"),
            changed("management.ntp_servers", None),
            changed("nodes.0.public_address", "elastic"),
            changed("nodes.1.public_address", "elastic"),
        ),
        "manager: pexip_ntp_servers is not given",
    ),
    "DNS server by name": (
        changed("management.dns_servers", ["10.0.0.2", "dns.example.com"]),
        "manager: pexip_dns_servers: 'dns.example.com' is not an IP address",
    ),
    "empty DNS server": (changed("management.dns_servers", [""]), "manager: pexip_dns_servers: '' is not an IP"),
    "servers in one text": (
        changed("management.dns_servers", "10.0.0.2, 10.0.0"),
        "manager: pexip_dns_servers: '10.0.0' is not an IP address",
    ),
    "malformed NTP server": (
        changed("management.ntp_servers", ["time_server"]),
        "manager: pexip_ntp_servers: 'time_server' is neither an IP address nor a host name",
    ),
    "NTP server that is hardly an address": (
        changed("management.ntp_servers", ["10.0.0.256"]),
        "manager: pexip_ntp_servers: '10.0.0.256' is neither",
    ),
    "malformed server of the platform": (
        several(changed("management.host", "192.0.2.1"), changed("setup.ntp_servers", ["a b"])),
        "manager: pexip_ntp_servers: 'a b' is neither",
    ),
    "malformed server of a location": (
        changed("setup.locations", [{"name": "London", "dns_servers": ["dns"]}]),
        "The location London: dns_servers: 'dns' is not an IP address",
    ),
    "location without servers": (
        changed("setup.locations", [{"name": "London", "dns_servers": []}]),
        "The location London has no dns_servers: its nodes would synchronize and yet not work",
    ),
    "platform without servers": (
        several(changed("management.host", "192.0.2.1"), changed("setup.ntp_servers", [])),
        "The location London has no ntp_servers",
    ),
    "no management stations": (changed("setup.management_cidrs", []), "pexip_management_cidrs is not given"),
    "everybody a management station": (
        changed("setup.management_cidrs", ["10.0.0.0/8", "0.0.0.0/0"]),
        "pexip_management_cidrs: 0.0.0.0/0 is the whole internet",
    ),
    "a management station that is none": (
        changed("setup.management_cidrs", ["desk"]),
        "pexip_management_cidrs: 'desk' is not a network",
    ),
}

WARNINGS = {
    "no key to log in with": (
        changed("management.private_key_file", None),
        "manager: pexip_private_key_file is not given and no ssh agent is running",
    ),
}

FINE = {
    "a registered node needs no password": several(
        changed("nodes.0.secrets.pexip_node_password", False), changed("found.platform", platform(registered("conf01")))
    ),
    "a node play installs nothing": several(
        NODE_PLAY,
        changed("management.secrets.pexip_admin_password", False),
        changed("management.secrets.pexip_password", False),
        changed("management.dns_servers", None),
    ),
    "a short host name of a node": changed("nodes.0.hostname", "c1"),
    "a forced management station": several(
        changed("setup.management_cidrs", ["0.0.0.0/0"]), changed("setup.open_to_all", True)
    ),
    "a given Management Node needs nothing of its own": several(
        changed("deployment", "hybrid"),
        changed("management", host("m1", host="192.0.2.1", subnet_id=None, key_name=None, dns_servers=None)),
    ),
    "IPv6 servers": changed("management.dns_servers", ["2001:db8::1"]),
}

NO_KEY = changed("management.private_key_file", None)
SILENT = {
    "an agent has the key": several(NO_KEY, changed("ssh_agent", True)),
    "a node play logs in nowhere": several(NO_KEY, NODE_PLAY),
    "the platform answers": several(
        NO_KEY, changed("found.platform", platform()), changed("found.instances", [manager_instance()])
    ),
    "the platform was installed and is stopped": several(
        NO_KEY,
        changed(
            "found.instances", [manager_instance(state="stopped", **{"pexip-infinity-tls-fingerprint": "ab" * 32})]
        ),
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error(case):
    refuses(ERRORS, case)


@pytest.mark.parametrize("case", WARNINGS)
def test_warning(case):
    warns(WARNINGS, case)


@pytest.mark.parametrize("case", FINE)
def test_nothing_to_object_to(case):
    assert judged(FINE[case])["errors"] == []


@pytest.mark.parametrize("case", SILENT)
def test_nothing_to_say(case):
    assert judged(SILENT[case]) == {"errors": [], "warnings": []}


def test_a_secret_that_nobody_needs_may_refer_to_nothing():
    unread = {"admin_password": "pexip_admin_password: 'v' is undefined"}
    assert judged(changed("nodes.0.undefined", unread)) == judged(several())
