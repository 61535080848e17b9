# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conferencing Nodes as an inventory."""

from __future__ import annotations

DOCUMENTATION = r"""
name: pexip_nodes
short_description: Conferencing Nodes of a Pexip Infinity platform as hosts
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
description:
  - Reads the Conferencing Nodes of a platform from its Management Node, with their live status, and makes each a host.
    Where asked to it joins them with their EC2 instances.
  - The file with the options ends with C(pexip_nodes.yml) or C(pexip_nodes.yaml). Every option of the connection can come
    from the environment instead. An option that the plugin does not know is an error.
  - Up to 1,000 nodes are read in three requests. Each filter that finds nothing takes one more, and so does a node that
    has no status yet and is alone in its location. The join with EC2 is one request for every 1,000 instances of a region.
  - Every node is in the group C(pexip_nodes), and there either in C(pexip_always_on) or in C(pexip_overflow). It is an
    overflow node when the platform lists it among its cloud nodes, when its instance carries the tag C(pexip-cloud), or
    when its distributed database is off.
  - Jinja templates are evaluated in the values of all options but the plugin's name. They see the extra variables (C(-e)).
extends_documentation_fragment:
  - pexip.infinity.connection.plugin
  - ansible.builtin.constructed
  - ansible.builtin.inventory_cache
requirements:
  - requests >= 2.31
  - boto3, with O(ec2=true)
options:
  plugin:
    description: Says that the file is for this plugin.
    type: str
    required: true
    choices: [pexip.infinity.pexip_nodes]
  management_node:
    description:
      - Inventory name of the Management Node. It must begin with its host name, as the tag C(pexip-infinity-platform) of
        its instances has it.
      - The host is put into the group C(pexip_management), which the playbooks of this collection need. Left out, that
        group is not made.
    type: str
    env: [{name: PEXIP_MANAGEMENT_NODE}]
  filters:
    description:
      - >-
        Fields of the configuration resource C(worker_vm), with the values that the nodes must have. A lookup can follow the
        field's name after two underscores, for example V({"system_location__name": "London", "name__startswith": "conf"}).
        The platform evaluates them.
      - An unknown field is an error that lists the fields that exist.
    type: dict
    default: {}
  status_filters:
    description:
      - >-
        The same for the status resource C(worker_vm), for example V({"sync_status": "SYNCED"}). A node without a status
        passes no such filter.
      - RV(ignore:pexip_in_contact) is reckoned against the newest report among the nodes that pass.
    type: dict
    default: {}
  hostnames:
    description:
      - In order of preference, what a host is named by. Each is a variable below without its prefix or a field of the
        node's configuration, and the first one that is not empty is taken, else the node's name.
      - The playbooks of this collection know a node by its name.
    type: list
    elements: str
    default: [name]
  hostvars_prefix:
    description:
      - What the names of the variables begin with. With another one the roles of this collection do not see them.
    type: str
    default: pexip_
  ec2:
    description:
      - Whether to join the nodes with their EC2 instances. O(management_node) is needed then.
      - An instance is a node's by its tags C(pexip-infinity-node) and C(pexip-infinity-platform), else, where it has no
        such tags, by its private address. In doubt there is a warning, and the node is not joined.
      - The credentials need the permission C(ec2:DescribeInstances).
    type: bool
    default: false
    env: [{name: PEXIP_EC2}]
  ec2_filters:
    description:
      - >-
        Filters of EC2's DescribeInstances, each with a value or a list of values, for example
        V({"vpc-id": "vpc-0aaaaaaaaaaaaaaaa"}). EC2 evaluates them.
    type: dict
    default: {}
  aws_regions:
    description:
      - Regions in which the instances are. Left out, the one that boto3 finds.
    type: list
    elements: str
    default: []
    env: [{name: AWS_DEFAULT_REGION}, {name: AWS_REGION}]  # the last that is set is taken
  aws_profile:
    description:
      - Profile of the AWS configuration files. Left out, boto3 looks at E(AWS_PROFILE).
    type: str
  aws_access_key:
    description:
      - Access key id. Left out, with O(aws_secret_key), boto3 finds credentials by itself, in E(AWS_ACCESS_KEY_ID) and
        E(AWS_SECRET_ACCESS_KEY), in a profile or in an instance role.
    type: str
  aws_secret_key:
    description:
      - Secret of O(aws_access_key).
    type: str
  aws_session_token:
    description:
      - Session token of temporary credentials. Left out, with O(aws_access_key), boto3 looks at E(AWS_SESSION_TOKEN).
    type: str
notes:
  - "The variables of each host are: C(ansible_host), the node's address, and with the prefix C(pexip_) C(name), C(node_id),
    C(address), C(fqdn), C(static_nat_address), C(location), C(node_type) (V(CONFERENCING) or V(PROXYING)), C(kind)
    (V(always_on) or V(overflow)), C(maintenance_mode) and C(maintenance_mode_reason), C(sync_status), C(last_updated) (ISO
    8601, null for never), C(in_contact) (it is V(SYNCED) and has reported within 5 minutes of the newest report),
    C(node_version), and all that the API says in C(configuration) and C(status)."
  - "With O(ec2=true) there are also, for a node that has an instance: C(instance_id), C(instance_type), C(instance_state),
    C(instance_tags), C(public_ip) (null while it has none), C(availability_zone), C(region), C(subnet_id) and
    C(public_address) (V(none), V(dynamic) or V(elastic): what the node's static NAT address is)."
  - The options of the connection are variables, too, so that the playbooks of this collection ask the same Management Node;
    except for the password, and for an O(ca_path) from the environment. They read the password from E(PEXIP_PASSWORD) or from C(pexip_password).
  - Secret fields are neither in the variables nor in the cache. Options that decide what is read are part of the cache's
    key, as a digest without passwords and secret keys, so another Management Node or filter is never answered from it, nor
    another AWS account, where an option or the environment says which.
  - Since ansible-core 2.19 C(ansible-inventory --list) writes a text that comes from outside as an object with the key
    C(__ansible_unsafe), whatever inventory plugin it is from. Ansible reads it back as the text; other readers have to unwrap it.
  - Ansible goes on with a warning when an inventory cannot be read. E(ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED) makes that
    an error.
seealso:
  - module: pexip.infinity.pexip_node_info
  - module: pexip.infinity.pexip_bursting_info
"""

