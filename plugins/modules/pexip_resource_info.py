#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of any resource of the management API."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_resource_info
short_description: Read objects of any resource of a Pexip Infinity platform
description:
  - Reads the objects of a resource of the management API, all of them or those that match filters, page by page.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes.info
requirements:
  - requests >= 2.31
options:
  resource:
    description:
      - Name of the resource as the API has it, for example V(system_location). An unknown name is an error that lists
        the resources that exist, nearest first.
    type: str
    required: true
  family:
    description:
      - Which part of the API the resource belongs to.
    type: str
    choices: [configuration, status, history]
    default: configuration
  filters:
    description:
      - >-
        The fields, with the values, that the objects must have. A lookup can follow the field's name after two
        underscores, for example V({"name__startswith": "AWS"}). The platform evaluates them.
      - An unknown field is an error that lists the fields that exist, nearest first; finding it out costs one request,
        for the schema.
      - Null is refused, since it would filter nothing, and so are secret fields, since servers log URLs.
    type: dict
    default: {}
seealso:
  - module: pexip.infinity.pexip_resource
  - module: pexip.infinity.pexip_node_info
"""

EXAMPLES = r"""
- name: Every system location
  pexip.infinity.pexip_resource_info:
    resource: system_location

- name: The locations whose names begin with AWS
  pexip.infinity.pexip_resource_info:
    resource: system_location
    filters:
      name__startswith: AWS

- name: How many licences are in use
  pexip.infinity.pexip_resource_info:
    family: status
    resource: licensing
"""

RETURN = r"""
resources:
  description:
    - The objects as the platform gives them, without the fields whose names say that they are secret.
  type: list
  elements: dict
  returned: success
  sample:
    - id: 1
      address: 8.8.8.8
      description: ""
      resource_uri: /api/admin/configuration/v1/dns_server/1/
"""

from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.client import (
    ROOT,
    Client,
    PexipError,
    resource_path,
)
from ansible_collections.pexip.infinity.plugins.module_utils.converge import listing
from ansible_collections.pexip.infinity.plugins.module_utils.filters import check_fields, check_names
from ansible_collections.pexip.infinity.plugins.module_utils.masking import without_secrets
from ansible_collections.pexip.infinity.plugins.module_utils.module import InfinityModule

OPTIONS = {
    "resource": {"type": "str", "required": True},
    "family": {"type": "str", "choices": ["configuration", "status", "history"], "default": "configuration"},
    "filters": {"type": "dict", "default": {}},
}


def read(client: Client, resource: str, family: str, filters: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects; raises PexipError that lists what exists for an unknown resource."""
    try:
        path = resource_path(resource, family=family)
    except ValueError as error:
        raise PexipError(f"resource: {error}") from None
    check_names(filters)
    try:
        if filters:
            check_fields(client, path, resource, filters)
        return client.list(path, filters)
    except PexipError as error:
        if error.status != 404:
            raise
        existing = sorted(client.get(ROOT.format(family=family)))
        raise PexipError(
            f"resource: there is no {family} resource {resource!r}. {listing(resource, existing)}", status=404
        ) from None


def main() -> None:
    """Entry point of the module."""
    module = InfinityModule(OPTIONS)
    params = module.params
    try:
        client = module.client()
        found = read(client, params["resource"], params["family"], params["filters"]) if client else []
    except PexipError as error:
        module.fail(error)
    module.exit(changed=False, resources=without_secrets(found))


if __name__ == "__main__":
    main()
