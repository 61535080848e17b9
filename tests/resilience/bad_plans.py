# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the playbooks are fed: variables of the right type whose values cannot be."""

from __future__ import annotations

from typing import Any

# Playbooks judge a whole plan and tell every problem of it at once, so a run holds many cases. Of each: the host or the object,
# what has to be named with it in one sentence, and the variables of a host that are bad.
NODES: dict[str, tuple[str, dict[str, Any]]] = {
    "x" * 33: ("name", {}),
    "badly_named": ("hostname", {}),
    "bad-": ("hostname", {}),
    "dotted": ("hostname", {"conferencing_node_hostname": "dotted.example.com"}),
    "pathed": ("hostname", {"conferencing_node_hostname": "../pathed"}),
    "unicode": ("hostname", {"conferencing_node_hostname": "zürich"}),
    "longhost": ("hostname", {"conferencing_node_hostname": "h" * 64}),
    "longdomain": ("pexip_domain", {"pexip_domain": "d" * 193}),
    "spaced": ("pexip_domain", {"pexip_domain": "exam ple.com"}),
    "dots": ("pexip_domain", {"pexip_domain": "example..com"}),
    "nodomain": ("pexip_domain", {"pexip_domain": ""}),
    "nowhere": ("pexip_location", {"pexip_location": "Londres"}),
    "lowercase": ("pexip_location", {"pexip_location": "london"}),
    "upwards": ("pexip_location", {"pexip_location": "../"}),
    "queried": ("pexip_location", {"pexip_location": "London?limit=0"}),
    "escaped": ("pexip_location", {"pexip_location": "London%2f"}),
    "unplaced": ("pexip_location", {"pexip_location": ""}),
    "foreign": ("pexip_private_ip", {"pexip_private_ip": "10.9.8.7"}),
    "noaddress": ("pexip_private_ip", {"pexip_private_ip": "nonsense"}),
    "sixes": ("pexip_private_ip", {"pexip_private_ip": "2001:db8::7"}),
    "masked": ("pexip_private_ip", {"pexip_private_ip": "10.0.0.4/24"}),
    "networks": ("pexip_private_ip", {"pexip_private_ip": "{first}"}),
    "routers": ("pexip_private_ip", {"pexip_private_ip": "{router}"}),
    "broadcast": ("pexip_private_ip", {"pexip_private_ip": "{last}"}),
    "taken": ("pexip_private_ip", {"pexip_private_ip": "{taken}"}),
    "twin1": ("pexip_private_ip", {"pexip_private_ip": "{free}"}),
    "twin2": ("pexip_private_ip", {"pexip_private_ip": "{free}"}),
    "nosubnet": ("pexip_subnet_id", {"pexip_subnet_id": ""}),
    "lostsubnet": ("pexip_subnet_id", {"pexip_subnet_id": "subnet-00000000000000000"}),
    "overlapping": ("pexip_subnet_id", {"pexip_subnet_id": "{overlapping}"}),
    "nokey": ("pexip_key_name", {"pexip_key_name": "nobody's key"}),
    "keyless": ("pexip_key_name", {"pexip_key_name": ""}),
    "odd-address": ("pexip_public_address", {"pexip_public_address": "sometimes"}),
    "public": ("pexip_public_address", {"pexip_public_address": "elastic"}),
    "typeless": ("pexip_instance_types", {"pexip_instance_types": ["x9.nonsense"]}),
    "unlocked": ("pexip_node_password", {"pexip_node_password": ""}),
    "undefined": ("pexip_location", {"pexip_location": "{{ no_such_variable }}"}),
}
# Bursting: a sentence has to hold all of these words.
BURSTING: list[tuple[dict[str, Any], list[tuple[str, ...]]]] = [
    (
        {
            "pexip_overflow": {"London": "London", "Nowhere": "AWS burst", "Oslo": "", "HQ": "Oslo"},
            "pexip_bursting_threshold": "0",
            "pexip_bursting_min_lifetime": 1,
            "cloud_bursting_access_key": "AKIAXXXXXXXXXXXXXXXX",
        },
        [
            ("pexip_overflow", "London", "its own overflow location"),
            ("pexip_overflow", "Nowhere"),
            ("pexip_overflow", "Oslo", "no overflow location"),
            ("pexip_overflow", "HQ", "primary location"),
            ("pexip_bursting_threshold", "0"),
            ("pexip_bursting_min_lifetime", "1"),
            ("cloud_bursting_secret_key", "go together"),
        ],
    ),
    (
        {
            "pexip_overflow": {"London?limit=0": "AWS burst", "../": "AWS burst", "Zürich": "AWS burst"},
            "pexip_bursting_threshold": "15 percent",
            "cloud_bursting_user": "u" * 65,
        },
        [
            ("pexip_overflow", "London?limit=0"),
            ("pexip_overflow", "../"),
            ("pexip_overflow", "Zürich"),
            ("pexip_bursting_threshold", "15 percent"),
            ("cloud_bursting_user", "64"),
        ],
    ),
    ({"pexip_overflow": {}}, [("pexip_overflow",)]),
]
# One refusal a run: playbook, variables, words of the message.
ALONE: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    # Without a version nothing else can be judged.
    ("deploy_management", {"pexip_version": "eleven"}, ("pexip_version", "eleven")),
    ("deploy_management", {"pexip_version": ""}, ("pexip_version",)),
    (
        "deploy_management",
        {"node_security_group_client_cidrs": ["10.0.0.0/33"]},
        ("node_security_group_client_cidrs", "10.0.0.0/33"),
    ),
    ("deploy_management", {"pexip_peer_cidrs": ["../10"]}, ("pexip_peer_cidrs", "../10")),
    ("remove_nodes", {}, ("--limit",)),
    ("stop_nodes", {"node_maintenance_floor_nodes": -1}, ("node_maintenance_floor_nodes", "-1")),
    ("stop_nodes", {"node_maintenance_drain_timeout": -1}, ("node_maintenance_drain_timeout", "-1")),
    ("stop_nodes", {"node_maintenance_reason": ""}, ("node_maintenance_reason", "0 characters")),
    ("stop_nodes", {"node_maintenance_reason": "x" * 235}, ("node_maintenance_reason", "235 characters")),
    ("stop_nodes", {"node_maintenance_reason": "converting to c5"}, ("node_maintenance_reason", "converting to c5")),
    ("start_nodes", {"node_maintenance_poll_interval": 0}, ("node_maintenance_poll_interval", "0")),
    ("restart_nodes", {"node_maintenance_instance_timeout": -5}, ("node_maintenance_instance_timeout", "-5")),
    ("remove_nodes", {"remove_nodes_all": True, "node_removal_floor_hd": -1}, ("node_removal_floor_hd", "-1")),
    ("convert_nodes", {"node_conversion_poll_interval": 0}, ("node_conversion_poll_interval", "0")),
    ("check_bursting", {"bursting_report_fail_on": "sometimes"}, ("bursting_report_fail_on", "sometimes")),
    ("start_overflow_nodes", {}, ("cloud_bursting_start_names", "none")),
    (
        "start_overflow_nodes",
        {"cloud_bursting_start_all": True, "cloud_bursting_start_capacity": 5},
        ("cloud_bursting_start_all", "cloud_bursting_start_capacity"),
    ),
    ("start_overflow_nodes", {"cloud_bursting_start_names": ["../conf01"]}, ("../conf01",)),
]
