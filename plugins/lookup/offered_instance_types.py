# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which EC2 instance types a region offers. The amazon.aws collection has no module that asks this."""

from __future__ import annotations

DOCUMENTATION = r"""
name: offered_instance_types
short_description: Instance types that a region offers, in the order asked for
version_added: 0.1.0
author: The pexip.infinity authors (!UNKNOWN)
description:
  - Asks EC2 which of some instance types a region, or one of its availability zones, offers.
  - Credentials and endpoint come from where boto3 finds them (environment, profile, instance role), as they do for
    the modules of the amazon.aws collection.
requirements: [boto3]
options:
  _terms:
    description: Instance types in order of preference.
    type: list
    elements: str
    required: true
  region:
    description: The region; left out, the one that boto3 finds.
    type: str
  zone:
    description: Only types that are offered in this availability zone.
    type: str
"""

EXAMPLES = r"""
- name: The first type that the region offers
  ansible.builtin.debug:
    msg: "{{ query('pexip.infinity.offered_instance_types', 'm4.large', 'm3.large', region='eu-west-1') | first }}"
"""

RETURN = r"""
_raw:
  description: Those of the types that are offered, in the order asked for.
  type: list
  elements: str
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

try:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:  # said in run()
    boto3 = None


class LookupModule(LookupBase):
    """One DescribeInstanceTypeOfferings request."""

    def run(self, terms, variables=None, region=None, zone=None):
        """The offered ones among `terms`; AnsibleLookupError when EC2 cannot be asked."""
        if boto3 is None:
            raise AnsibleLookupError("offered_instance_types needs the Python library boto3 on the controller.")
        if not terms:
            return []  # EC2 takes no filter without a value
        place = {"LocationType": "availability-zone" if zone else "region"}
        filters = [{"Name": "instance-type", "Values": list(dict.fromkeys(terms))}]
        if zone:
            filters.append({"Name": "location", "Values": [zone]})
        try:
            client = boto3.client("ec2", region_name=region or None)
            pages = client.get_paginator("describe_instance_type_offerings").paginate(**place, Filters=filters)
            offered = {offer["InstanceType"] for page in pages for offer in page["InstanceTypeOfferings"]}
        except (BotoCoreError, ClientError) as error:
            raise AnsibleLookupError(f"Failed to ask EC2 which instance types it offers: {error}") from error
        return [term for term in terms if term in offered]
