# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instances of an account, asked of EC2 where no task of amazon.aws can run: while the inventory is made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleParserError

from .node_instance import GOING, Instance

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # said in live_instances()
    boto3 = None

LIVE = ("pending", "running", "stopping", "stopped")
PAGE_SIZE = 1000  # EC2's own most
NEEDED = "The credentials need the permission ec2:DescribeInstances"


def live_instances(regions: list[str], filters: Mapping[str, Any], **session: str | None) -> list[Instance]:
    """The instances that are not terminated, in the form that node_instance reads; one paged request a region.

    :param regions: names of regions; empty for the one that boto3 finds
    :param filters: EC2's own filters of DescribeInstances, by name; a value or a list of them
    :param session: what ``boto3.Session`` takes; what is None, boto3 finds by itself
    :raises AnsibleParserError: boto3 is missing, or EC2 cannot be asked
    """
    if boto3 is None:
        raise AnsibleParserError(
            "ec2: the join with EC2 needs the Python library boto3 on the controller: pip install boto3, or say ec2: false"
        )
    wanted = {"instance-state-name": list(LIVE), **filters}
    asked = [
        {"Name": name, "Values": [str(value) for value in (given if isinstance(given, list) else [given])]}
        for name, given in wanted.items()
    ]
    found: list[Instance] = []
    # An empty name is what AWX and others give for none, and one that stands twice would give each instance twice.
    for region in list(dict.fromkeys(filter(None, regions))) or [None]:
        try:
            client = boto3.Session(region_name=region, **session).client("ec2")
            pages = client.get_paginator("describe_instances").paginate(
                Filters=asked, PaginationConfig={"PageSize": PAGE_SIZE}
            )
            found += [
                instance_of(raw, client.meta.region_name)
                for page in pages
                for reservation in page["Reservations"]
                for raw in reservation["Instances"]
            ]
        except (BotoCoreError, ClientError, ValueError) as error:  # ValueError: a region that makes no host name
            where = f"of {region}" if region else "(no aws_regions given)"
            raise AnsibleParserError(f"ec2: failed to describe the instances {where}: {error}. {NEEDED}") from None
    return [instance for instance in found if instance["state"]["name"] not in GOING]


def instance_of(raw: Mapping[str, Any], region: str) -> Instance:
    """What of an instance tells about a node, under the names that ``ec2_instance_info`` gives it, and its region."""
    associations = [card.get("Association") or {} for card in raw.get("NetworkInterfaces", [])]
    return {
        "instance_id": raw["InstanceId"],
        "instance_type": raw["InstanceType"],
        "state": {"name": raw["State"]["Name"]},
        "private_ip_address": raw.get("PrivateIpAddress"),
        "public_ip_address": raw.get("PublicIpAddress"),
        "public_ip_owner": next((given["IpOwnerId"] for given in associations if given.get("IpOwnerId")), None),
        "availability_zone": raw.get("Placement", {}).get("AvailabilityZone"),
        "region": region,
        "vpc_id": raw.get("VpcId"),
        "subnet_id": raw.get("SubnetId"),
        "tags": {tag["Key"]: tag["Value"] for tag in raw.get("Tags", [])},
    }
