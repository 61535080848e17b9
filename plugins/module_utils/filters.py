# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of a list, which the platform evaluates: what it would ignore or misread is refused here."""

from __future__ import annotations

from typing import Any

from .client import MISREAD, Client, PexipError
from .converge import listing
from .masking import is_secret


def field_of(name: str) -> str:
    """The field of a filter: what stands before its look-up."""
    return name.split("__")[0]


def check_names(filters: dict[str, Any], option: str = "filters") -> None:
    """Raises PexipError for filters that are none, whatever the resource; ``option`` is what the error calls them."""
    paging = sorted({"limit", "offset", "format"} & set(filters))
    if paging:
        raise PexipError(f"{option}: {', '.join(paging)} is no field; every page is read anyway")
    empty = sorted(name for name, value in filters.items() if value is None or value == [])
    if empty:
        raise PexipError(f"{option}: {', '.join(empty)} has no value, so it would filter nothing")
    secret = sorted(name for name in filters if is_secret(field_of(name)))
    if secret:
        raise PexipError(f"{option}: {', '.join(secret)} is secret, and filters are part of a URL, which servers log")


def check_fields(client: Client, path: str, resource: str, filters: dict[str, Any], option: str = "filters") -> None:
    """Raises PexipError for what the platform would ignore (no field) or misread, and so give other objects.

    Asks for the schema of the resource, at ``path``, in one request.
    """
    known = client.get(path + "schema/")["fields"]
    unknown = [
        f"{field_of(name)!r} is not a field of {resource}. {listing(name, list(known))}"
        for name in filters
        if field_of(name) not in known
    ]
    misread = [
        f"{name}: the platform takes {value!r} for a boolean or null, not for a text; give {field_of(name)}__regex: '^{value}$'"
        for name, value in filters.items()
        if value in MISREAD and (known.get(field_of(name)) or {}).get("type") == "string"
    ]
    if unknown or misread:
        raise PexipError(f"{option}: {'; '.join(unknown + misread)}")


def answered(rows: list[dict[str, Any]], filters: dict[str, Any]) -> bool:
    """Whether an answer itself shows that its filters took effect: its rows have all their fields, and none is misread.

    Then the schema need not be asked for.
    """
    fields = rows[0] if rows else {}
    return all(field_of(name) in fields and value not in MISREAD for name, value in filters.items())
