# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A platform with bursting where all is well, as the role bursting_report would have fetched it."""

from __future__ import annotations

import copy
from typing import Any

URI = "/api/admin/configuration/v1/system_location/"
LOCATIONS = {"London": 1, "Oslo": 2, "AWS burst": 3}
KEY = "AKIAEXAMPLE0000WXYZ"
OVERFLOW = ("burst01", "burst02")


def policy(host_name: str = "manager") -> dict[str, Any]:
    """The guide's policy."""
    tagged = {"StringEquals": {"ec2:ResourceTag/pexip-cloud": host_name}}
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Action": ["ec2:Describe*"], "Effect": "Allow", "Resource": "*"},
            {
                "Action": ["ec2:StartInstances", "ec2:StopInstances"],
                "Effect": "Allow",
                "Resource": "*",
                "Condition": tagged,
            },
        ],
    }


def address(name: str) -> str:
    """conf01 and conf02 are .11 and .12, burst01 and burst02 .21 and .22, the Management Node is .5."""
    return "10.0.0.5" if name == "manager" else f"10.0.0.{10 * (1 + name.startswith('burst')) + int(name[-2:])}"


def node(name: str, location: str) -> dict[str, Any]:
    overflow = name.startswith("burst")
    return {
        "id": int(name[-2:]) + 10 * overflow,
        "name": name,
        "address": address(name),
        "system_location": location,
        "node_type": "CONFERENCING",
        "enable_distributed_database": not overflow,
        "maintenance_mode": False,
        "maintenance_mode_reason": "",
        "static_nat_address": None,
        "in_contact": not overflow,
        "conferences": 0,
        "status": {
            "version": "11.0.0 (26902.0.0)",
            "max_hd_calls": 15,
            "last_updated": "2026-11-23T09:00:00",
            "media_load": 0,
        },
    }


def instance(name: str, role: str = "conferencing") -> dict[str, Any]:
    overflow = name.startswith("burst")
    return {
        "instance_id": f"i-{name}",
        "private_ip_address": address(name),
        "public_ip_address": None,
        "state": {"name": "stopped" if overflow else "running"},
        "vpc_id": "vpc-1",
        "image_id": f"ami-{role}",
        "placement": {"availability_zone": "eu-west-1a"},
        "tags": {
            "Name": name,
            "pexip-infinity-node": name,
            "pexip-infinity-platform": "manager",
            "pexip-infinity-role": role,
            **({"pexip-cloud": "manager"} if overflow else {}),
        },
    }


def cloud_node(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "location": "AWS burst",
        "instance_id": f"i-{name}",
        "instance_name": name,
        "address": address(name),
        "state": "stopped",
        "launch_time": None,
        "running_minutes": None,
        "media_load": 0,
        "max_hd_calls": 15,
        "maintenance_mode": False,
        "in_contact": False,
    }


def location(name: str, primary: str | None = None) -> dict[str, Any]:
    return {
        "id": LOCATIONS[name],
        "name": name,
        "resource_uri": f"{URI}{LOCATIONS[name]}/",
        "dns_servers": [{"address": "10.0.0.2"}],
        "ntp_servers": [{"address": "10.0.0.2"}],
        "overflow_location1": f"{URI}{LOCATIONS[primary]}/" if primary else None,
        "overflow_location2": None,
    }


def host(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "overflow": name.startswith("burst"), "location": place, "public_address": "none"}


PLACES = {"conf01": "London", "conf02": "Oslo", "burst01": "AWS burst", "burst02": "AWS burst"}


