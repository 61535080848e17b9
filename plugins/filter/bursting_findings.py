# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Says what is wrong with cloud bursting: a pure comparison of what AWS, the platform and the inventory say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: bursting_findings
short_description: What is wrong with cloud bursting
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Compares a snapshot of AWS with one of the platform, by the rules of the deployment guide, and names everything that
    keeps bursting from working, costs money or hurts calls; each finding says which object, which field, which value and
    what to do.
  - Asks nothing itself; the role P(pexip.infinity.bursting_report#role) fetches what it needs. A part that is left out is
    not judged.
options:
  _input:
    description: The facts.
    type: dict
    required: true
    suboptions:
      platform:
        description:
          - C(bursting) as M(pexip.infinity.pexip_bursting_info) returns it, C(nodes) as M(pexip.infinity.pexip_node_info)
            does.
          - C(locations), the resource C(system_location), and C(settings), the resource C(global), as
            M(pexip.infinity.pexip_resource_info) reads them.
          - C(management), the Management Node's C(hostname), C(address) and C(version).
          - C(licences), the status resource C(licensing), and C(shards), the objects of the status resource
            C(conference_shard).
        type: dict
      aws:
        description:
          - C(region), where the platform is, and C(instances) as M(amazon.aws.ec2_instance_info) lists them.
          - C(images), the names of the images by their ids.
          - C(user), C(detached_policies) and C(user_problem), as P(pexip.infinity.access_key_owner#lookup) gives C(user),
            C(detached_policies) and C(problem).
        type: dict
      wanted:
        description:
          - C(overflow), the map of primary to overflow locations, and C(nodes), the inventory's Conferencing Nodes as
            P(pexip.infinity.wanted_hosts#filter) gives them. Without them the kinds of nodes and locations are inferred
            from tags and overflow locations.
          - C(adopt), whether instances set up by hand may be mended.
          - C(overflow_nodes_per_conference), how many overflow nodes a single conference is expected to need.
        type: dict
"""

EXAMPLES = r"""
- name: Refuse to go on with errors
  ansible.builtin.assert:
    that: errors | length == 0
    fail_msg: "{{ errors | map(attribute='message') | join('\n') }}"
  vars:
    errors: "{{ facts | pexip.infinity.bursting_findings | selectattr('severity', 'equalto', 'error') }}"
"""

RETURN = r"""
_value:
  description: The findings, the worst first.
  type: list
  elements: dict
  contains:
    code:
      description: What kind of finding it is; a code keeps its meaning.
      type: str
      sample: tag-wrong
    severity:
      description: V(error), V(warning) or V(information).
      type: str
      sample: error
    object:
      description: Name of what is wrong.
      type: str
      sample: burst01
    message:
      description: A sentence that names object, field, value and remedy.
      type: str
      sample: >-
        burst01: tag pexip-cloud is 'Manager', the Management Node's host name is 'manager' (case and spaces count), so the
        platform does not list the node and never starts it: set the tag pexip-cloud to manager
    guide:
      description: The section of the deployment guide that it is about.
      type: str
      sample: Setting up your bursting nodes in AWS and enabling bursting in Pexip Infinity
    playbook:
      description: The playbook that mends it, null when none does.
      type: str
      sample: pexip.infinity.enable_bursting
    repair:
      description: Whether it can be mended without risk to a call, by RV(_value[].mend).
      type: bool
      sample: true
    mend:
      description:
        - What mends it, null when RV(_value[].repair) is V(false). C(kind) is V(tag), V(untag), V(node) or V(location);
          C(name) is the instance, node or location, C(settings) its new tags or fields.
      type: dict
      sample: {kind: tag, name: i-0123456789abcdef0, settings: {pexip-cloud: manager}}
"""


def bursting_findings(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The findings; see :func:`..plugin_utils.doctor.examine`."""
    from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor import examine

    return examine(facts)


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"bursting_findings": bursting_findings}
