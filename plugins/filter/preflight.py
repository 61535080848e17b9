# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges a deployment before anything is made: pure rules over what is wanted and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: preflight
short_description: What stands in the way of a deployment
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Compares what an inventory asks for with what the AWS account and the platform hold, by the rules of the
    deployment guide, and names every problem at once.
  - Asks nothing itself; the role P(pexip.infinity.infinity_preflight#role) fetches what it needs.
options:
  _input:
    description: The plan.
    type: dict
    required: true
    suboptions:
      deployment:
        description: Deployment option of the guide.
        type: str
        choices: [private, public, hybrid]
      version:
        description: The platform version asked for.
        type: str
      force:
        description: Whether rules that can be overridden are.
        type: bool
      adopt:
        description: Whether instances set up by hand are taken over.
        type: bool
      ssh_agent:
        description: Whether an agent can give the OpenSSH client the Management Node's private key.
        type: bool
      management:
        description:
          - The Management Node as P(pexip.infinity.wanted_hosts#filter) gives it. Where it has a C(host) it is an
            existing one that is known by its address. Null when the inventory has none.
        type: dict
      nodes:
        description: The Conferencing Nodes as P(pexip.infinity.wanted_hosts#filter) gives them.
        type: list
        elements: dict
      locations:
        description: Names of the system locations that the inventory declares.
        type: list
        elements: str
      setup:
        description:
          - What the Management Node's play makes beside the Management Node. C(management_cidrs), C(open_to_all) and
            C(vpc_id) for the security groups, C(dns_servers), C(ntp_servers) and C(locations) for the platform.
          - Null in the play of the nodes. The Management Node's installation is not judged then, either.
        type: dict
      found:
        description:
          - C(subnets), C(key_pairs), C(images), C(instances) and C(interfaces) as the modules of amazon.aws list them,
            C(offered), by availability zone the instance types that it offers, and C(platform), null or the C(nodes),
            C(locations), C(version), C(hostname) and C(domain) of the platform.
        type: dict
"""

EXAMPLES = r"""
- name: Refuse a plan that cannot be carried out
  ansible.builtin.assert:
    that: verdict.errors | length == 0
    fail_msg: "{{ verdict.errors | join('\n') }}"
  vars:
    verdict: "{{ plan | pexip.infinity.preflight }}"
"""

RETURN = r"""
_value:
  description: C(errors) and C(warnings), each a list of sentences that name object, field, value and remedy.
  type: dict
  sample:
    errors:
      - "conf01: pexip_private_ip 10.0.0.3: address 10.0.0.3 is reserved by AWS in the subnet 10.0.0.0/20 (the first
        four and the last are); use 10.0.0.4 to 10.0.15.254"
    warnings: []
"""


def preflight(plan: Mapping[str, Any]) -> dict[str, list[str]]:
    """All that is wrong with a plan, and all that is merely unwise; each sentence once, in the order of the rules."""
    from ansible_collections.pexip.infinity.plugins.plugin_utils.preflight_plan import Plan
    from ansible_collections.pexip.infinity.plugins.plugin_utils.preflight_rules import ERRORS, WARNINGS

    wanted = Plan(plan)
    return {
        kind: list(dict.fromkeys(sentence for rule in rules for sentence in rule(wanted)))
        for kind, rules in (("errors", ERRORS), ("warnings", WARNINGS))
    }


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"preflight": preflight}
