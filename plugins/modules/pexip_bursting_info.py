#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cloud bursting status: monitored and overflow locations, overflow nodes, issues, in the status page's own words."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_bursting_info
short_description: Read the cloud bursting status of a Pexip Infinity platform
description:
  - Reads what Status > Cloud Bursting shows. These are the primary locations with their load and how near they are to
    the bursting threshold, the overflow locations, the overflow nodes with the state of their instances, and the issues.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes.info
requirements:
  - requests >= 2.31
notes:
  - The platform tells of locations, nodes and issues only while bursting is enabled.
  - The list of primary locations holds only those whose primary overflow location contains overflow nodes.
  - Minutes are reckoned by the newest report of any Conferencing Node, so they may be a minute behind.
seealso:
  - module: pexip.infinity.pexip_cloud_node
  - module: pexip.infinity.pexip_node_info
  - name: Viewing cloud bursting status
    description: The deployment guide's section on the status page.
    link: https://docs.pexip.com/admin/aws_bursting.htm
"""

EXAMPLES = r"""
---
- name: Read the cloud bursting status
  pexip.infinity.pexip_bursting_info:
  register: status

- name: Name the locations that are short of capacity
  ansible.builtin.debug:
    msg: "{{ status.bursting.locations | rejectattr('state', 'eq', 'ok') | map(attribute='name') }}"
"""

RETURN = r"""
---
bursting:
  description: The status.
  type: dict
  returned: success
  contains:
    enabled:
      description: Whether bursting is enabled.
      type: bool
      sample: true
    provider:
      description: The cloud service that the platform bursts into.
      type: str
      sample: AWS
    threshold:
      description: Number of available HD connections at or below which an overflow node is started.
      type: int
      sample: 5
    min_lifetime:
      description: Number of minutes that an overflow node runs at least.
      type: int
      sample: 50
    tag_name:
      description: Key of the tag that marks the instances of overflow nodes.
      type: str
      sample: pexip-cloud
    tag_value:
      description: Value of that tag, which is the Management Node's host name.
      type: str
      sample: manager
    management_node:
      description: Name of the Management Node.
      type: str
      sample: manager
    locations:
      description: The primary locations, by name.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the location.
          type: str
          sample: London
        media_load:
          description: Media load in percent.
          type: int
          sample: 83
        free_hd_calls:
          description: Number of available HD connections, null when it is not known.
          type: int
          sample: 6
        max_hd_calls:
          description: Number of HD connections that the location can host.
          type: int
          sample: 40
        overflow_location:
          description: Name of its primary overflow location.
          type: str
          sample: AWS burst
        state:
          description: >-
            V(ok), V(approaching threshold) at or below the threshold plus two, V(bursting threshold reached) at or below
            the threshold, or null when the number of available connections is not known.
          type: str
          sample: approaching threshold
    overflow_locations:
      description: The overflow locations, by name, with V(name), V(media_load), V(free_hd_calls) and V(max_hd_calls).
      type: list
      elements: dict
      sample: [{"name": "AWS burst", "media_load": 0, "free_hd_calls": 15, "max_hd_calls": 15}]
    nodes:
      description: The overflow nodes, by name, then tagged instances without a Conferencing Node.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the node, null for an instance without one.
          type: str
          sample: burst01
        location:
          description: Name of the node's location.
          type: str
          sample: AWS burst
        instance_id:
          description: Id of the instance.
          type: str
          sample: i-0123456789abcdef0
        instance_name:
          description: Name of the instance.
          type: str
          sample: burst01
        address:
          description: Address of the instance.
          type: str
          sample: 172.31.1.20
        state:
          description: State of the instance, in the words of EC2.
          type: str
          sample: running
        launch_time:
          description: When the instance was started last.
          type: str
          sample: "2026-11-23T10:00:00"
        running_minutes:
          description: For how long it has run, null when it does not run.
          type: int
          sample: 12
        media_load:
          description: Media load of the node in percent.
          type: int
          sample: 0
        max_hd_calls:
          description: Number of HD connections that the node can host, null when it never told.
          type: int
          sample: 15
        maintenance_mode:
          description: Whether the node is in maintenance mode.
          type: bool
          sample: false
        in_contact:
          description: Whether the instance runs and the node has reported in since it was launched.
          type: bool
          sample: true
        configuration_id:
          description: Id of the node's configuration, null for an instance without a node.
          type: int
          sample: 5
    issues:
      description: The issues, one sentence each.
      type: list
      elements: str
      sample: []
"""

from ansible_collections.pexip.infinity.plugins.module_utils.bursting import Snapshot, view
from ansible_collections.pexip.infinity.plugins.module_utils.client import Client, PexipError, resource_path
from ansible_collections.pexip.infinity.plugins.module_utils.module import InfinityModule

STATUS = ("worker_vm", "cloud_node", "cloud_monitored_location", "cloud_overflow_location", "alarm")


def read(client: Client) -> Snapshot:
    """Reads what a platform tells about bursting: one request a resource."""
    settings = client.get(resource_path("global", 1))
    managers = client.list(resource_path("management_vm"))
    return Snapshot(settings, managers, *(client.list(resource_path(name, family="status")) for name in STATUS))


def main() -> None:
    """Entry point of the module."""
    module = InfinityModule({})
    try:
        client = module.client()
        seen = read(client) if client else Snapshot()
    except PexipError as error:
        module.fail(error)
    module.exit(changed=False, bursting=view(seen))


if __name__ == "__main__":
    main()
