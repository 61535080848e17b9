# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the inventory asks for, host by host, with the roles' own variables before the shared ones."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from jinja2.exceptions import UndefinedError

DOCUMENTATION = r"""
name: wanted_hosts
short_description: What the inventory asks for of each host
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Reads the variables of every host named, not only of those that a play's limit left, so that rules about the whole
    fleet hold under C(--limit) and in slices.
  - A role's own variable (C(conferencing_node_private_ip)) goes before the shared one (C(pexip_private_ip)), and for the
    connection to the management API the environment (E(PEXIP_HOST), E(PEXIP_PASSWORD)) comes last. Empty is not given.
  - Of secrets only the presence is given.
  - A variable that cannot be read, because what it refers to is not defined, is named with the reason.
positional: hostvars, role
options:
  _input:
    description: Inventory hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: The variable C(hostvars).
    type: dict
    required: true
  role:
    description: The role that the hosts are for.
    type: str
    choices: [conferencing_node, management_node]
    required: true
"""

EXAMPLES = r"""
- name: See what the inventory asks for
  ansible.builtin.debug:
    msg: "{{ groups['pexip_nodes'] | pexip.infinity.wanted_hosts(hostvars, 'conferencing_node') }}"
"""

RETURN = r"""
_value:
  description:
    - For each host its C(name), C(hostname) and settings; what is not given is null.
    - C(undefined) has the reason for each setting that cannot be read.
  type: list
  elements: dict
"""

SETTINGS = (
    "host",
    "domain",
    "region",
    "subnet_id",
    "key_name",
    "private_key_file",
    "private_ip",
    "public_address",
    "location",
    "instance_types",
    "dns_servers",
    "ntp_servers",
)
SECRETS = ("node_password", "admin_password", "password")
# Options of the connection: the modules read their environment twins, too (AWX injects credentials so).
CONNECTION = ("host", "password")


def wanted_host(name: str, variables: Mapping[str, Any], role: str) -> dict[str, Any]:
    """One host's settings; ``variables`` are its host variables."""

    undefined: dict[str, str] = {}

    def given(variable: str, field: str) -> Any:
        value = variables.get(variable)
        try:
            return None if value == "" else value
        except UndefinedError as error:  # what it refers to may be in a vault that was not given: the preflight says so
            undefined[field] = f"{variable}: {error}"
            return None

    def setting(field: str) -> Any:
        for variable in (f"{role}_{field}", f"pexip_{field}"):
            value = given(variable, field)
            if value is not None or field in undefined:
                return value
        return (os.environ.get(f"PEXIP_{field.upper()}") or None) if field in CONNECTION else None

    host = {field: setting(field) for field in SETTINGS}
    # A node takes its own inventory name; pexip_hostname is the Management Node's (DESIGN: shared variables).
    own = setting("hostname") if role == "management_node" else given(f"{role}_hostname", "hostname")
    host.update(
        name=given(f"{role}_name", "name") or name,
        hostname=own or name.split(".")[0],
        public_address=host["public_address"] or "none",
        image_id=given(f"{role}_image_id", "image_id"),  # a role's own choice; there is no shared one
        secrets={f"pexip_{field}": setting(field) is not None for field in SECRETS},
        overflow="pexip_overflow" in (variables.get("group_names") or []),
        undefined=undefined,
    )
    return host


def wanted_hosts(names: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], role: str) -> list[dict[str, Any]]:
    """The settings of all hosts named, in the order given."""
    return [wanted_host(name, hostvars[name], role) for name in names]


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"wanted_hosts": wanted_hosts}
