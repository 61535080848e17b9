# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Desired and current state make a plan; carrying the plan out is another function.

`plan` is pure. `Platform` does the reading (look-up by identity, references by name) and `apply` the writing.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from .client import MISREAD, Client, PexipError, is_uri, resource_path
from .masking import MASK, without_secrets
from .names import is_ip
from .resource import Field, Resource, name_field

NAMES_SHOWN = 20  # how many existing names an error lists
CREATE_ATTEMPTS = 3


@dataclass(frozen=True)
class Change:
    """One field that differs: its wire value ``before`` and ``after``."""

    field: Field
    before: Any
    after: Any


@dataclass(frozen=True)
class Plan:
    """What has to be done: ``action`` is none, create, update or delete; ``payload`` is what would be sent."""

    action: str
    payload: dict[str, Any] = dataclass_field(default_factory=dict)
    changes: tuple[Change, ...] = ()


@dataclass
class Result:
    """What was found and done: ``current`` is the object as the API gives it (predicted in check mode), None when absent."""

    plan: Plan
    before: dict[str, Any] | None
    current: dict[str, Any] | None
    text: str | None = None  # the body of a creation's answer: a Conferencing Node's configuration document

    @property
    def changed(self) -> bool:
        """Whether anything was or would be changed."""
        return self.plan.action != "none"


def canonical(field: Field, value: Any) -> Any:
    """A wire value in the one form that comparison uses: references as URIs, lists without order as sets."""
    if field.many is not None:
        members = [uri_of(field, item) for item in value or []]
        return tuple(members) if field.ordered else frozenset(members)
    if field.ref is not None:
        return uri_of(field, value) or None
    if field.items is not None:
        members = [str(item.get(field.items)) if isinstance(item, dict) else str(item) for item in value or []]
        return tuple(members) if field.ordered else frozenset(members)
    if field.type == "list":
        return list(value or [])
    if field.ip and isinstance(value, str) and is_ip(value):
        return str(ipaddress.ip_address(value))
    if field.nullable and field.type == "str" and value == "":
        return None  # a nullable text is empty either way
    return value


def uri_of(field: Field, value: Any) -> Any:
    """The URI of what a reference field holds: the URI itself, or an object (some have an id and no ``resource_uri``)."""
    if not isinstance(value, dict):
        return value
    key = value.get("id")
    return value.get("resource_uri") or (None if key is None else resource_path(str(field.target), key))


def to_wire(field: Field, value: Any) -> Any:
    """A value as a request carries it."""
    if field.items is not None:
        return [{field.items: item} for item in value]
    return None if field.nullable and value == "" else value


def plan(
    resource: Resource,
    desired: dict[str, Any] | None,
    current: dict[str, Any] | None,
    *,
    update_secrets: str = "on_create",
) -> Plan:
    """What turns ``current`` (an object as GET gives it, or None) into ``desired`` (wire values, or None for absent).

    Fields left out of ``desired`` are left alone. Fields that GET does not give back are sent at creation, and later only
    when ``update_secrets`` is ``always`` or the field they go with changes. Raises PexipError for a missing required
    field, for a change of an immutable one, and for a singleton that should come or go.
    """
    if desired is None:
        if resource.singleton:
            raise PexipError(f"{resource.noun} cannot be absent: it can only be changed")
        return Plan("delete") if current is not None else Plan("none")
    if current is None:
        return _creation(resource, desired)
    changes, frozen = [], []
    for name, value in desired.items():
        field = resource.by_name[name]
        if not field.readable:
            continue
        if name not in current:
            raise PexipError(
                f"{resource.label(current)}: this Management Node's version has no field {field.option}; leave it out"
            )
        before, after = canonical(field, current.get(name)), canonical(field, value)
        if before == after:
            continue
        if field.immutable:
            frozen.append(f"{field.option} is {before!r} and cannot become {after!r}")
        changes.append(Change(field, current.get(name), value))
    if frozen:
        raise PexipError(
            f"{resource.label(current)}: {'; '.join(frozen)}: this is fixed at creation. "
            "Give the present value, or remove the object (state absent) and create it anew"
        )
    changed = {change.field.name for change in changes}
    hidden = (resource.by_name[name] for name in desired if not resource.by_name[name].readable)
    changes += [
        Change(field, None, desired[field.name])
        for field in hidden
        if update_secrets == "always" or field.sent_with in changed
    ]
    payload = {change.field.name: to_wire(change.field, change.after) for change in changes}
    return Plan("update" if changes else "none", payload, tuple(changes))


