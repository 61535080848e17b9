# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a set-up of dynamic bursting before anything is made: pure rules over what is wanted and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: bursting_problems
short_description: What stands in the way of dynamic bursting
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Compares what an inventory asks for with what the AWS account and the platform hold, by the guide's rules of dynamic
    bursting, and names every problem at once.
  - Asks nothing itself; the role P(pexip.infinity.cloud_bursting#role) fetches what it needs.
options:
  _input:
    description: The plan.
    type: dict
    required: true
    suboptions:
      overflow:
        description: The overflow location of each primary location.
        type: dict
      threshold:
        description: Bursting threshold, a number of HD calls or a percentage of the always-on capacity such as V(15%).
        type: str
      min_lifetime:
        description: Minutes that an overflow node runs at least.
        type: int
      region:
        description: The AWS region, where it is known.
        type: str
      tag_value:
        description: The Management Node's host name, which is the value of the tag C(pexip-cloud).
        type: str
      force:
        description: Whether rules that can be overridden are.
        type: bool
      replace:
        description: Whether an overflow to always-on nodes that exists is replaced, and another IAM user's access key.
        type: bool
      check:
        description: Whether this is check mode, in which declared locations count as existing.
        type: bool
      user:
        description:
          - The AWS user's C(name), the C(platform) that its tag has to name, whether it C(exists), is C(ours) and may be
            taken over (C(adopt)), and whether existing credentials are given instead (C(access_key_given),
            C(secret_key_given)).
          - C(key_held) is the access key that the platform holds, C(key_owner) its user as
            P(pexip.infinity.access_key_owner#lookup) gives it, C(key_problem) why it cannot be told.
        type: dict
      hosts:
        description: The inventory's Conferencing Nodes as P(pexip.infinity.wanted_hosts#filter) gives them.
        type: list
        elements: dict
      declared:
        description: The system locations that the inventory declares.
        type: list
        elements: dict
      servers:
        description: C(dns_servers) and C(ntp_servers) of locations that name none of their own.
        type: dict
      locations:
        description: The platform's resources C(system_location).
        type: list
        elements: dict
      nodes:
        description: The platform's nodes as M(pexip.infinity.pexip_node_info) gives them.
        type: list
        elements: dict
      instances:
        description: EC2 instances as M(amazon.aws.ec2_instance_info) lists them.
        type: list
        elements: dict
"""

EXAMPLES = r"""
- name: Refuse a set-up that cannot work
  ansible.builtin.assert:
    that: verdict.errors | length == 0
    fail_msg: "{{ verdict.errors | join('\n') }}"
  vars:
    verdict: "{{ plan | pexip.infinity.bursting_problems }}"
"""

RETURN = r"""
_value:
  description:
    - C(errors) and C(warnings), lists of sentences that name object, field, value and remedy; C(threshold), the threshold
      as a number of HD calls, or null; C(locations), the overflow locations as they have to be.
  type: dict
  sample:
    errors:
      - "pexip_overflow: London is its own overflow location: give it another one, for overflow nodes alone"
    warnings: []
    threshold: 12
    locations: [{name: AWS burst, dns_servers: [10.0.0.53], ntp_servers: [10.0.0.123]}]
"""


def bursting_problems(plan: Mapping[str, Any]) -> dict[str, Any]:
    """All that is wrong with a plan, all that is merely unwise, and what the plan comes to."""
    from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_plan import BurstingPlan
    from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_rules import ERRORS, WARNINGS, resolve

    wanted = BurstingPlan(plan)
    verdict: dict[str, Any] = {
        kind: list(dict.fromkeys(sentence for rule in rules for sentence in rule(wanted)))
        for kind, rules in (("errors", ERRORS), ("warnings", WARNINGS))
    }
    return {
        **verdict,
        "threshold": resolve(wanted)[0],
        "locations": [wanted.wanted_location(name) for name in wanted.overflow_locations],
    }


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"bursting_problems": bursting_problems}
