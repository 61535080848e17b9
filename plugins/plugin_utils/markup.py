# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTML made of elements, in which text is escaped unless it is markup already: nothing can be forgotten."""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any

VOID = ("meta", "link", "br", "hr")


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def text(value: Any) -> Markup:
    """A value as HTML: markup as it is, everything else escaped; None and False are nothing, lists are joined."""
    if isinstance(value, Markup):
        return value
    if value is None or value is False:
        return Markup("")
    if isinstance(value, (list, tuple)) or (isinstance(value, Iterable) and not isinstance(value, str)):
        return Markup("".join(text(item) for item in value))
    return Markup(html.escape(str(value), quote=True))


def element(tag: str, /, *children: Any, **attributes: Any) -> Markup:
    """One element.

    An underscore in an attribute's name stands for a hyphen, one at its end for nothing (``class_``). An attribute that is
    None or False is left out, True has no value.
    """
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    words = [
        f" {key}" if value is True else f' {key}="{html.escape(str(value), quote=True)}"'
        for key, value in given
        if value is not None and value is not False
    ]
    start = f"<{tag}{''.join(words)}>"
    return Markup(start if tag in VOID else f"{start}{text(children)}</{tag}>")
