# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Secrets known by the names of their fields, where no table says which they are."""

from __future__ import annotations

import re
from typing import Any

MASK = "********"

SECRET_NAMES = re.compile(
    r"password|passphrase|secret|private_key|token|community|(^|_)pin$|^key$|entitlement_id|encryption_key"
    r"|^azure_client_id$|^notifications_queue$"
)
# Names that match the pattern above and hold no secret: places, kinds and switches.
NO_SECRETS = re.compile(
    r"(^|_)(url|endpoint|scheme|type|overridable)$|media_tokens|^(include_pin|gms_access_token|token_bucket)$"
)


def is_secret(name: str) -> bool:
    """Whether a field's name says that its value is a secret."""
    return SECRET_NAMES.search(name) is not None and NO_SECRETS.search(name) is None


def without_secrets(value: Any) -> Any:
    """An API object without the fields whose names say that they are secret, at any depth."""
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {key: without_secrets(item) for key, item in value.items() if not is_secret(str(key))}
    return value


def masked(value: Any) -> Any:
    """A structure with its secrets masked."""
    if isinstance(value, list):
        return [masked(item) for item in value]
    if isinstance(value, dict):
        return {key: MASK if is_secret(str(key)) and item is not None else masked(item) for key, item in value.items()}
    return value


def only_secrets(value: Any) -> list[Any]:
    """The values below keys that say that they are secret."""
    if isinstance(value, dict):
        return [item if is_secret(str(key)) else only_secrets(item) for key, item in value.items()]
    return [only_secrets(item) for item in value] if isinstance(value, list) else []


def leaves(value: Any) -> list[Any]:
    """The plain values at the ends of a nested structure."""
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in leaves(item)]
    return [] if value is None else [value]
