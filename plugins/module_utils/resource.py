# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an API resource is: its name, its identity and a table of fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .names import FORMS, is_ip, quoted

LARGEST = 2**63 - 1  # of any number: more than a database keeps

# What a person calls an object of a resource whose name is not in a field "name" (API facts, configuration.json).
NAME_FIELDS = {
    "automatic_participant": "alias",
    "conference_alias": "alias",
    "device": "alias",
    "dns_server": "address",
    "end_user": "primary_email_address",
    "exchange_domain": "domain",
    "external_webapp_host": "address",
    "licence": "entitlement_id",
    "media_processing_server": "fqdn",
    "ntp_server": "address",
    "oauth2_client": "client_name",
    "recurring_conference": "subject",
    "scheduled_alias": "alias",
    "scheduled_conference": "subject",
    "scheduled_scaling": "policy_name",
    "software_bundle_revision": "version",
    "ssh_authorized_key": "comment",
    "syslog_server": "address",
    "tls_certificate": "subject_name",
    "webapp_alias": "slug",
}


def name_field(resource: str) -> str:
    """The field by which objects of a resource are referred to: ``address`` for ``dns_server``, mostly ``name``."""
    return NAME_FIELDS.get(resource, "name")


@dataclass(frozen=True)
class Field:
    """One field of a resource; the options' spec, the payload, the comparison and the masking come from it.

    ``type`` is the Ansible option type; ``ref`` and ``many`` name the resource that the field refers to (one, a list).
    ``required`` holds for creation. ``readable=False``: GET gives the value not at all or hashed, so it cannot be compared.
    ``default`` predicts a creation and is never sent. ``minimum``/``maximum`` bound a number, ``excluded`` is a hole between
    them, ``min_length``/``max_length`` bound a text. ``ordered``: the list's order matters. ``items="value"``: a list of
    ``{"value": x}`` objects, shown as a list of x. ``sent_with`` names a field whose change sends this unreadable one too.
    ``filterable=False``: lists cannot be filtered by it. ``form``: what the text has to be (names.FORMS).
    ``drops_calls``: a change drops the calls of a Conferencing Node. ``alias``: the module option's name where the API's
    own is taken (a Conferencing Node's password beside the connection's).
    """

    name: str
    type: str = "str"
    ref: str | None = None
    many: str | None = None
    required: bool = False
    secret: bool = False
    readable: bool = True
    immutable: bool = False
    nullable: bool = False
    default: Any = None
    choices: tuple[str, ...] | list[str] | None = None
    minimum: int | None = None
    maximum: int | None = None
    excluded: tuple[int, int] | list[int] | None = None
    min_length: int | None = None
    max_length: int | None = None
    ordered: bool = False
    items: str | None = None
    ip: bool = False
    form: str | None = None
    filterable: bool = True
    drops_calls: bool = False
    sent_with: str | None = None
    alias: str | None = None

    @property
    def option(self) -> str:
        """The name of the module option."""
        return self.alias or self.name

    @property
    def target(self) -> str | None:
        """The resource that the field refers to, or None."""
        return self.ref or self.many

    @property
    def is_list(self) -> bool:
        """Whether the option takes a list."""
        return self.many is not None or self.items is not None or self.type == "list"

    def spec(self) -> dict[str, Any]:
        """The field's entry in a module's argument spec (never with a default: that would reset values on update)."""
        spec: dict[str, Any] = {"type": "list", "elements": "str"} if self.is_list else {"type": self.type}
        if self.choices:
            spec["choices"] = list(self.choices)
        # Said even where it is false: Ansible otherwise guesses from names such as snmp_community or aws_access_key.
        spec["no_log"] = self.secret
        return spec

    def cleared(self) -> Any:
        """The value that ``clear`` sends; raises ValueError where the field cannot be without one."""
        if self.required or (self.choices and not self.nullable):
            raise ValueError(f"{self.option} cannot be cleared: it must have a value")
        if self.is_list:
            return []
        if self.nullable:
            return None
        if self.type == "str" and not self.ref and not self.min_length:
            return ""
        raise ValueError(
            f"{self.option} cannot be cleared: it has no empty value; set it instead"
            + (f" (its default is {self.default!r})" if self.default is not None else "")
        )

    def problem(self, value: Any) -> str | None:
        """Why a value would be refused, naming field and value (a secret only by its length), or None."""
        if value is None or self.is_list or isinstance(value, bool):
            return None
        shown = f"the value of {len(value)} characters" if self.secret and isinstance(value, str) else quoted(value)
        if self.target:
            return f"{self.option} is empty; it needs a value" if self.required and not str(value).strip() else None
        if isinstance(value, (int, float)):
            if isinstance(value, int) and abs(value) > LARGEST:
                return f"{self.option}: {shown} is larger than any number the platform keeps"
            if self.minimum is not None and value < self.minimum or self.maximum is not None and value > self.maximum:
                return f"{self.option}: {value} is out of range; allowed are values of {bounds(self.minimum, self.maximum)}"
            if self.excluded and self.excluded[0] <= value <= self.excluded[1]:
                return f"{self.option}: {value} is not allowed: {self.excluded[0]} to {self.excluded[1]} are refused"
        if isinstance(value, str):
            if value == "" and not self.required:
                return None
            if any(ord(char) < 32 and char not in "\t\r\n" for char in value):
                return f"{self.option}: {shown} holds control characters"
            if self.required and not value.strip():
                return f"{self.option} is empty; it needs a value"
            if not (self.min_length or 0) <= len(value) <= (self.max_length or len(value)):
                return f"{self.option}: {shown} is {len(value)} characters long; allowed are {bounds(self.min_length, self.max_length)}"
            if self.ip and not is_ip(value):
                return f"{self.option}: {shown} is not an IP address"
            if self.form and not FORMS[self.form][0](value):
                return f"{self.option}: {shown} is not {FORMS[self.form][1]}"
            if self.choices and value not in self.choices:
                return f"{self.option}: {shown} is not one of {', '.join(self.choices)}"
        return None


@dataclass(frozen=True)
class Resource:
    """An API resource: ``name``, the fields that name an object to a person (``identity``) and all its ``fields``.

    ``singleton``: one object at ``/1/`` that can be changed but neither created nor deleted. ``title`` is what messages
    call it. ``deprecated`` fields exist in the API and are refused here.
    """

    name: str
    identity: tuple[str, ...]
    fields: tuple[Field, ...] | list[Field]
    singleton: bool = False
    title: str = ""
    deprecated: tuple[str, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, Field]:
        """The fields by their names."""
        return {field.name: field for field in self.fields}

    @property
    def noun(self) -> str:
        """What messages call an object of this resource."""
        return self.title or self.name

    def label(self, values: dict[str, Any]) -> str:
        """How messages name one object: ``system location 'London'``."""
        shown = (key for key in self.identity if values.get(key) is not None and not self.by_name[key].secret)
        named = [quoted(values[key]) for key in shown]
        return " ".join([self.noun, *named])


def bounds(low: int | None, high: int | None) -> str:
    """A range in words."""
    if low is None:
        return f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"
