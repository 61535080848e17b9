#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conferencing Nodes (`worker_vm`): documentation and field table."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_node
short_description: Register, configure and delete Conferencing Nodes of a Pexip Infinity platform
description:
  - Registers a Conferencing Node with its Management Node as a configuration-only deployment, changes its settings and
    deletes its registration.
  - The virtual machine itself is made and removed elsewhere, in AWS with M(amazon.aws.ec2_instance).
  - The Management Node gives out a node's configuration document only once, in the answer to the registration. With
    O(bootstrap) the module uploads it to the new machine in the same task, so it is never stored; with O(config_path)
    it writes it to a file. One of the two is needed to create a node.
  - With O(bootstrap) a run that was interrupted is repaired by the next one. What the module does depends on what it
    finds.
  - Case (1), the node is not registered. The module waits until the new machine's upload listener answers, registers
    the node and uploads the document.
  - Case (2), the node is registered and has been in contact. Its settings are compared and changed; nothing is
    uploaded.
  - Case (3), the node is registered, has never been in contact, and the upload listener is waiting. The document is
    lost, so the node is registered anew and the new document is uploaded. Another run may be about to upload it, so the
    module looks for 10 seconds before it does that.
  - Case (4), the node is registered, has never been in contact, and no upload listener answers. The machine may be
    restarting with its new configuration, so the module waits for contact. After O(bootstrap.timeout) it fails and
    names the machine to replace.
  - Case (5), the listener refuses the upload. The registration is taken back, and the error holds the listener's words.
    Where the listener never answers and is still there, nobody knows whether it took the document; the registration
    stays, and the next run finds case (3), (4) or (2).
  - With O(config_path), a node that has never been in contact and whose document is not in the directory is registered
    anew, with a new document. So a run that was interrupted between registration and writing is repaired, too. A node
    that has been in contact is never registered anew.
  - After the upload the machine restarts and takes about 5 minutes until it hosts conferences.
    M(pexip.infinity.pexip_node_info) waits for that, for many nodes at once.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes
  - pexip.infinity.semantics
  - pexip.infinity.semantics.secrets
requirements:
  - requests >= 2.31
notes:
  - O(address), O(netmask), O(gateway), O(hostname), O(domain), O(ipv6_address) and O(ipv6_gateway) cannot be changed. A
    different value is an error that says what to do; delete the node, replace its machine and register it anew.
  - A change of O(system_location) or O(node_type) drops the node's calls and restarts it, and a deletion drops them,
    too. Both are refused while the node carries a conference, unless O(force=true), and warned of in check mode.
  - In check mode nothing is waited for and nothing is uploaded.
  - The platform does not tell O(node_password), O(snmp_authentication_password), O(snmp_privacy_password),
    O(vm_cpu_count) and O(vm_system_memory) in a form that could be compared, so they are sent at creation and with
    O(update_secrets=always). The two SNMP passwords are sent when O(snmp_username) differs, too.
  - Quote V("ON") and V("OFF"); YAML reads the bare words as booleans.
  - The platform's deprecated settings V(managed), V(service_manager), V(service_policy), V(signalling) and
    V(transcoding) are refused. Use O(node_type) instead of V(transcoding).