def _creation(resource: Resource, desired: dict[str, Any]) -> Plan:
    if resource.singleton:
        raise PexipError(f"{resource.noun} does not exist on this Management Node and cannot be created")
    # Null is sent where it is a value: the server's default may be another.
    given = {name: value for name, value in desired.items() if value is not None or resource.by_name[name].nullable}
    missing = [field.option for field in resource.fields if field.required and given.get(field.name) is None]
    if missing:
        raise PexipError(f"{resource.label(desired)} does not exist yet; to create it give {', '.join(missing)}")
    changes = tuple(Change(resource.by_name[name], None, value) for name, value in given.items())
    return Plan("create", {change.field.name: to_wire(change.field, change.after) for change in changes}, changes)


def predict(resource: Resource, made: Plan, current: dict[str, Any] | None) -> dict[str, Any] | None:
    """The object that a plan leads to, for check mode: never with an invented id."""
    if made.action == "delete":
        return None
    base = current
    if made.action == "create":
        base = {
            field.name: [] if field.is_list and field.default is None else field.default
            for field in resource.fields
            if field.readable
        }
        base |= {"id": None, "resource_uri": None}
    return {
        **(base or {}),
        **{change.field.name: to_wire(change.field, change.after) for change in made.changes if change.field.readable},
    }