EXAMPLES = r"""
# pexip_nodes.yml: everything from the environment (PEXIP_HOST, PEXIP_PASSWORD, ...), as AWX gives it.
plugin: pexip.infinity.pexip_nodes

---
# Usable by the playbooks: ansible-playbook -i pexip_nodes.yml pexip.infinity.stop_nodes --limit conf02
plugin: pexip.infinity.pexip_nodes
host: manager.example.com
ca_path: /etc/ssl/certs/corporate.pem
password: "{{ lookup('ansible.builtin.env', 'PEXIP_PASSWORD') }}"
management_node: manager
ec2: true
aws_regions: [eu-west-1]

---
# Groups by location (location_London), by what EC2 says (state_running), and of what needs a look.
plugin: pexip.infinity.pexip_nodes
management_node: manager
ec2: true
strict: true
keyed_groups:
  - key: pexip_location
    prefix: location
  - key: pexip_instance_state | default('elsewhere')
    prefix: state
    parent_group: by_state
groups:
  out_of_contact: not pexip_in_contact and pexip_kind == 'always_on'
  in_maintenance: pexip_maintenance_mode
compose:
  hd_calls: pexip_status.max_hd_calls | default(0)

---
# A part of the platform, kept in files for ten minutes.
plugin: pexip.infinity.pexip_nodes
filters:
  system_location__name: London
  node_type: CONFERENCING
status_filters:
  version__startswith: "11."
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.ansible/pexip
cache_timeout: 600
"""

import hashlib
import json
import os
from typing import Any

