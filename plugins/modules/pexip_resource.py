#!/usr/bin/python
# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any configuration resource, by the server's own schema."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pexip_resource
short_description: Manage any configuration object of a Pexip Infinity platform
description:
  - Creates, changes or deletes one object of any resource of the management configuration API, such as a DNS server, a
    Virtual Meeting Room, a licence or a role.
  - The fields and their types come from the Management Node's own schema, so the module knows what the platform's
    version knows. Where a typed module exists, such as M(pexip.infinity.pexip_location), prefer it. It checks more
    before it changes anything, and only M(pexip.infinity.pexip_node) looks whether a node carries conferences.
version_added: 0.1.0
author:
  - The pexip.infinity authors (!UNKNOWN)
extends_documentation_fragment:
  - pexip.infinity.connection
  - pexip.infinity.attributes
  - pexip.infinity.semantics.secrets
requirements:
  - requests >= 2.31
notes:
  - Fields that are left out are left alone; a null clears a field, and so does an empty list.
  - A field whose name says that it is secret, or that the API does not give back, cannot be compared; see
    O(update_secrets). Such values are masked in every output.
  - A no-op costs two requests, for the schema and for the object, and one for each kind of object referred to by name
    that the API does not nest.
options:
  resource:
    description:
      - Name of the resource as the API has it, for example V(dns_server). An unknown name is an error that lists the
        resources that exist, nearest first.
    type: str
    required: true
  identity:
    description:
      - >-
        The fields, with their values, that name the object, for example V({"address": "8.8.8.8"}). More than one object
        with this identity is an error.
      - Left out only for resources that have exactly one object and cannot be created, such as V(authentication).
    type: dict
    default: {}
  settings:
    description:
      - The other fields and the values that they shall have. An object is created with both O(identity) and
        O(settings).
      - References to other objects are given by name (by address for DNS, NTP and syslog servers), by id or by URI.
      - Lists are compared whole; lists of references as sets.
    type: dict
    default: {}
  state:
    description:
      - Whether the object exists.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: pexip.infinity.pexip_resource_info
  - module: pexip.infinity.pexip_location
  - module: pexip.infinity.pexip_global_settings
"""

EXAMPLES = r"""
- name: A DNS server
  pexip.infinity.pexip_resource:
    resource: dns_server
    identity:
      address: 8.8.8.8
    settings:
      description: Public resolver

- name: A syslog server
  pexip.infinity.pexip_resource:
    resource: syslog_server
    identity:
      address: 10.0.0.50
    settings:
      port: 514
      transport: udp

- name: A policy profile, whose password is sent when it is created
  pexip.infinity.pexip_resource:
    resource: policy_server
    identity:
      name: Corporate policy
    settings:
      url: https://policy.example.com
      username: pexip
      password: "{{ lookup('ansible.builtin.env', 'PEXIP_POLICY_PASSWORD', default=undef()) }}"

- name: A location that uses both, by address and by name
  pexip.infinity.pexip_resource:
    resource: system_location
    identity:
      name: London
    settings:
      syslog_servers:
        - 10.0.0.50
      policy_server: Corporate policy

- name: Only accounts of the platform itself sign in, a setting of a resource that exists once
  pexip.infinity.pexip_resource:
    resource: authentication
    settings:
      source: LOCAL

- name: No NTP server at this address
  pexip.infinity.pexip_resource:
    resource: ntp_server
    identity:
      address: 10.0.0.99
    state: absent
"""

RETURN = r"""
resource:
  description:
    - The object as the platform holds it, with references by name where known and without secrets. Null when absent.
    - In check mode the predicted object; its C(id) and C(resource_uri) are null while it does not exist.
  type: dict
  returned: success
  sample:
    id: 3
    address: 8.8.8.8
    description: Public resolver
    resource_uri: /api/admin/configuration/v1/dns_server/3/
