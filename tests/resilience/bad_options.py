# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules are fed: for each module good options, and by the option that is bad, the values that it must refuse.

A value is tried in the place of the good one, None as an option that is not given. `With` changes other options, too, where
a value is bad only beside them.
The platform is that of the seed "nodes": locations London, Oslo and HQ, nodes conf01, conf02 and onprem01.
"""

from __future__ import annotations

import reprlib
from dataclasses import dataclass, field
from typing import Any

LONG = "x" * 100_000
MANY_NAMES = [f"no-such-node-{number}" for number in range(5000)]
CONTROL = "Lon\x07don"
TRICKS = ["../", "..%2f..", "London?limit=0", "London#", "London%00", "%2e%2e/1/"]
LOCATION_URI = "/api/admin/configuration/v1/system_location/"
NO_ADDRESSES = ["", "conf01", "10.0.0", "10.0.0.256", "010.0.0.4", "10.0.0.4/24", "١٠.٠.٠.٤", "10.0.0.4 "]


@dataclass(frozen=True)
class With:
    """A value that is bad beside `others`; `said` is what the message names in the place of the option itself."""

    value: Any
    others: dict[str, Any] = field(default_factory=dict)
    said: str = ""


# A new location, so that a value which slips through is written.
LOCATION = {"name": "Bad input"}
NODE = {
    "name": "bad01",
    "hostname": "bad01",
    "domain": "example.com",
    "address": "172.31.0.10",
    "subnet": "172.31.0.0/20",
    "system_location": "London",
    "node_password": "Bad-input-4711",
}
DERIVED = {"subnet": None, "netmask": "255.255.240.0", "gateway": "172.31.0.1"}
INSTALLATION = {"hostname": "manager", "domain": "example.com", "admin_password": "Bad-input-4711"}
OF_LOCATION = {"resource": "system_location", "identity": {"name": "Bad input"}}
OF_ROUTE = {"resource": "static_route", "identity": {"name": "Bad input", "address": "10.9.8.7"}}
DNS = {"resource": "dns_server", "identity": {"address": "203.0.113.1"}}

TOLD_BY_THE_PLATFORM: list[tuple[str, Any]] = [
    ("identity", With({"address": "not an address"}, said="address")),
    ("identity", With({"address": "203.0.113.1/24"}, said="address")),
    ("identity", With({"address": "203.0.113.999"}, said="address")),
    ("settings", With({"description": "x" * 251}, said="description")),
    ("settings", With({"mtu": 5}, OF_LOCATION, "mtu")),
    (
        "settings",
        With({"service_type": "conference"}, {"resource": "conference", "identity": {"name": "x" * 251}}, "name"),
    ),
    # Which settings a creation needs, and what two of them mean together.
    ("settings", With({"prefix": 8}, OF_ROUTE, "gateway")),
    ("settings", With({"prefix": 8, "gateway": "10.0.0.1"}, OF_ROUTE, "address")),
]
# The options of the connection, which every module has. None takes an option away, also from the connection.
CONNECTION: dict[str, list[Any]] = {
    "host": [
        None,
        "https://manager.example.com/",
        "manager/../x",
        "manager?x",
        "user@manager",
        "man ager",
        "a" * 64,
        "manager\n",
    ],
    "port": ["https", 0, 65536, -1, 1.5, [443], ""],
    "password": [None, ""],
    "validate_certs": ["perhaps", 2],
    "ca_path": [With("/nonexistent/ca.pem", {"tls_fingerprint": None})],
    "tls_fingerprint": ["abc", "g" * 64, "00" * 31, "00" * 20],
    "timeout": [0, -5, "soon"],
}

BAD: dict[str, tuple[dict[str, Any], dict[str, list[Any]]]] = {
    "pexip_location": (
        LOCATION,
        {
            "name": [None, "", " ", "\t", "x" * 251, LONG, CONTROL, "a\x00b", "ł" * 251],
            "description": ["x" * 251, CONTROL],
            "mtu": ["big", "", 511, 1501, -1, 0, 1e9, 1400.5, [1500], {"a": 1}, "1500x"],
            "media_qos": [-1, 64, "EF", 10**30],
            "signalling_qos": [-1, 64],
            "use_relay_candidates_only": ["maybe", 2, "", []],
            "bdpm_pin_checks_enabled": ["on", "", "GLOBAL "],
            "local_mssip_domain": ["x" * 256],
            "overflow_location1": [
                "Nowhere",
                "london",
                *TRICKS,
                f"{LOCATION_URI}../../",
                "/api/admin/configuration/v1/dns_server/1/",
            ],
            "transcoding_location": ["99999", "-1", "*"],
            "dns_servers": [["203.0.113.99"], [""], ["../1/"], [["x"]], MANY_NAMES, {"a": 1}],
            "ntp_servers": [["pool?x"], ["%2f"]],
            "sip_proxy": ["nobody"],
            "clear": [
                ["name"],
                ["nothing"],
                ["mtu"],
                With(["description"], {"description": "x"}),
                ["../"],
                [""],
                ["bdpm_pin_checks_enabled"],
            ],
            "state": ["gone", "", "PRESENT"],
            "nmae": ["London"],
        },
    ),
    "pexip_node": (
        NODE,
        {
            "name": [None, "", "  ", "x" * 33, LONG, CONTROL],
            "hostname": [
                None,
                "",
                "x" * 64,
                CONTROL,
                "bad_01",
                "-bad",
                "bad01.example.com",
                "bad 01",
                "bäd01",
                "../bad",
            ],
            "domain": [
                None,
                "",
                "d" * 193,
                "exa mple.com",
                "example..com",
                ".example.com",
                "example.com/../x",
                "-.com",
            ],
            "address": [
                None,
                *NO_ADDRESSES,
                "172.31.0.0",
                "172.31.0.1",
                "172.31.0.2",
                "172.31.0.3",
                "172.31.15.255",
                "172.31.16.1",
                "10.0.0.10",
                "127.0.0.1",
                "0.0.0.0",
                "255.255.255.255",
                "224.0.0.1",
                "2001:db8::10",
            ],
            "subnet": [
                "",
                "172.31.0.0",
                "172.31.0.10/20",
                "172.31.0.0/15",
                "172.31.0.0/29",
                "172.31.0.0/33",
                "172.31.0.0/255.255.240.0x",
                "2001:db8::/64",
                "subnet-0123",
                "10.0.0.0/16",
                With("172.31.0.0/20", {"netmask": "255.255.240.0"}),
                With("172.31.0.0/20", {"gateway": "172.31.0.1"}),
            ],
            "netmask": [
                With(mask, {**DERIVED, "netmask": mask}) for mask in (None, "", "20", "255.0.255.0", "0.0.0.0", "::")
            ],
            "gateway": [
                With(way, {**DERIVED, "gateway": way})
                for way in (None, "", "router", "172.31.0.256", "172.31.64.1", "172.31.0.10")
            ],
            "system_location": [None, "", "Lundon", "LONDON", "London ", *TRICKS, f"{LOCATION_URI}../"],
            "node_password": [None, "", "x" * 251, CONTROL],
            "node_type": ["TRANSCODING", "conferencing"],
            "static_nat_address": ["elastic", "52.0.0", "52.0.0.1/32", "١.١.١.١"],
            "secondary_address": ["x"],
            "ipv6_address": ["fe80::zz", "2001:db8::/64"],
            "media_priority_weight": ["heavy"],
            "vm_cpu_count": [1, 129],
            "vm_system_memory": [1999, 64001],
            "snmp_community": ["x" * 17],
            "snmp_mode": ["ON"],
            "snmp_privacy_password": ["short"],
            "snmp_authentication_password": ["1234567", "x" * 101],
            "maintenance_mode": ["sometimes"],
            "static_routes": [["10.0.0.0/8"], MANY_NAMES[:500]],
            "tls_certificate": ["nobody"],
            "config_path": [None, "", "/nonexistent", "/proc", "/dev/null"],
            "bootstrap": [
                With({"host": host}, {"config_path": None}) for host in ("https://x", "a b", "x" * 64, "../", "x?y")
            ]
            + [With({"port": port}, {"config_path": None}) for port in (0, 65536, "upload")]
            + [
                With({"tls_fingerprint": "ab"}, {"config_path": None}),
                With({"hots": "x"}, {"config_path": None}),
                {"host": "172.31.0.10"},
            ],
            "clear": [["address"], ["node_password"], ["managed"], ["vm_cpu_count"]],
            "update_secrets": ["sometimes"],
            "transcoding": [True],
        },
    ),
    "pexip_node_maintenance": (
        {"name": ["conf01"]},
        {
            "name": [
                None,
                ["Conf01"],
                ["conf01 "],
                ["conf01", "nobody"],
                [""],
                ["conf01?x"],
                ["../conf01"],
                MANY_NAMES,
                ["conf%3001"],
                {"a": 1},
            ],
            "reason": ["", "  ", "x" * 250, CONTROL],
            "state": ["on"],
            "drain": ["later", With(True, {"state": "absent"})],
            "drain_timeout": ["1h"],
            "poll_interval": ["fast"],
            "on_timeout": ["kill"],
            "only_ours": ["hers"],
        },
    ),
    "pexip_global_settings": (
        {"bursting_enabled": True, "bursting_threshold": 77},
        {
            "bursting_threshold": [0, -1, "15%", "", 2.5, 10**40, [5]],
            "bursting_min_lifetime": [4, -50, "an hour"],
            "bursting_enabled": ["sure", ""],
            "cloud_provider": ["aws", "ORACLE", ""],
            "aws_access_key": ["A" * 41, CONTROL],
            "contact_email_address": ["x" * 101],
            "site_banner": ["x" * 256],
            "logon_banner": ["x" * 4097],
            "eject_last_participant_backstop_timeout": [1, 59, 86401],
            "management_qos": [64, -1],
            "max_callrate_in": [127, 8193],
            "media_ports_start": [9999, 50000],
            "min_pin_length": [3, 21],
            "pin_entry_timeout": [29],
            "default_theme": ["nothing", "../1/", "1?x"],
            "disabled_codecs": [{"value": "H264"}],
            "clear": [["bursting_enabled"], ["cloud_provider"], ["pss_token"]],
            "enable_push_notifications": [True],
            "state": ["absent"],
        },
    ),
    "pexip_cloud_node": (
        {"name": ["burst01"], "wait": False},
        {
            "name": [None, ["nobody"], ["conf01"], [""], ["../1/"], MANY_NAMES, With(["burst01"], {"all": True})],
            "all": [With(False, {"name": None}), With("perhaps", {"name": None})],
            "capacity": [With(number, {"name": None}) for number in (0, -1, "many", 1.5)],
            "location": ["Nowhere", "../"],
        },
    ),
    "pexip_node_info": (
        {},
        {
            "node_type": ["conferencing"],
            "load": ["heavy"],
            "wait": ["forever", With("contact", {})],
            "since": [With({"conf01": "yesterday"}), With({"conf01": 5}), ["conf01"], "conf01"],
            "name": [{"conf01": 1}],
            "wait_timeout": ["long"],
        },
    ),
    "pexip_bursting_info": ({}, {"location": ["London"]}),
    "pexip_resource": (
        DNS,
        {
            "resource": [
                None,
                "",
                "dns_servers",
                "DNS_SERVER",
                "dns_server/",
                "dns_server/1",
                "../dns_server",
                "dns_server?x",
                "dns_server%2f1",
                "status",
                "dns_server\n",
                "dns server",
                "ɗns_server",
                "dns_server" * 300,
            ],
            "identity": [
                "203.0.113.1 ",
                [1],
                {"adress": "203.0.113.1"},
                {"address": ""},
                {"address": None},
                {"address": ["203.0.113.1"]},
                {"id": "../"},
                {"id": 99999},
                {"id": "1?x"},
                {"resource_uri": "/api/admin/configuration/v1/dns_server/../"},
                {"address": CONTROL},
                {"address__contains": "1"},
                {"limit": 0},
                With({}, {"state": "absent"}),
                With({"resource_uri": "../"}, {"state": "absent"}),
            ],
            "settings": [
                "description",
                {"describtion": "x"},
                {"description": ["x"]},
                {"description": CONTROL},
                {"id": 7},
                {"resource_uri": "/api/admin/configuration/v1/dns_server/7/"},
                {"address": "203.0.113.2"},
                {"../": "x"},
                {"": "x"},
                With({"mtu": "big"}, OF_LOCATION, "mtu"),
                With({"mtu": True}, OF_LOCATION, "mtu"),
                With({"dns_servers": "127.0.0.1"}, OF_LOCATION, "dns_servers"),
                With({"dns_servers": ["../1/"]}, OF_LOCATION, "dns_servers"),
                With({"overflow_location1": "Nowhere"}, OF_LOCATION, "overflow_location1"),
                With({"bdpm_pin_checks_enabled": "maybe"}, OF_LOCATION, "bdpm_pin_checks_enabled"),
                With(
                    {"service_type": "party"},
                    {"resource": "conference", "identity": {"name": "Bad input"}},
                    "service_type",
                ),
            ],
            "state": ["gone"],
        },
    ),
    "pexip_resource_info": (
        {"resource": "system_location"},
        {
            "resource": [None, "", "locations", "../command", "system_location/1/", "system_location?x", "%2e%2e"],
            "family": ["command", "", "../"],
            "filters": [
                {"nmae": "London"},
                {"name": None},
                {"limit": 1},
                {"offset": 5},
                {"format": "xml"},
                {"../": "x"},
                With({"name__sounds": "x"}, said="name"),
                ["name"],
                With({"password": "x"}, {"resource": "worker_vm"}, "password"),
                With({"snmp_community__startswith": "p"}, {"resource": "worker_vm"}, "snmp_community__startswith"),
            ],
        },
    ),
    "pexip_installation": (
        INSTALLATION,
        {
            "hostname": [
                None,
                "",
                "ab",
                "-manager",
                "manager.example.com",
                "man ager",
                "x" * 64,
                "mänager",
                "manager; reboot",
                "manager\n",
            ],
            "domain": [None, "", "exam ple", "a..b", "d" * 193, "example.com/", "$(id)"],
            "admin_password": [None, "", "a\nb", CONTROL],
            "username": ["", "ad\nmin"],
            "address": [*NO_ADDRESSES[1:], "0.0.0.0", "2001:db8::1"],
            "netmask": [With(mask, {"address": "172.31.0.10"}) for mask in ("x", "255.0.255.0", "33")],
            "gateway": [
                With(way, {"address": "172.31.0.10", "netmask": "255.255.240.0"})
                for way in ("x", "172.31.64.1", "172.31.0.10")
            ],
            "dns_servers": [[], ["resolver.example.com"], ["8.8.8.8", ""], ["8.8.8.8\n"], MANY_NAMES],
            "ntp_servers": [[], ["pool ntp"], [""], ["../"], ["a" * 64]],
            "contact_email_address": ["nobody", "a@b", "a@b,c.com", "a@\nb.com"],
            "incident_reporting": [True, "maybe"],
            "ssh_port": [0, 65536, "ssh"],
            "ssh_user": ["", "-oProxyCommand=id", "a b", "root@x"],
            "ssh_extra_args": [{"a": 1}],
            "host_key_checking": ["no"],
            "tls_pin": ["never"],
            "private_key_file": [With("/nonexistent/key", {"port": 9})],
            "known_hosts": ["known\nhosts"],
            "wait_timeout": ["long"],
            "poll_interval": ["often"],
        },
    ),
}


@dataclass(frozen=True)
class Case:
    """A module, its options with a bad one among them, and what the message has to name."""

    module: str
    option: str
    options: dict[str, Any]
    named: str

    def __str__(self) -> str:
        return f"{self.module}: {self.option} {reprlib.repr(self.options[self.option])}"


def cases(module: str) -> list[Case]:
    """What a module must refuse before it asks for a change: its own options and its share of the connection's."""
    shares = [(option, value) for option, values in CONNECTION.items() for value in values]
    own = [(option, value) for option, values in BAD[module][1].items() for value in values]
    return [_case(module, *pair) for pair in [*own, *shares[list(BAD).index(module) :: len(BAD)]]]


def told_by_the_platform() -> list[Case]:
    """What only the platform knows to be bad: the generic module writes, is refused, and has to pass that on."""
    return [_case("pexip_resource", option, value) for option, value in TOLD_BY_THE_PLATFORM]


def _case(module: str, option: str, value: Any) -> Case:
    bad = value if isinstance(value, With) else With(value)
    return Case(module, option, {**BAD[module][0], **bad.others, option: bad.value}, bad.said or option)
