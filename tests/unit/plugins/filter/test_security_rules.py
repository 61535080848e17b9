# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""security_group_rules: the guide's inbound table, row by row."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.pexip.infinity.plugins.filter.security_rules import open_cidrs, security_group_rules

ONE_GROUP = {
    "groups": {"nodes": "sg-1", "management": "sg-1"},
    "management_cidrs": ["192.0.2.0/24"],
    "client_cidrs": ["0.0.0.0/0"],
    "peer_cidrs": [],
    "ssh_port": 22,
    "api_port": 443,
    "bootstrap_port": 8443,
    "sip_udp": False,
    "port_profile": "default",
}
# (protocol, ports, sources) of the guide's table, "Configuring AWS security groups", without the starred row.
GUIDE = {
    ("tcp", "22", "192.0.2.0/24"),
    ("tcp", "443", "0.0.0.0/0"),
    ("tcp", "1720", "0.0.0.0/0"),
    ("tcp", "5060", "0.0.0.0/0"),
    ("tcp", "5061", "0.0.0.0/0"),
    ("tcp", "8443", "192.0.2.0/24"),
    ("tcp", "33000-49999", "0.0.0.0/0"),
    ("udp", "40000-49999", "0.0.0.0/0"),
    ("udp", "500", "sg-1"),
    ("udp", "1719", "0.0.0.0/0"),
    ("50", "all", "sg-1"),
    ("icmp", "all", "192.0.2.0/24"),
}


def flat(rules: list[dict]) -> set[tuple[str, str, str]]:
    return {
        (rule["proto"], rule["ports"][0] if "ports" in rule else "all", source)
        for rule in rules
        for option in ("cidr_ip", "cidr_ipv6", "group_id")
        for source in rule.get(option, [])
    }


def test_one_group_has_exactly_the_guides_table():
    rules = security_group_rules(ONE_GROUP)
    assert flat(rules["nodes"]) == GUIDE
    assert rules["management"] == rules["nodes"]


def test_esp_and_icmp_have_no_ports():
    portless = [rule for rule in security_group_rules(ONE_GROUP)["nodes"] if rule["proto"] in ("50", "icmp")]
    assert [(rule["from_port"], rule["to_port"]) for rule in portless] == [(-1, -1), (-1, -1)]


def test_sip_over_udp_and_the_current_profile_add_rows():
    more = security_group_rules({**ONE_GROUP, "sip_udp": True, "port_profile": "current"})
    assert flat(more["nodes"]) - GUIDE == {
        ("udp", "5060", "0.0.0.0/0"),
        ("tcp", "80", "0.0.0.0/0"),
        ("udp", "33000-39999", "0.0.0.0/0"),
    }


def test_a_separate_management_group_has_no_media_and_both_allow_the_backplane():
    rules = security_group_rules({**ONE_GROUP, "groups": {"nodes": "sg-1", "management": "sg-2"}})
    backplane = {(proto, port, group) for proto, port in (("udp", "500"), ("50", "all")) for group in ("sg-1", "sg-2")}
    control = {("tcp", "22", "192.0.2.0/24"), ("tcp", "443", "0.0.0.0/0"), ("tcp", "8443", "192.0.2.0/24"),
               ("icmp", "all", "192.0.2.0/24")}  # fmt: skip
    assert flat(rules["management"]) == control | backplane
    assert flat(rules["nodes"]) == GUIDE | backplane


def test_peers_speak_the_backplane_alone():
    rules = security_group_rules({**ONE_GROUP, "peer_cidrs": ["10.0.0.0/8"]})
    assert flat(rules["nodes"]) - GUIDE == {("udp", "500", "10.0.0.0/8"), ("50", "all", "10.0.0.0/8")}


def test_ports_come_from_the_settings_and_are_written_once():
    rules = security_group_rules({**ONE_GROUP, "ssh_port": 20022, "api_port": 20443, "bootstrap_port": 20022})
    assert ("tcp", "20443", "0.0.0.0/0") in flat(rules["nodes"])
    assert [rule.get("ports") for rule in rules["nodes"]].count(["20022"]) == 1


def test_ipv6_sources_have_their_own_option_and_icmp():
    rules = flat(security_group_rules({**ONE_GROUP, "management_cidrs": ["2001:db8::/32"]})["nodes"])
    assert ("icmpv6", "all", "2001:db8::/32") in rules
    assert ("tcp", "22", "2001:db8::/32") in rules
    assert not any(proto == "icmp" for proto, _ports, _source in rules)


def test_networks_are_canonical_and_nonsense_is_refused():
    rules = security_group_rules({**ONE_GROUP, "management_cidrs": ["192.0.2.7/24", "192.0.2.0/24", "198.51.100.1"]})
    assert {source for proto, _ports, source in flat(rules["nodes"]) if proto == "icmp"} == {
        "192.0.2.0/24",
        "198.51.100.1/32",
    }
    with pytest.raises(AnsibleFilterError, match="not a network"):
        security_group_rules({**ONE_GROUP, "peer_cidrs": ["office"]})


def test_open_cidrs_are_those_of_everybody():
    assert open_cidrs(["10.0.0.0/8", "0.0.0.0/0", "::/0"]) == ["0.0.0.0/0", "::/0"]
