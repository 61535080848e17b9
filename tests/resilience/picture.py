# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an account and a platform hold, object by object, in a form that two runs which did the same have in common.

Ids, times and addresses that AWS or the platform choose by themselves become the names of what they stand for. Objects
without a name of their own are kept as a list, so that a second one of anything shows.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterable, Iterator
from typing import Any

import requests
from pexip_lab.client import Lab
from pexip_lab.credentials import WEB_PASSWORD, WEB_USERNAME
from pexip_lab.facts import load

API = "/api/admin/"
VOLATILE = {"id", "resource_uri", "uuid", "deployment_uuid", "last_updated"}
# What an object is called: the first of these that it has.
NAMES = ("name", "address", "hostname", "alias", "slug", "entitlement_id", "uuid", "id")
LIVE = ("pending", "running", "stopping", "stopped")


def take(lab: Lab) -> dict[str, Any]:
    """The picture: ``aws`` by kind of object, and ``platform`` by API resource when a Management Node is installed."""
    account = _Account(lab)
    raw: dict[str, Any] = {"aws": account.objects()}
    symbols = account.symbols()
    if manager := next(
        (machine for machine in lab.status()["machines"] if machine.get("installation") == "installed"), None
    ):
        listed = [name for name, facts in load("configuration").items() if "GET" in facts.list_methods]
        paths = {name: f"{API}configuration/v1/{name}/" for name in listed} | {"status": f"{API}status/v1/worker_vm/"}
        resources = _read(f"https://{manager['address']}:{lab.network.api_port}", paths)
        reports = [
            {"name": row["name"], "reported": row["last_updated"] is not None} for row in resources.pop("status")
        ]
        symbols |= {
            item["resource_uri"]: f"{name} {_name(item)}"
            for name, items in resources.items()
            for item in items
            if "resource_uri" in item
        }
        raw["platform"] = {name: [_plain(item) for item in items] for name, items in resources.items() if items}
        raw["platform"]["reports"] = reports
    text = json.dumps(raw, default=str, sort_keys=True)
    for own, symbol in sorted(symbols.items(), key=lambda pair: -len(pair[0])):
        text = re.sub(rf"(?<![\w.]){re.escape(own)}(?![\w.]*\w)", symbol, text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "fingerprint", text)
    own = lab.network
    for network, symbol in ((own.vpc, "127.x."), (own.on_premises, "127.y.")):
        text = text.replace(".".join(str(network).split(".")[:2]) + ".", symbol)
    return {
        family: {
            kind: sorted(items, key=lambda item: json.dumps(item, sort_keys=True)) for kind, items in objects.items()
        }
        for family, objects in json.loads(text).items()
    }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What stands in only one of two pictures, one line an object: ``-`` in the first alone, ``+`` in the other."""

    def lines(picture: dict[str, Any]) -> list[str]:
        return [
            f"{family} {kind}: {json.dumps(item, sort_keys=True)}"
            for family, objects in picture.items()
            for kind, items in objects.items()
            for item in items
        ]

    first, second = lines(one), lines(other)
    return [f"- {line}" for line in _without(first, second)] + [f"+ {line}" for line in _without(second, first)]


def surplus(one: dict[str, Any], *others: dict[str, Any]) -> list[str]:
    """The kinds of which a picture shows more objects than any of the others, one line each."""
    return [
        f"{family} {kind}: {json.dumps(items, sort_keys=True)}"
        for family, objects in one.items()
        for kind, items in objects.items()
        if len(items) > max(len(other.get(family, {}).get(kind, [])) for other in others)
    ]


def _without(lines: list[str], others: list[str]) -> Iterator[str]:
    left = list(others)
    for line in lines:
        if line in left:
            left.remove(line)
        else:
            yield line


def _name(item: dict[str, Any]) -> str:
    return str(next(item[key] for key in NAMES if item.get(key) not in (None, "")))


def _plain(value: Any) -> Any:
    """An object without what differs from platform to platform."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in VOLATILE}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _read(base: str, paths: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """The objects of each of these lists, over one connection."""
    with requests.Session() as session, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the test asks its own lab
        session.auth = (WEB_USERNAME, WEB_PASSWORD)
        answers = {name: session.get(f"{base}{path}?limit=0", verify=False) for name, path in paths.items()}
    return {name: answer.json()["objects"] for name, answer in answers.items()}


class _Account:
    """The account's objects, as its administrator sees them."""

    def __init__(self, lab: Lab):
        ec2, iam = lab.ec2(), lab.iam()
        found = (i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"])
        self._instances = [instance for instance in found if instance["State"]["Name"] in LIVE]
        self._groups = ec2.describe_security_groups()["SecurityGroups"]
        self._addresses = ec2.describe_addresses()["Addresses"]
        self._users = [user for user in iam.list_users()["Users"] if not user["UserName"].startswith("lab")]
        self._iam = iam
        self._subnets = {lab.env[f"LAB_SUBNET_{letter}"]: f"subnet {letter}" for letter in "AB"}

    def symbols(self) -> dict[str, str]:
        """What is AWS's own choice, by the name of what it stands for."""
        named = {instance["InstanceId"]: _instance_name(instance) for instance in self._instances}
        found = {own: f"instance of {name}" for own, name in named.items()} | self._subnets
        for instance in self._instances:
            if "PublicIpAddress" in instance:
                found[instance["PublicIpAddress"]] = f"public address of {named[instance['InstanceId']]}"
        for address in self._addresses:
            found[address["PublicIp"]] = f"public address of {_tags(address).get('pexip-infinity-node', '?')}"
        found |= {group["GroupId"]: f"group {group['GroupName']}" for group in self._groups}
        for user in self._users:
            found |= {key["AccessKeyId"]: f"key of {user['UserName']}" for key in self._keys(user)}
        return found

    def objects(self) -> dict[str, list[dict[str, Any]]]:
        """What there is, by kind."""
        return {
            "instances": [self._instance(instance) for instance in self._instances],
            "security groups": [
                {
                    "name": group["GroupName"],
                    "tags": _tags(group),
                    "inbound": sorted(_rules(group["IpPermissions"])),
                    "outbound": sorted(_rules(group["IpPermissionsEgress"])),
                }
                for group in self._groups
            ],
            "addresses": [
                {"address": address["PublicIp"], "of": address.get("InstanceId"), "tags": _tags(address)}
                for address in self._addresses
            ],
            "users": [self._user(user) for user in self._users],
            "policies": [self._policy(policy) for policy in self._iam.list_policies(Scope="Local")["Policies"]],
        }

    def _instance(self, instance: dict[str, Any]) -> dict[str, Any]:
        kept = ("ImageId", "InstanceType", "KeyName", "PrivateIpAddress", "PublicIpAddress", "SubnetId")
        return {
            **{name: instance.get(name) for name in kept},
            # on its way to a state is as good as there: two runs do not end at the same moment of it
            "state": {"pending": "running", "stopping": "stopped"}.get(
                instance["State"]["Name"], instance["State"]["Name"]
            ),
            "tenancy": instance["Placement"].get("Tenancy"),
            "groups": sorted(group["GroupName"] for group in instance["SecurityGroups"]),
            "tags": _tags(instance),
        }

    def _keys(self, user: dict[str, Any]) -> list[dict[str, Any]]:
        return self._iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]

    def _user(self, user: dict[str, Any]) -> dict[str, Any]:
        attached = self._iam.list_attached_user_policies(UserName=user["UserName"])["AttachedPolicies"]
        return {
            "name": user["UserName"],
            "keys": [(key["AccessKeyId"], key["Status"]) for key in self._keys(user)],
            "attached": sorted(policy["PolicyName"] for policy in attached),
            "inline": sorted(self._iam.list_user_policies(UserName=user["UserName"])["PolicyNames"]),
            "tags": _tags(self._iam.list_user_tags(UserName=user["UserName"])),
        }

    def _policy(self, policy: dict[str, Any]) -> dict[str, Any]:
        arn = policy["Arn"]
        version = self._iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
        return {
            "name": policy["PolicyName"],
            "document": version["PolicyVersion"]["Document"],
            "versions": len(self._iam.list_policy_versions(PolicyArn=arn)["Versions"]),
            "tags": _tags(self._iam.list_policy_tags(PolicyArn=arn)),
        }


def _tags(item: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}


def _instance_name(instance: dict[str, Any]) -> str:
    tags = _tags(instance)
    return tags.get("pexip-infinity-node") or tags.get("Name") or "an instance without a name"


def _rules(permissions: Iterable[dict[str, Any]]) -> Iterator[str]:
    """One text a rule: protocol, ports, peer, description."""
    for rule in permissions:
        ports = f"{rule.get('FromPort', '')}-{rule.get('ToPort', '')}"
        peers = [(peer["CidrIp"], peer.get("Description", "")) for peer in rule.get("IpRanges", [])]
        peers += [(pair["GroupId"], pair.get("Description", "")) for pair in rule.get("UserIdGroupPairs", [])]
        for peer, description in peers:
            yield f"{rule['IpProtocol']} {ports} {peer} {description}"
