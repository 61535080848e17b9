#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""System locations (`system_location`): documentation and field table."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_location
short_description: Manage system locations of a Pexip Infinity platform
description:
  - Creates, changes and deletes system locations.
  - A system location groups Conferencing Nodes that stand close together in the network and share their DNS, NTP and
    call control servers. In AWS one system location corresponds to one Availability Zone.
  - A location overflows to others when its own nodes run out of capacity. Two locations may overflow to each other;
    make both first and set the references afterwards, as the examples show.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes
  - pexip.infinity.semantics
requirements:
  - requests >= 2.31
notes:
  - Give each location that holds nodes at least one DNS server and one NTP server. Nodes without them synchronize with
    the Management Node and yet do not work.
  - The word V(GLOBAL) means the value of the same setting in M(pexip.infinity.pexip_global_settings).
  - Quote V("ON") and V("OFF"); YAML reads the bare words as booleans.
options:
  name:
    description:
      - Name of the location, at most 250 characters. It identifies the location, so changing it makes another one.
    type: str
    required: true
  state:
    description:
      - Whether the location exists.
      - Move or remove its Conferencing Nodes before you delete a location.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - Free text for the administrator, at most 250 characters.
    type: str
  bdpm_pin_checks_enabled:
    description:
      - Whether a service that receives too many wrong PINs is blocked for a while, for calls whose signaling arrives in
        this location.
      - The platform's default for a new location is V(GLOBAL).
    type: str
    choices: ["GLOBAL", "OFF", "ON"]
  bdpm_scan_quarantine_enabled:
    description:
      - Whether a source address that dials too many unknown aliases is blocked for a while, for calls whose signaling
        arrives in this location.
      - The platform's default for a new location is V(GLOBAL).
    type: str
    choices: ["GLOBAL", "OFF", "ON"]
  client_stun_servers:
    description:
      - STUN servers that WebRTC clients of this location are told to use, by name.
    type: list
    elements: str
  client_turn_servers:
    description:
      - TURN servers that WebRTC clients of this location are told to use, by name.
    type: list
    elements: str
  dns_servers:
    description:
      - DNS servers that the location's nodes ask, by address.
      - They must exist on the platform. M(pexip.infinity.pexip_resource) with
        O(pexip.infinity.pexip_resource#module:resource=dns_server) makes them.
    type: list
    elements: str
  event_sinks:
    description:
      - Event sinks that receive the events of the location's nodes, by name.
    type: list
    elements: str
  h323_gatekeeper:
    description:
      - H.323 gatekeeper for calls that leave from this location, by name.
    type: str
  http_proxy:
    description:
      - HTTP proxy for the web requests of the location's nodes, by name.
    type: str
  live_captions_dial_out_1:
    description:
      - First system location that dials out for live captions, by name.
    type: str
  live_captions_dial_out_2:
    description:
      - Second system location that dials out for live captions, by name.
    type: str
  live_captions_dial_out_3:
    description:
      - Third system location that dials out for live captions, by name.
    type: str
  local_mssip_domain:
    description:
      - SIP domain that Skype for Business routes to this location, at most 255 characters. It is also the domain of the
        calling address in outbound SIP calls that have none of their own.
    type: str
  media_qos:
    description:
      - DSCP value of the media packets that the location's nodes send, V(0) to V(63).
      - The platform's default for a new location is V(0).
    type: int
  mssip_proxy:
    description:
      - Skype for Business server for calls that leave from this location, by name.
    type: str
  mtu:
    description:
      - Largest packet, in bytes, that the location's nodes send, V(512) to V(1500).
      - The platform's default for a new location is V(1500).
    type: int
  ntp_servers:
    description:
      - NTP servers that the location's nodes take the time from, by address.
      - They must exist on the platform. M(pexip.infinity.pexip_resource) with
        O(pexip.infinity.pexip_resource#module:resource=ntp_server) makes them.
    type: list
    elements: str
  overflow_location1:
    description:
      - Primary overflow location, by name, which takes media that this location has no capacity for.
      - Dynamic bursting starts and stops overflow nodes of the primary overflow location only.
    type: str
  overflow_location2:
    description:
      - Secondary overflow location, by name, which is tried after O(overflow_location1). It never takes part in dynamic
        bursting, so name a location of always-on nodes.
    type: str
  policy_server:
    description:
      - Policy profile that the location's nodes consult, by name.
    type: str
  signalling_qos:
    description:
      - DSCP value of the signaling packets that the location's nodes send, V(0) to V(63).
      - The platform's default for a new location is V(0).
    type: int
  sip_proxy:
    description:
      - SIP proxy for calls that leave from this location, by name.
    type: str
  snmp_network_management_system:
    description:
      - SNMP network management system for the location's nodes, by name.
    type: str
  stun_server:
    description:
      - STUN server with which the location's nodes find their own public address, by name.
    type: str
  syslog_servers:
    description:
      - Syslog servers that the location's nodes send their logs to, by address.
    type: list
    elements: str
  teams_proxy:
    description:
      - Teams Connector for Microsoft Teams calls of this location, by name.
    type: str
  transcoding_location:
    description:
      - System location whose nodes transcode the media of calls that arrive here, by name. Needed where this location
        holds proxying nodes only.
      - Left empty, this location transcodes for itself.
    type: str
  turn_server:
    description:
      - TURN server with which the location's nodes relay media, by name.
    type: str
  use_relay_candidates_only:
    description:
      - Whether WebRTC clients of this location must send their media through one of the O(client_turn_servers).
      - The platform's default for a new location is V(false).
    type: bool
seealso:
  - module: pexip.infinity.pexip_node
  - module: pexip.infinity.pexip_global_settings
  - module: pexip.infinity.pexip_resource
  - module: pexip.infinity.pexip_resource_info
    description: Reads system locations, with the resource V(system_location).
  - name: Dynamic bursting to the AWS cloud
    description: The deployment guide's section on primary and overflow locations.
    link: https://docs.pexip.com/admin/aws_bursting.htm
"""

EXAMPLES = r"""
---
- name: A location with the servers that its nodes need
  pexip.infinity.pexip_location:
    name: London
    description: eu-west-1a
    dns_servers:
      - 172.31.0.2
    ntp_servers:
      - 169.254.169.123

- name: Let London burst to overflow nodes in the cloud
  pexip.infinity.pexip_location:
    name: London
    overflow_location1: AWS burst

- name: Two locations that overflow to each other, first the locations
  pexip.infinity.pexip_location:
    name: "{{ item }}"
  loop: [London, Oslo]

- name: Two locations that overflow to each other, then the references
  pexip.infinity.pexip_location:
    name: "{{ item.name }}"
    overflow_location1: "{{ item.overflow }}"
  loop:
    - {name: London, overflow: Oslo}
    - {name: Oslo, overflow: London}

- name: Stop the overflow and take the syslog servers away
  pexip.infinity.pexip_location:
    name: London
    overflow_location1: ""
    syslog_servers: []

- name: Give the media packets no DSCP value
  pexip.infinity.pexip_location:
    name: London
    clear:
      - media_qos

- name: Delete a location without nodes
  pexip.infinity.pexip_location:
    name: Oslo
    state: absent
"""

RETURN = r"""
---
location:
  description:
    - The location's settings under their option names, with C(id) and C(resource_uri).
    - References are names where they are known and URIs otherwise.
    - Null after a deletion. In check mode, C(id) and C(resource_uri) of a location that would be created are null.
  type: dict
  returned: success
  sample:
    id: 3
    name: London
    description: eu-west-1a
    dns_servers: [172.31.0.2]
    ntp_servers: [169.254.169.123]
    overflow_location1: AWS burst
    mtu: 1500
    resource_uri: /api/admin/configuration/v1/system_location/3/
"""

from ansible_collections.pexip.infinity.plugins.module_utils.module import PexipModule
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource

SWITCH = ("GLOBAL", "OFF", "ON")

LOCATION = Resource(
    "system_location",
    identity=("name",),
    title="system location",
    fields=[
        Field("name", required=True, max_length=250),
        Field("description", max_length=250, default=""),
        Field("bdpm_pin_checks_enabled", choices=SWITCH, default="GLOBAL"),
        Field("bdpm_scan_quarantine_enabled", choices=SWITCH, default="GLOBAL"),
        Field("client_stun_servers", many="stun_server"),
        Field("client_turn_servers", many="turn_server"),
        Field("dns_servers", many="dns_server"),
        Field("event_sinks", many="event_sink"),
        Field("h323_gatekeeper", ref="h323_gatekeeper", nullable=True),
        Field("http_proxy", ref="http_proxy", nullable=True),
        Field("live_captions_dial_out_1", ref="system_location", nullable=True),
        Field("live_captions_dial_out_2", ref="system_location", nullable=True),
        Field("live_captions_dial_out_3", ref="system_location", nullable=True),
        Field("local_mssip_domain", max_length=255, default=""),
        Field("media_qos", "int", nullable=True, minimum=0, maximum=63, default=0),
        Field("mssip_proxy", ref="mssip_proxy", nullable=True),
        Field("mtu", "int", minimum=512, maximum=1500, default=1500),
        Field("ntp_servers", many="ntp_server"),
        Field("overflow_location1", ref="system_location", nullable=True),
        Field("overflow_location2", ref="system_location", nullable=True),
        Field("policy_server", ref="policy_server", nullable=True),
        Field("signalling_qos", "int", nullable=True, minimum=0, maximum=63, default=0),
        Field("sip_proxy", ref="sip_proxy", nullable=True),
        Field("snmp_network_management_system", ref="snmp_network_management_system", nullable=True),
        Field("stun_server", ref="stun_server", nullable=True),
        Field("syslog_servers", many="syslog_server"),
        Field("teams_proxy", ref="teams_proxy", nullable=True),
        Field("transcoding_location", ref="system_location", nullable=True),
        Field("turn_server", ref="turn_server", nullable=True),
        Field("use_relay_candidates_only", "bool", default=False),
    ],
)


def main() -> None:
    """Entry point of the module."""
    PexipModule(LOCATION, returns="location").run()


if __name__ == "__main__":
    main()
