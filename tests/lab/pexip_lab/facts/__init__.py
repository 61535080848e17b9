"""The facts of the management API, as drawn from public repositories: four JSON files and their loader."""

from __future__ import annotations

import functools
import json
import pathlib
from dataclasses import dataclass, field, fields
from typing import Any

FAMILIES = ("configuration", "status", "history", "command")

#: Stands for "the facts name no default", which differs from a default of None.
UNSET = type("Unset", (), {"__repr__": lambda self: "UNSET", "__bool__": lambda self: False})()


@dataclass(frozen=True)
class FieldFacts:
    """What is known of one field. An attribute that the facts leave out keeps the value given here."""

    name: str
    type: str
    to: str | None = None
    required: bool = False
    nullable: bool = False
    immutable: bool = False
    readonly: bool = False
    secret: bool = False
    deprecated: bool = False
    nested: bool = False
    min_length: int | None = None
    max_length: int | None = None
    min: int | None = None
    max: int | None = None
    excluded_range: tuple[int, int] | None = None
    choices: tuple[str, ...] = ()
    default: Any = UNSET
    format: str | None = None
    readback: str | None = None
    embedded: str | None = None
    item_fields: dict | None = None

    @property
    def related(self) -> bool:
        """Whether the field refers to one or more objects of another resource."""
        return self.type in ("related", "related_list")

    @property
    def many(self) -> bool:
        """Whether the field refers to a list of objects."""
        return self.type == "related_list"

    @property
    def hidden(self) -> bool:
        """Whether GET leaves the field out. A value that clients carry over themselves is taken as not given back."""
        return self.readback in ("absent", "carried", "create_only")


@dataclass(frozen=True)
class ResourceFacts:
    """What is known of one resource."""

    family: str
    name: str
    title: str
    path: str
    list_methods: tuple[str, ...]
    detail_methods: tuple[str, ...]
    fields: dict[str, FieldFacts] = field(hash=False)

    @property
    def parent(self) -> str | None:
        """The resource below whose objects this one is served: that of ``participant/<id>/media_stream/``."""
        return self.name.split("__")[0] if "<id>" in self.path else None


_KNOWN = {item.name for item in fields(FieldFacts)} - {"name"}


def _field(name: str, raw: dict) -> FieldFacts:
    known = {key: value for key, value in raw.items() if key in _KNOWN}
    for key in ("choices", "excluded_range"):
        if key in known:
            known[key] = tuple(known[key])
    return FieldFacts(name=name, **known)


@functools.cache
def load(family: str) -> dict[str, ResourceFacts]:
    """Read the facts of one family.

    Args:
        family: ``configuration``, ``status``, ``history`` or ``command``.

    Returns:
        The resources by name, in the order of the file. Not to be changed: it is read once.
    """
    text = (pathlib.Path(__file__).parent / f"{family}.json").read_text(encoding="utf-8")
    return {
        name: ResourceFacts(
            family=family,
            name=name,
            title=raw["title"],
            path=raw["path"],
            list_methods=tuple(raw["list_methods"]),
            detail_methods=tuple(raw["detail_methods"]),
            fields={key: _field(key, value) for key, value in raw["fields"].items()},
        )
        for name, raw in json.loads(text).items()
    }