from ansible import template
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.pexip.infinity.plugins.module_utils.client import REQUESTS_IMPORT_ERROR, PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.converge import listing
from ansible_collections.pexip.infinity.plugins.module_utils.module import (
    CONNECTION_OPTIONS,
    connection_of,
    open_client,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.ec2_instances import live_instances
from ansible_collections.pexip.infinity.plugins.plugin_utils.node_hosts import (
    KINDS,
    Account,
    Facts,
    Platform,
    hosts,
    named,
)

if hasattr(template, "trust_as_template"):  # since 2.19 only what is marked as trusted is a template

    def untrusted(value: Any) -> Any:
        """A value from the network, which must never be taken for a template."""
        return value

else:
    from ansible.utils.unsafe_proxy import wrap_var as untrusted

SUFFIXES = ("pexip_nodes.yml", "pexip_nodes.yaml")
NODES = "pexip_nodes"
MANAGEMENT = "pexip_management"
# Their templates are about a host, and evaluated for each.
PER_HOST = ("compose", "groups", "keyed_groups")
# What decides what is read, and so belongs to the cache's key; no secrets.
# An access key's id is none, and says whose account it is.
ASKED = (
    "host",
    "port",
    "username",
    "management_node",
    "filters",
    "status_filters",
    "ec2",
    "ec2_filters",
    "aws_regions",
    "aws_profile",
    "aws_access_key",
)
# What boto3 finds by itself, where an option does not say it.
ASKED_OF_AWS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_ROLE_ARN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_EC2",
)
AWS_SESSION = {
    "profile_name": "aws_profile",
    "aws_access_key_id": "aws_access_key",
    "aws_secret_access_key": "aws_secret_key",
    "aws_session_token": "aws_session_token",
}


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Reads or takes from the cache what is known of the nodes, and makes hosts, groups and variables of it."""

    NAME = "pexip.infinity.pexip_nodes"

    def verify_file(self, path: str) -> bool:
        """Whether a file is for this plugin, by its name."""
        return super().verify_file(path) and path.endswith(SUFFIXES)

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        """Evaluates the templates in the file's values first, so that a template can also stand for a number or a list."""
        self.templar.available_variables = self._vars or {}
        given = dict(direct or {})
        for name in set(given) - {"plugin", *PER_HOST}:
            try:
                given[name] = self.templar.template(given[name])
            except AnsibleError as error:
                raise AnsibleParserError(f"{name}: {error}") from None
        self._given = given
        super().set_options(task_keys=task_keys, var_options=var_options, direct=given)
        unknown = sorted(str(name) for name in set(given) - set(self._options))
        if unknown:
            raise AnsibleParserError(f"unknown option {unknown[0]!r}. {listing(unknown[0], list(self._options))}")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Fills the inventory; raises AnsibleParserError, before it is touched, where anything cannot be read."""
        super().parse(inventory, loader, path, cache)
        if REQUESTS_IMPORT_ERROR:
            raise AnsibleParserError("the Python library requests is needed on the controller: pip install requests")
        self._read_config_data(path)
        try:
            found = named(self._entries(path, cache), self.get_option("hostnames"))
            self._populate(found)
        except PexipError as error:
            raise AnsibleParserError(str(error)) from None

    def _entries(self, path: str, cache: bool) -> list[Facts]:
        """What is known of every node: from the cache, unless it is off, flushed or expired, else read and put there."""
        if not self.get_option("cache"):
            return self._read()
        options = {name: self.get_option(name) for name in ASKED}
        aws = {name: os.environ.get(name) for name in ASKED_OF_AWS} if self.get_option("ec2") else {}
        asked = json.dumps(options | aws, sort_keys=True, default=str)
        key = f"{self.get_cache_key(path)}_{hashlib.sha256(asked.encode()).hexdigest()[:12]}"
        if cache:
            try:
                return self._cache[key]
            except KeyError:  # not there, or expired
                pass
        self._cache[key] = self._read()
        return self._cache[key]

    def _read(self) -> list[Facts]:
        options = {name: self.get_option(name) for name in CONNECTION_OPTIONS} | {"ca_path": self._ca_path()}
        manager = self.get_option("management_node")
        if self.get_option("ec2") and not manager:
            raise PexipError(
                "management_node is required with ec2: the Management Node's host name, as the tag "
                "pexip-infinity-platform of the instances has it (or PEXIP_MANAGEMENT_NODE)"
            )
        client = open_client(connection_of(options))
        platform = Platform.read(client, self.get_option("filters"), self.get_option("status_filters"))
        account = None
        if self.get_option("ec2"):
            session = {name: self.get_option(option) or None for name, option in AWS_SESSION.items()}
            instances = live_instances(self.get_option("aws_regions"), self.get_option("ec2_filters"), **session)
            account = Account(instances, manager.split(".")[0])
        return hosts(platform, account, self.display.warning)

    def _ca_path(self) -> str | None:
        """The option. An empty one, as AWX gives where no CA is named, would stand for the directory of the inventory."""
        said = self._given["ca_path"] if "ca_path" in self._given else os.environ.get("PEXIP_CA_PATH")
        return self.get_option("ca_path") if said else None

    def _populate(self, found: dict[str, Facts]) -> None:
        manager = self.get_option("management_node")
        if manager in found:
            raise PexipError(f"management_node: {manager} is the name of a Conferencing Node")
        self.inventory.add_group(NODES)
        for kind in KINDS:
            self.inventory.add_child(NODES, self.inventory.add_group(f"pexip_{kind}"))
        place = {name: self.get_option(name) for name in CONNECTION_OPTIONS if name != "password"}
        connection = {name: value for name, value in place.items() if value not in (None, "")}
        if not self._given.get("ca_path"):  # a file that the environment names may be this run's alone, as AWX's are
            connection.pop("ca_path", None)
        if manager:
            self.inventory.add_group(MANAGEMENT)
            self._add(manager, MANAGEMENT, place["host"], connection)
        strict = self.get_option("strict")
        for name, facts in found.items():
            self._add(name, f"pexip_{facts['kind']}", untrusted(facts["address"]), {**connection, **untrusted(facts)})
            variables = self.inventory.get_host(name).get_vars()
            self._set_composite_vars(self.get_option("compose"), variables, name, strict=strict)
            self._add_host_to_composed_groups(self.get_option("groups"), {}, name, strict=strict)
            self._add_host_to_keyed_groups(self.get_option("keyed_groups"), {}, name, strict=strict)

    def _add(self, name: str, group: str, address: str, variables: Facts) -> None:
        self.inventory.add_host(name, group=group)
        self.inventory.set_variable(name, "ansible_host", address)
        for variable, value in variables.items():
            self.inventory.set_variable(name, self.get_option("hostvars_prefix") + variable, value)
