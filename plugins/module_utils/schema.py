# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A resource's table out of the server's own schema, for the generic modules."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from .client import Client, PexipError, resource_path
from .converge import listing
from .masking import MASK, is_secret
from .resource import Field, Resource

TYPES = {"integer": "int", "boolean": "bool", "float": "float", "list": "list", "dict": "dict"}
NO_DEFAULT = "No default provided."  # what the API's framework says in a schema

# Secrets that GET gives back as they are, so they can be compared (API facts without a "readback").
READABLE_SECRETS = (
    "entitlement_id",
    "guest_pin",
    "key",
    "pin",
    "secondary_config_passphrase",
    "snmp_community",
    "snmp_trap_community",
)
# References whose target neither the schema nor the field's own name tells (API facts, "to").
TARGETS = {
    "aliases": "conference_alias",
    "attributes": "identity_provider_attribute",
    "autodiscover_urls": "mjx_exchange_autodiscover_url",
    "branding": "webapp_branding",
    "bundle": "software_bundle_revision",
    "default_theme": "ivr_theme",
    "default_webapp_alias": "webapp_alias",
    "domains": "exchange_domain",
    "endpoint_groups": "mjx_endpoint_group",
    "endpoints": "mjx_endpoint",
    "exchange_connector": "ms_exchange_connector",
    "exchange_deployment": "mjx_exchange_deployment",
    "google_deployment": "mjx_google_deployment",
    "graph_deployment": "mjx_graph_deployment",
    "media": "media_library_entry",
    "media_playlist": "media_library_playlist",
    "playlist": "media_library_playlist",
    "playlist_entries": "media_library_playlist_entry",
    "selected_revision": "software_bundle_revision",
    "tls_client_certificate": "tls_certificate",
    "users": "end_user",
}
TARGET_ENDINGS = ("identity_provider_group", "stun_server", "turn_server")
LOCATION_FIELDS = re.compile(r"location|live_captions_dial_out")


def target_of(name: str, facts: dict[str, Any]) -> str:
    """The resource that a reference means: by the schema, else by the field's name."""
    match = re.search(r"/v1/([a-z0-9_]+)/schema/$", str(facts.get("related_schema") or ""))
    if match:
        return match.group(1)
    if name in TARGETS:
        return TARGETS[name]
    singular = name[:-1] if name.endswith("s") and facts.get("related_type") == "to_many" else name
    for ending in TARGET_ENDINGS:
        if singular.endswith(ending):
            return ending
    return "system_location" if LOCATION_FIELDS.search(singular) else singular


def choices_of(facts: dict[str, Any]) -> tuple[str, ...] | None:
    """The texts that a field may hold, where the schema lists them."""
    listed = facts.get("valid_choices") or []
    return tuple(listed) if listed and all(isinstance(choice, str) for choice in listed) else None


def to_field(name: str, facts: dict[str, Any], lookups: list[str] | int | None = None) -> Field:
    """A table entry from one field of a schema; bounds are left to the server, which knows them.

    ``lookups``: what the schema says of filtering by the field, a list of them or a number for all; None for nothing.
    """
    target = {"to_one": "ref", "to_many": "many"}.get(facts.get("related_type") or "")
    default = facts.get("default")
    return Field(
        name,
        TYPES.get(facts.get("type", ""), "str"),
        nullable=bool(facts.get("nullable")),
        choices=choices_of(facts),
        default=None if default == NO_DEFAULT else default,
        secret=is_secret(name),
        readable=not is_secret(name) or name in READABLE_SECRETS,
        filterable=bool(lookups) and (not isinstance(lookups, list) or "exact" in lookups),
        **({target: target_of(name, facts)} if target else {}),
    )


@dataclasses.dataclass(frozen=True)
class Schema:
    """What the server says of a resource: its table, the fields it refuses to take and the methods it allows."""

    resource: Resource
    readonly: frozenset[str]
    can_create: bool
    can_change: bool
    can_delete: bool

    def check(self, option: str, values: dict[str, Any]) -> dict[str, Any]:
        """Values with the field's types; raises PexipError that names every unknown, read-only or malformed field."""
        checked, problems = {}, []
        for name, value in values.items():
            field = self.resource.by_name.get(name)
            if field is None:
                problems.append(
                    f"{name!r} is not a field of {self.resource.name}. {listing(str(name), list(self.resource.by_name))}"
                )
            elif name in self.readonly and option == "settings":
                problems.append(f"{name} is read-only")
            else:
                try:
                    checked[name] = coerce(field, value)
                    if value is None and option == "settings":
                        checked[name] = field.cleared()
                    elif problem := field.problem(checked[name]):
                        problems.append(problem)
                except (TypeError, ValueError) as error:
                    if value is None:
                        problems.append(str(error))
                        continue
                    shown = MASK if field.secret else repr(value)
                    problems.append(f"{name}: {shown} is not {'a list' if field.is_list else f'of type {field.type}'}")
        if problems:
            raise PexipError(f"{option}: {'; '.join(problems)}")
        return checked

    def visible(self, current: dict[str, Any] | None) -> Resource:
        """The table as far as an object shows it: what GET leaves out cannot be compared."""
        if current is None:
            return self.resource
        fields = [
            dataclasses.replace(field, readable=field.readable and field.name in current)
            for field in self.resource.fields
        ]
        return dataclasses.replace(self.resource, fields=fields)


def coerce(field: Field, value: Any) -> Any:
    """A value of a settings dict in the field's type; raises TypeError or ValueError where it is none."""
    if value is None:
        return None
    if field.is_list:
        if not isinstance(value, list):
            raise TypeError(value)
        return value
    if field.type == "bool":
        return boolean(value)
    if field.type == "int":
        if isinstance(value, (bool, float)):
            raise TypeError(value)
        return int(value)
    if field.type == "float":
        number = float(value)
        if not math.isfinite(number):  # JSON has no such number
            raise ValueError(value)
        return number
    if field.type == "dict":
        if not isinstance(value, dict):
            raise TypeError(value)
        return value
    if isinstance(value, (dict, list, bool)):
        raise TypeError(value)
    return str(value)


def load(client: Client, name: str, identity: dict[str, Any]) -> Schema:
    """Reads a resource's schema; raises PexipError that lists what exists, nearest first, for an unknown one."""
    try:
        path = resource_path(name)
        facts = client.get(path + "schema/")
    except ValueError as error:
        raise PexipError(f"resource: {error}") from None
    except PexipError as error:
        if error.status != 404:
            raise
        existing = sorted(client.get("/api/admin/configuration/v1/"))
        raise PexipError(
            f"resource: there is no configuration resource {name!r}. {listing(name, existing)}", status=404
        ) from None
    lookups = facts.get("filtering") or {}
    fields = [to_field(key, value, lookups.get(key)) for key, value in facts["fields"].items()]
    on_list = facts.get("allowed_list_http_methods") or ["get", "post"]
    on_object = facts.get("allowed_detail_http_methods") or ["get", "patch", "delete"]
    return Schema(
        Resource(name, identity=tuple(identity), fields=fields),
        readonly=frozenset(
            key for key, value in facts["fields"].items() if value.get("readonly") or key in ("id", "resource_uri")
        ),
        can_create="post" in on_list,
        can_change="patch" in on_object,
        can_delete="delete" in on_object,
    )
