# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What depends on the platform's version: instance types and port profile."""

from __future__ import annotations

import re

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: version_defaults
short_description: Defaults that depend on the platform's version
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Looks a version up in one table and gives the instance types to try, in order of preference, and the port profile.
  - The deployment guide of version 11 recommends m4.large and c4.2xlarge (m3.large and c3.2xlarge where those are not
    to be had). Newer versions ask for at least 4 vCPU on a Management Node and have a wider range of ports.
options:
  _input:
    description: The platform's version.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: See what a version asks for
  ansible.builtin.debug:
    msg: "{{ '11.0.0' | pexip.infinity.version_defaults }}"
"""

RETURN = r"""
_value:
  description:
    - C(management_instance_types) and C(conferencing_instance_types), each a list in order of preference, and
      C(port_profile), V(default) or V(current).
  type: dict
  sample:
    management_instance_types: [m4.large, m3.large]
    conferencing_instance_types: [c4.2xlarge, c3.2xlarge]
    port_profile: default
"""

# The first version that a row holds for, rows in ascending order.
TABLE: list[tuple[int, dict]] = [
    (
        0,  # guide, "Recommended instance types" and "Configuring AWS security groups"
        {
            "management_instance_types": ["m4.large", "m3.large"],
            "conferencing_instance_types": ["c4.2xlarge", "c3.2xlarge"],
            "port_profile": "default",
        },
    ),
    (
        28,  # at least 4 vCPU and 4 GB for a Management Node; TCP 80 and UDP from 33000 on
        {
            "management_instance_types": ["m6i.xlarge", "m5.xlarge", "m4.xlarge"],
            "conferencing_instance_types": ["c6i.2xlarge", "c5.2xlarge", "c4.2xlarge"],
            "port_profile": "current",
        },
    ),
]


def version_defaults(version: str) -> dict:
    """The table's row for a version such as 11.0.0; AnsibleFilterError for what is no version."""
    match = re.fullmatch(r"(\d+)(\.\d+)*", str(version))
    if not match:
        raise AnsibleFilterError(f"pexip_version {version!r} is not a version such as 11.0.0.")
    row = [values for since, values in TABLE if since <= int(match[1])][-1]
    return {key: list(value) if isinstance(value, list) else value for key, value in row.items()}


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"version_defaults": version_defaults}