class Platform:
    """What is read of a platform: objects by identity and references by name.

    ``client`` None is an empty platform: a plan for a Management Node that does not exist yet. With ``check`` a
    reference to something that does not exist yet is a warning and stays a name. ``warnings`` collects these.
    """

    def __init__(self, client: Client | None, *, check: bool = False):
        self.client = client
        self.check = check
        self.warnings: list[str] = []
        self.names: dict[str, str] = {}  # URI -> the name it goes by, as far as we came across it
        self._objects: dict[str, list[dict[str, Any]]] = {}

    def find(self, resource: Resource, identity: dict[str, Any], *, whole: bool = False) -> dict[str, Any] | None:
        """The object with this identity, or None; one request. Raises PexipError when several have it.

        ``whole`` reads the whole list and keeps it, for references to objects of the same resource.
        Secret identities (a licence key) are matched here, never written into a URL, and so is what no list is filtered by
        and a name that a filter takes for a boolean or null.
        """
        if self.client is None:
            return None
        fields = ((resource.by_name[name], value) for name, value in identity.items())
        filters = {
            field.name: value
            for field, value in fields
            if field.filterable and not (field.secret or field.target or field.type == "str" and value in MISREAD)
        }
        objects = self._all(resource.name) if whole else self.client.list(resource_path(resource.name), filters)
        found = [
            item
            for item in objects
            if all(self.same(resource.by_name[name], item.get(name), value) for name, value in identity.items())
        ]
        if len(found) > 1:
            raise PexipError(
                f"{len(found)} objects are {resource.label(identity)}: ids {', '.join(str(item.get('id')) for item in found)}. Identify one by more fields"
            )
        return found[0] if found else None

    @staticmethod
    def same(field: Field, actual: Any, wanted: Any) -> bool:
        """Whether a field of an object holds the value that names it."""
        if field.secret and isinstance(actual, str) and isinstance(wanted, str):
            return "".join(actual.split()) == "".join(
                wanted.split()
            )  # API fact: a licence key comes back without its spaces
        if field.target or field.ip:
            return canonical(field, actual) == canonical(field, wanted)
        return str(actual) == str(wanted)

    def singleton(self, resource: Resource) -> dict[str, Any] | None:
        """The one object of a singleton resource; one request."""
        if self.client is None:
            return predict(resource, Plan("create"), None)
        return self.client.get(resource_path(resource.name, 1))

    def remember(self, resource: Resource, item: dict[str, Any]) -> None:
        """Keeps the names that an object and the objects nested in it go by."""
        for field in resource.fields:
            if field.target:
                value = item.get(field.name)
                for nested in value if isinstance(value, list) else [value]:
                    if isinstance(nested, dict) and (uri := uri_of(field, nested)):
                        self.names[uri] = str(nested.get(name_field(field.target), uri))

    def resolve(self, resource: Resource, desired: dict[str, Any], current: dict[str, Any] | None) -> dict[str, Any]:
        """``desired`` with its references as URIs; what GET already nests under the same name costs no request."""
        resolved = dict(desired)
        owner = resource.label({**(current or {}), **desired})
        for name, value in desired.items():
            field, present = resource.by_name[name], (current or {}).get(name)
            if field.ref and value not in (None, ""):
                resolved[name] = self.reference(owner, field, value, present)
            elif field.many and value is not None:
                resolved[name] = [self.reference(owner, field, item, present) for item in value]
        return resolved

    def reference(self, owner: str, field: Field, value: Any, current: Any = None) -> str:
        """The URI of what a reference means: a URI, an id or a name. Raises PexipError that lists what exists.

        ``owner`` is what messages call the object that holds it.
        """
        target, text, where = str(field.target), str(value), f"{owner}: {field.option}"
        if is_uri(text):
            if not text.startswith(resource_path(target)):
                raise PexipError(f"{where}: {text} is not a {target}")
            return text
        for nested in current if isinstance(current, list) else [current]:
            if isinstance(nested, dict) and text == nested.get(name_field(target)):
                return uri_of(field, nested)
        objects = self._all(target)
        for key in (name_field(target), "id"):
            matches = [item for item in objects if item.get(key) is not None and str(item[key]) == text]
            if len(matches) == 1:
                self.names[matches[0]["resource_uri"]] = str(matches[0].get(name_field(target)))
                return matches[0]["resource_uri"]
            if matches:
                raise PexipError(
                    f"{where}: {len(matches)} objects of {target} are called {text!r}; give the id: {', '.join(str(item['id']) for item in matches)}"
                )
        existing = [str(item.get(name_field(target), item.get("id"))) for item in objects]
        message = f"{where}: there is no {target} {text!r}. {listing(text, existing)}"
        if not self.check:
            raise PexipError(message)
        self.warnings.append(f"{message} (in check mode: it may come to exist before this task runs)")
        return text

    def _all(self, target: str) -> list[dict[str, Any]]:
        if target not in self._objects:
            self._objects[target] = [] if self.client is None else self.client.list(resource_path(target))
        return self._objects[target]

    def present(self, resource: Resource, item: dict[str, Any] | None) -> dict[str, Any] | None:
        """An object as a module returns it: references as names where known, nothing secret."""
        if item is None:
            return None
        shown = without_secrets({name: value for name, value in item.items() if name not in resource.by_name})
        for field in resource.fields:
            if field.name in item and field.readable and not field.secret:
                shown[field.name] = self.display(field, item[field.name])
        return shown

    def display(self, field: Field, value: Any) -> Any:
        """A wire value as a person reads it."""
        if field.items is not None:
            return [item.get(field.items) if isinstance(item, dict) else item for item in value or []]
        if field.target and isinstance(value, list):
            return [self.display(field, item) for item in value]
        if field.target:
            uri = uri_of(field, value)
            return self.names.get(uri, uri)
        return value

    def diff(self, resource: Resource, made: Plan, current: dict[str, Any] | None) -> dict[str, dict[str, Any]]:
        """Before and after of the changed fields alone, secrets masked."""
        if made.action == "delete":
            return {"before": self.present(resource, current) or {}, "after": {}}
        before, after = {}, {}
        for change in made.changes:
            hidden = change.field.secret or not change.field.readable
            after[change.field.name] = (
                MASK if change.field.secret else self.display(change.field, to_wire(change.field, change.after))
            )
            if made.action == "update":
                before[change.field.name] = (
                    f"{MASK} (not shown)" if hidden else self.display(change.field, change.before)
                )
        return {"before": before, "after": after}


def listing(wanted: str, existing: list[str]) -> str:
    """What exists, nearest to what was wanted first."""
    import difflib  # for errors alone

    if not existing:
        return "None exists."
    near = difflib.get_close_matches(wanted, existing, n=3, cutoff=0.5)
    ordered = near + sorted(name for name in existing if name not in near)
    more = f" and {len(ordered) - NAMES_SHOWN} more" if len(ordered) > NAMES_SHOWN else ""
    return f"Existing: {', '.join(repr(name) for name in ordered[:NAMES_SHOWN])}{more}."