options:
  name:
    description:
      - Name of the node, at most 32 characters. It identifies the node, so changing it makes another one.
    type: str
    required: true
  state:
    description:
      - Whether the node is registered.
      - Before you set V(absent), put the node into maintenance mode and wait until its conferences have ended. The
        machine is left alone; terminate it afterwards. A machine whose node was deleted cannot be registered again.
    type: str
    choices: [present, absent]
    default: present
  address:
    description:
      - IPv4 address of the node, in AWS the instance's private address. Needed to create a node; cannot be changed.
    type: str
  subnet:
    description:
      - Subnet of O(address) in CIDR notation, for example V(172.31.0.0/20). O(netmask) and O(gateway) follow from it,
        the gateway being the first usable address. Exclusive with both.
      - An O(address) outside the subnet is refused, and so is one that AWS reserves, which are the first four and the
        last.
    type: str
  netmask:
    description:
      - IPv4 network mask of the node's subnet, for example V(255.255.240.0). Needed to create a node, unless O(subnet)
        is given; cannot be changed.
    type: str
  gateway:
    description:
      - IPv4 address of the node's default gateway. Needed to create a node, unless O(subnet) is given; cannot be
        changed.
    type: str
  hostname:
    description:
      - Host name of the node without the domain, at most 63 characters, unique on the platform. Needed to create a
        node; cannot be changed.
    type: str
  domain:
    description:
      - DNS domain of the node, at most 192 characters. Needed to create a node; cannot be changed.
    type: str
  system_location:
    description:
      - System location of the node, by name. Needed to create a node.
      - Put overflow nodes into a location of their own. Changing the location drops the node's calls, see O(force).
    type: str
  node_password:
    description:
      - Password of the user V(admin) on the node (O(password) is the one of the connection), at most 250 characters.
        Needed to create a node; a node without one cannot be reached.
    type: str
  bootstrap:
    description:
      - Uploads the configuration document to the new machine when the node is created. The description of the module
        says what happens to a node that exists.
      - Exclusive with O(config_path).
    type: dict
    suboptions:
      host:
        description:
          - Address at which the controller reaches the new machine, for example its public one. Left out, it is
            O(address).
        type: str
      port:
        description:
          - Port of the upload listener.
        type: int
        default: 8443
      timeout:
        description:
          - Number of seconds to wait for the upload listener, or for contact in case (4).
        type: int
        default: 900
      poll_interval:
        description:
          - Number of seconds between two looks.
        type: int
        default: 5
      tls_fingerprint:
        description:
          - SHA-256 fingerprint, in hexadecimal, that the listener's certificate must have.
          - Left out, any certificate is accepted for this upload, as a machine without configuration has a self-signed
            one.
        type: str
  config_path:
    description:
      - Existing directory on the host that runs the module. When the node is created, its configuration document is
        written there instead of being uploaded, as C(pexip-<hostname>.<domain>.xml) with mode V(0600).
      - It holds secrets; delete it once the node is in contact, and leave it there until then. Where it is missing
        before, it counts as lost, and the node is registered anew; then a document of before is void.
      - Exclusive with O(bootstrap).
    type: path
  force:
    description:
      - Whether a change or deletion that drops the node's calls is made although it carries a conference.
    type: bool
    default: false
  alternative_fqdn:
    description:
      - Name by which the node presents itself in SIP TLS contact addresses, at most 255 characters. Needed for nodes
        that speak to Skype for Business servers.
    type: str
  description:
    description:
      - Free text for the administrator, at most 250 characters.
    type: str
  enable_distributed_database:
    description:
      - Whether the node takes part in the distributed database. Turn it off for nodes that are not always running, such
        as overflow nodes. Do not toggle it often.
      - The platform's default for a new node is V(true).
    type: bool
  enable_ssh:
    description:
      - Whether an administrator can log in to the node over SSH; V(GLOBAL) follows
        O(pexip.infinity.pexip_global_settings#module:enable_ssh).
      - The platform's default for a new node is V(GLOBAL).
    type: str
    choices: ["GLOBAL", "OFF", "ON"]
  ipv6_address:
    description:
      - IPv6 address of the node, at most 250 characters, unique on the platform; cannot be changed.
    type: str
  ipv6_gateway:
    description:
      - IPv6 address of the node's default gateway, at most 250 characters; cannot be changed. Left empty, the node
        learns it from router advertisements.
    type: str
  maintenance_mode:
    description:
      - Whether the node is in maintenance mode, in which it accepts no new conferences.
      - The platform's default for a new node is V(false).
    type: bool
  maintenance_mode_reason:
    description:
      - Why the node is in maintenance mode, at most 250 characters.
    type: str
  media_priority_weight:
    description:
      - Rank of the node among those that could take media. A higher number comes first.
      - The platform's default for a new node is V(0), the lowest.
    type: int
  node_type:
    description:
      - Whether the node hosts conferences and transcodes (V(CONFERENCING)) or passes signaling and media on to nodes
        that do (V(PROXYING)). Do not mix both in one location. Changing it drops the node's calls, see O(force).
      - The platform's default for a new node is V(CONFERENCING).
    type: str
    choices: [CONFERENCING, PROXYING]
  secondary_address:
    description:
      - IPv4 address of the node's second network interface.
    type: str
  secondary_netmask:
    description:
      - IPv4 network mask that belongs to O(secondary_address).
    type: str
  snmp_authentication_password:
    description:
      - SNMPv3 authentication password, 8 to 100 characters.
    type: str
  snmp_community:
    description:
      - SNMP community of the node, at most 16 characters. It is treated as a secret.
      - The platform's default for a new node is V(public).
    type: str
  snmp_mode:
    description:
      - Whether the node answers SNMP, not at all (V(DISABLED)), by community (V(STANDARD)) or by SNMPv3 with
        authentication and privacy (V(AUTHPRIV)).
      - The platform's default for a new node is V(DISABLED).
    type: str
    choices: [DISABLED, STANDARD, AUTHPRIV]
  snmp_privacy_password:
    description:
      - SNMPv3 privacy password, 8 to 100 characters.
    type: str
  snmp_system_contact:
    description:
      - Contact that the node reports by SNMP, at most 70 characters.
      - The platform's default for a new node is V(admin@domain.com).
    type: str
  snmp_system_location:
    description:
      - Location that the node reports by SNMP, at most 70 characters. It is text and has nothing to do with
        O(system_location).
      - The platform's default for a new node is V(Virtual machine).
    type: str
  snmp_username:
    description:
      - SNMPv3 user name, at most 100 characters.
    type: str
  ssh_authorized_keys:
    description:
      - SSH keys that may log in to the node, by their comments. They must exist on the platform.
    type: list
    elements: str
  ssh_authorized_keys_use_cloud:
    description:
      - Whether the SSH key of the cloud, in AWS the instance's key pair, may log in to the node.
      - The platform's default for a new node is V(true).
    type: bool
  static_nat_address:
    description:
      - Public IPv4 address of a node behind NAT, in AWS the instance's public or Elastic IP address. A public address
        that AWS assigned by itself changes when the instance is stopped and started; set the new one then.
    type: str
  static_routes:
    description:
      - Static routes of the node, by name, to networks that its O(gateway) does not reach. They must exist on the
        platform.
    type: list
    elements: str
  tls_certificate:
    description:
      - TLS certificate that the node presents, by subject name.
    type: str
  tls_client_certificate:
    description:
      - TLS certificate that the node presents as a client, by subject name.
    type: str
  vm_cpu_count:
    description:
      - Number of virtual CPUs, V(2) to V(128), of a virtual machine image that the platform generates. It does nothing
        to a machine that exists.
      - The platform's default for a new node is V(4).
    type: int
  vm_system_memory:
    description:
      - Memory in megabytes, V(2000) to V(64000), of a virtual machine image that the platform generates. It does
        nothing to a machine that exists.
      - The platform's default for a new node is V(4096).
    type: int
seealso:
  - module: pexip.infinity.pexip_node_info
  - module: pexip.infinity.pexip_location
  - module: pexip.infinity.pexip_global_settings
  - module: amazon.aws.ec2_instance
  - name: Deploying a Conferencing Node in AWS
    description: The deployment guide's section on the registration, the upload and the static NAT address.
    link: https://docs.pexip.com/admin/aws_conferencing_node.htm
  - name: Dynamic bursting to the AWS cloud
    description: The deployment guide's section on overflow nodes.
    link: https://docs.pexip.com/admin/aws_bursting.htm
"""

EXAMPLES = r"""
---
- name: Register a new EC2 instance as a Conferencing Node and configure it
  pexip.infinity.pexip_node:
    name: conf01
    hostname: conf01
    domain: example.com
    address: 172.31.1.10
    subnet: 172.31.0.0/20
    system_location: London
    node_password: "{{ lookup('ansible.builtin.env', 'PEXIP_NODE_PASSWORD', default=undef()) }}"
    bootstrap:
      timeout: 600

- name: Wait until it reports in
  pexip.infinity.pexip_node_info:
    name:
      - conf01
    wait: contact

- name: Register an overflow node that is reached at its public address
  pexip.infinity.pexip_node:
    name: burst01
    hostname: burst01
    domain: example.com
    address: 172.31.1.20
    subnet: 172.31.0.0/20
    static_nat_address: 198.51.100.20
    system_location: AWS burst
    enable_distributed_database: false
    node_password: "{{ lookup('ansible.builtin.env', 'PEXIP_NODE_PASSWORD', default=undef()) }}"
    bootstrap:
      host: 198.51.100.20

- name: Write the configuration document to a file, to be uploaded by hand
  pexip.infinity.pexip_node:
    name: conf02
    hostname: conf02
    domain: example.com
    address: 10.20.0.12
    netmask: 255.255.255.0
    gateway: 10.20.0.1
    system_location: HQ
    node_password: "{{ lookup('ansible.builtin.env', 'PEXIP_NODE_PASSWORD', default=undef()) }}"
    config_path: "{{ lookup('ansible.builtin.env', 'HOME') }}"

- name: Set the static NAT address of a node
  pexip.infinity.pexip_node:
    name: conf01
    static_nat_address: 198.51.100.7

- name: Let a node accept no new conferences
  pexip.infinity.pexip_node:
    name: conf01
    maintenance_mode: true
    maintenance_mode_reason: Instance is about to be stopped

- name: Take the static NAT address away
  pexip.infinity.pexip_node:
    name: conf01
    static_nat_address: ""

- name: Replace the password of a node
  pexip.infinity.pexip_node:
    name: conf01
    node_password: "{{ lookup('ansible.builtin.env', 'PEXIP_NODE_PASSWORD', default=undef()) }}"
    update_secrets: always

- name: Delete the registration of a node
  pexip.infinity.pexip_node:
    name: conf02
    state: absent
"""

RETURN = r"""
---
node:
  description:
    - The node's settings under their option names, with C(id) and C(resource_uri), without secrets and without the
      configuration document.
    - References are names where they are known and URIs otherwise.
    - Null after a deletion. In check mode, C(id) and C(resource_uri) of a node that would be created are null.
  type: dict
  returned: success
  sample:
    id: 5
    name: conf01
    hostname: conf01
    domain: example.com
    address: 172.31.1.10
    netmask: 255.255.240.0
    gateway: 172.31.0.1
    system_location: London
    node_type: CONFERENCING
    maintenance_mode: false
    resource_uri: /api/admin/configuration/v1/worker_vm/5/
config_file:
  description: Path of the configuration document that was written.
  type: str
  returned: when a configuration document was written
  sample: /home/operator/pexip-conf02.example.com.xml
complete:
  description: Whether nothing is left to wait for. Always true in the result of a task that succeeds.
  type: bool
  returned: success
  sample: true
"""

from ansible_collections.pexip.infinity.plugins.module_utils.registration import NodeModule
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource

NODE = Resource(
    "worker_vm",
    identity=("name",),
    title="Conferencing Node",
    fields=[
        Field("name", required=True, max_length=32),
        Field("address", required=True, immutable=True, ip=True),
        Field("netmask", required=True, immutable=True, ip=True, form="netmask"),
        Field("gateway", required=True, immutable=True, ip=True),
        Field("hostname", required=True, immutable=True, max_length=63, form="hostname"),
        Field("domain", required=True, immutable=True, max_length=192, form="domain"),
        Field("system_location", ref="system_location", required=True, drops_calls=True),
        Field("password", alias="node_password", required=True, secret=True, readable=False, max_length=250),
        Field("alternative_fqdn", max_length=255, default=""),
        Field("description", max_length=250, default=""),
        Field("enable_distributed_database", "bool", default=True),
        Field("enable_ssh", choices=("GLOBAL", "OFF", "ON"), default="GLOBAL"),
        Field("ipv6_address", nullable=True, immutable=True, ip=True, max_length=250),
        Field("ipv6_gateway", nullable=True, immutable=True, ip=True, max_length=250),
        Field("maintenance_mode", "bool", default=False),
        Field("maintenance_mode_reason", max_length=250, default=""),
        Field("media_priority_weight", "int", nullable=True, default=0),
        Field("node_type", choices=("CONFERENCING", "PROXYING"), default="CONFERENCING", drops_calls=True),
        Field("secondary_address", nullable=True, ip=True),
        Field("secondary_netmask", nullable=True, ip=True, form="netmask"),
        Field(
            "snmp_authentication_password",
            secret=True,
            readable=False,
            sent_with="snmp_username",
            min_length=8,
            max_length=100,
            default="",
        ),
        Field("snmp_community", secret=True, max_length=16, default="public"),
        Field("snmp_mode", choices=("DISABLED", "STANDARD", "AUTHPRIV"), default="DISABLED"),
        Field(
            "snmp_privacy_password",
            secret=True,
            readable=False,
            sent_with="snmp_username",
            min_length=8,
            max_length=100,
            default="",
        ),
        Field("snmp_system_contact", max_length=70, default="admin@domain.com"),
        Field("snmp_system_location", max_length=70, default="Virtual machine"),
        Field("snmp_username", max_length=100, default=""),
        Field("ssh_authorized_keys", many="ssh_authorized_key"),
        Field("ssh_authorized_keys_use_cloud", "bool", default=True),
        Field("static_nat_address", nullable=True, ip=True),
        Field("static_routes", many="static_route"),
        Field("tls_certificate", ref="tls_certificate", nullable=True),
        Field("tls_client_certificate", ref="tls_certificate", nullable=True),
        Field("vm_cpu_count", "int", readable=False, minimum=2, maximum=128, default=4),
        Field("vm_system_memory", "int", readable=False, minimum=2000, maximum=64000, default=4096),
    ],
    deprecated=("managed", "service_manager", "service_policy", "signalling", "transcoding"),
)


def main() -> None:
    """Entry point of the module."""
    NodeModule(NODE).run()


if __name__ == "__main__":
    main()