def well() -> dict[str, Any]:
    """London and Oslo overflow to AWS burst, whose two nodes are stopped."""
    return {
        "platform": {
            "bursting": {
                "enabled": True,
                "provider": "AWS",
                "threshold": 5,
                "min_lifetime": 50,
                "tag_name": "pexip-cloud",
                "tag_value": "manager",
                "management_node": "manager",
                "locations": [
                    {
                        "name": name,
                        "media_load": 20,
                        "free_hd_calls": 12,
                        "max_hd_calls": 15,
                        "overflow_location": "AWS burst",
                        "state": "ok",
                    }
                    for name in ("London", "Oslo")
                ],
                "overflow_locations": [
                    {"name": "AWS burst", "media_load": 0, "free_hd_calls": 0, "max_hd_calls": 0},
                ],
                "nodes": [cloud_node(name) for name in OVERFLOW],
                "issues": [],
            },
            "nodes": [node(name, place) for name, place in PLACES.items()],
            "locations": [location("London", "AWS burst"), location("Oslo", "AWS burst"), location("AWS burst")],
            "settings": {
                "bursting_enabled": True,
                "bursting_threshold": 5,
                "bursting_min_lifetime": 50,
                "cloud_provider": "AWS",
                "aws_access_key": KEY,
            },
            "management": {"hostname": "manager", "address": "10.0.0.5", "version": "11.0.0 (26902.0.0)"},
            "licences": {"port_total": 60, "port_count": 3},
            "shards": [],
        },
        "aws": {
            "region": "eu-west-1",
            "instances": [instance("manager", "management"), *(instance(name) for name in PLACES)],
            "images": {
                "ami-conferencing": "Pexip Infinity Conferencing Node 11.0.0 (build 26902.0.0)",
                "ami-management": "Pexip Infinity Management Node 11.0.0 (build 26902.0.0)",
            },
            "user": {
                "name": "pexip",
                "arn": "arn:aws:iam::123456789012:user/pexip",
                "access_keys": [{"id": KEY, "status": "Active"}],
                "policies": [
                    {"name": "pexip-bursting", "arn": "arn:aws:iam::123456789012:policy/p", "document": policy()}
                ],
            },
            "detached_policies": [],
            "user_problem": "",
        },
        "wanted": {
            "overflow": {"London": "AWS burst", "Oslo": "AWS burst"},
            "nodes": [host(name, place) for name, place in PLACES.items()],
            "adopt": False,
            "overflow_nodes_per_conference": 0,
        },
    }


class Facts(dict):
    """The facts, with short ways to what the tests change."""

    @property
    def bursting(self) -> dict:
        return self["platform"]["bursting"]

    @property
    def settings(self) -> dict:
        return self["platform"]["settings"]

    @property
    def user(self) -> dict:
        return self["aws"]["user"]

    def node(self, name: str) -> dict:
        return next(n for n in self["platform"]["nodes"] if n["name"] == name)

    def instance(self, name: str) -> dict:
        return next(i for i in self["aws"]["instances"] if i["instance_id"] == f"i-{name}")

    def location(self, name: str) -> dict:
        return next(i for i in self["platform"]["locations"] if i["name"] == name)

    def row(self, name: str) -> dict:
        return next(r for r in self.bursting["nodes"] if r["name"] == name)

    def primary(self, name: str) -> dict:
        return next(r for r in self.bursting["locations"] if r["name"] == name)

    def host(self, name: str) -> dict:
        return next(h for h in self["wanted"]["nodes"] if h["name"] == name)

    def run(self, name: str, minutes: int, in_contact: bool = True) -> None:
        """Let an overflow node run."""
        self.instance(name)["state"]["name"] = "running"
        self.node(name)["in_contact"] = in_contact
        self.row(name).update(state="running", running_minutes=minutes, in_contact=in_contact)


def facts() -> Facts:
    return Facts(copy.deepcopy(well()))


def without_inventory() -> Facts:
    made = facts()
    made["wanted"] = {}
    return made


def the(found: list[dict], code: str, name: str | None = None) -> dict:
    """The one finding of a code (about an object)."""
    matching = [f for f in found if f["code"] == code and name in (None, f["object"])]
    assert len(matching) == 1, found
    return matching[0]


def codes(found: list[dict]) -> set[str]:
    return {f["code"] for f in found}