def apply(
    platform: Platform, resource: Resource, made: Plan, current: dict[str, Any] | None, identity: dict[str, Any]
) -> Result:
    """Carries a plan out (or, on a platform in check mode, predicts its outcome); an error names the object."""
    try:
        return _carry_out(platform, resource, made, current, identity)
    except PexipError as error:
        raise error.about(resource.label(identity)) from None


def _carry_out(
    platform: Platform, resource: Resource, made: Plan, current: dict[str, Any] | None, identity: dict[str, Any]
) -> Result:
    if made.action == "none":
        return Result(made, current, current)
    if platform.check:
        return Result(made, current, predict(resource, made, current))
    client = platform.client
    if client is None:
        raise PexipError("host is required: the address of the Management Node (option host or PEXIP_HOST)")
    if made.action == "delete":
        client.delete(current["resource_uri"])  # type: ignore[index]
        return Result(made, current, None)
    if made.action == "update":
        uri = current["resource_uri"]  # type: ignore[index]
        client.patch(uri, made.payload)
        return Result(made, current, _read_back(platform, resource, uri))
    return _create(platform, client, resource, made, identity)


def _create(platform: Platform, client: Client, resource: Resource, made: Plan, identity: dict[str, Any]) -> Result:
    for attempt in range(1, CREATE_ATTEMPTS + 1):
        try:
            answer = client.post(resource_path(resource.name), made.payload)
        except PexipError as error:
            if not error.lost and attempt == 1:
                raise
            # A repeated POST may be refused because the first one took effect after all, only late.
            found = platform.find(resource, identity)
            if found is not None:
                # The creation (ours, or one that ran beside it) took effect: what differs from the wish is put right.
                rest = plan(resource, {change.field.name: change.after for change in made.changes}, found)
                return Result(made, None, apply(platform, resource, rest, found, identity).current)
            if not error.lost or attempt == CREATE_ATTEMPTS:
                raise
            continue
        if answer.location and is_uri(answer.location):
            return Result(made, None, _read_back(platform, resource, answer.location), answer.text)
        found = platform.find(resource, identity)
        if found is None:
            raise PexipError(
                f"{resource.label(identity)}: its creation was answered with status {answer.status}, yet it does not exist",
                status=answer.status,
            )
        return Result(made, None, found, answer.text)
    raise AssertionError("unreachable: the last attempt returns or raises")


def _read_back(platform: Platform, resource: Resource, uri: str) -> dict[str, Any]:
    item = platform.client.get(uri)  # type: ignore[union-attr]
    platform.remember(resource, item)
    return item


def read(
    platform: Platform, resource: Resource, identity: dict[str, Any], desired: dict[str, Any] | None = None
) -> dict[str, Any] | None:
    """The present object, or None; ``desired`` tells what else of the resource will be asked for."""
    whole = any(resource.by_name[name].target == resource.name and value for name, value in (desired or {}).items())
    try:
        current = platform.singleton(resource) if resource.singleton else platform.find(resource, identity, whole=whole)
    except PexipError as error:
        raise error.about(resource.label(identity)) from None
    if current is not None:
        platform.remember(resource, current)
    return current


def settle(
    platform: Platform,
    resource: Resource,
    current: dict[str, Any] | None,
    desired: dict[str, Any] | None,
    *,
    update_secrets: str = "on_create",
) -> Plan:
    """The plan for an object that was read; ``desired`` as the operator wrote it, None for absent."""
    wish = None if desired is None else platform.resolve(resource, desired, current)
    return plan(resource, wish, current, update_secrets=update_secrets)


def converge(
    platform: Platform,
    resource: Resource,
    identity: dict[str, Any],
    desired: dict[str, Any] | None,
    *,
    update_secrets: str = "on_create",
) -> Result:
    """Reads, plans and carries out for one object."""
    current = read(platform, resource, identity, desired)
    return apply(
        platform,
        resource,
        settle(platform, resource, current, desired, update_secrets=update_secrets),
        current,
        identity,
    )