"""

from typing import Any

from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError, is_uri, resource_path
from ansible_collections.pexip.infinity.plugins.module_utils.converge import Plan, Platform, Result, apply, settle
from ansible_collections.pexip.infinity.plugins.module_utils.masking import (
    MASK,
    is_secret,
    leaves,
    masked,
    only_secrets,
    without_secrets,
)
from ansible_collections.pexip.infinity.plugins.module_utils.module import InfinityModule
from ansible_collections.pexip.infinity.plugins.module_utils.names import quoted
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource
from ansible_collections.pexip.infinity.plugins.module_utils.schema import Schema, load

OPTIONS = {
    "resource": {"type": "str", "required": True},
    # Both may hold secrets: Ansible logs neither, and ResourceModule shows them masked field by field.
    "identity": {"type": "dict", "default": {}, "no_log": True},
    "settings": {"type": "dict", "default": {}, "no_log": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "update_secrets": {"type": "str", "choices": ["always", "on_create"], "default": "on_create", "no_log": False},
}


class ResourceModule(InfinityModule):
    """One object of any resource."""

    def __init__(self) -> None:
        super().__init__(OPTIONS)
        given = {name: self.params[name] for name in ("identity", "settings")}
        plain = {str(value) for values in given.values() for value in leaves(without_secrets(values))}
        secret = {str(value) for values in given.values() for value in leaves(only_secrets(values))}
        self.forget_masks(plain - secret, **{name: masked(values) for name, values in given.items()})

    def converge(self, platform: Platform) -> tuple[Resource, Result]:
        """Brings the object to the desired state; raises PexipError for what the resource does not allow."""
        name, absent = self.params["resource"], self.params["state"] == "absent"
        identity, settings = self.params["identity"], self.params["settings"]
        both = sorted(set(identity) & set(settings))
        if both:
            raise PexipError(
                f"{', '.join(both)}: given in identity and in settings; identity names the object, settings change it"
            )
        if absent and not identity:
            raise PexipError(f"identity is required to delete an object of {name}: a whole list is never deleted")
        if platform.client is None:
            fields = [Field(key, secret=is_secret(key)) for key in {**identity, **settings}]
            resource = Resource(name, tuple(identity), fields)
            made = self._plan(platform, resource, None, {**identity, **settings})
            return resource, apply(platform, resource, made, None, identity)
        schema = load(platform.client, name, identity)
        identity, settings = schema.check("identity", identity), schema.check("settings", settings)
        check_identity(schema, identity)
        identity = platform.resolve(schema.resource, identity, None)
        current = platform.find(schema.resource, identity) if identity else self._only(platform, schema)
        resource = schema.visible(current)
        if current is not None:
            platform.remember(resource, current)
        elif not absent and {"id", "resource_uri"} & set(identity):
            named = " and ".join(sorted({"id", "resource_uri"} & set(identity)))
            raise PexipError(
                f"identity: there is no {resource.label(identity)}, and the platform itself gives out its {named}"
            )
        # What names an object and is read-only (a certificate's subject) follows from its settings.
        written = {key: value for key, value in identity.items() if key not in schema.readonly}
        made = self._plan(platform, resource, current, settings if current is not None else {**written, **settings})
        allowed, verb = {
            "none": (True, ""),
            "create": (schema.can_create, "created"),
            "update": (schema.can_change, "changed"),
            "delete": (schema.can_delete, "deleted"),
        }[made.action]
        if not allowed:
            raise PexipError(f"{resource.label(identity)} cannot be {verb}: the management API does not offer it")
        result = apply(platform, resource, made, current, identity)
        if made.action == "create" and not platform.check:
            check_made(resource, identity, result.current)
        return resource, result

    def _plan(
        self, platform: Platform, resource: Resource, current: dict[str, Any] | None, wish: dict[str, Any]
    ) -> Plan:
        desired = None if self.params["state"] == "absent" else wish
        return settle(platform, resource, current, desired, update_secrets=self.params["update_secrets"])

    @staticmethod
    def _only(platform: Platform, schema: Schema) -> dict[str, Any]:
        name = schema.resource.name
        objects = platform.client.list(resource_path(name)) if not schema.can_create else []
        if len(objects) != 1:
            raise PexipError(
                f"identity is required: {name} is no single object; give the fields that name the one you mean"
            )
        return objects[0]


def check_identity(schema: Schema, identity: dict[str, Any]) -> None:
    """Raises PexipError for fields that cannot tell one object from another."""
    empty = [key for key, value in identity.items() if value in (None, "", [])]
    if empty:
        raise PexipError(f"identity: {', '.join(empty)} has no value, so it names no object")
    unseen = [key for key in identity if not schema.resource.by_name[key].readable]
    if unseen:
        raise PexipError(f"identity: {', '.join(unseen)} is never given back, so it names no object")
    uri = identity.get("resource_uri")
    if uri is not None and not (is_uri(uri) and uri.startswith(resource_path(schema.resource.name))):
        raise PexipError(f"identity: resource_uri {quoted(uri)} is not the URI of one {schema.resource.name}")


def check_made(resource: Resource, identity: dict[str, Any], made: dict[str, Any] | None) -> None:
    """Raises PexipError for a new object that goes by another identity: the next run would make one more."""
    for key, value in identity.items():
        actual = (made or {}).get(key)
        if not Platform.same(resource.by_name[key], actual, value):
            shown = MASK if resource.by_name[key].secret else repr(actual)
            raise PexipError(
                f"{resource.label(identity)} was created, yet its {key} is {shown}: correct identity (its id is {(made or {}).get('id')})"
            )


def main() -> None:
    """Entry point of the module."""
    module = ResourceModule()
    try:
        platform = Platform(module.client(), check=module.check)
        resource, result = module.converge(platform)
    except PexipError as error:
        module.fail(error)
    module.report(platform, resource, result, "resource")


if __name__ == "__main__":
    main()
