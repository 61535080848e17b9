"""Salted password hashes, in the form and with the parameters that the real platform uses (FACTS, bootstrap)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import string

_ALGORITHM = "pbkdf2_sha256"
_ROUNDS = 36000
_SALT = string.ascii_letters + string.digits


def hash_password(password: str) -> str:
    """Hash a password with a new salt.

    Returns:
        ``pbkdf2_sha256$<rounds>$<salt of 12 characters>$<base64>``.
    """
    return _hash(password, "".join(secrets.choice(_SALT) for _position in range(12)))


def is_hash(value: str) -> bool:
    """Whether a value is a hash made here."""
    return value.startswith(f"{_ALGORITHM}${_ROUNDS}$") and value.count("$") == 3


def verify(password: str, stored: str) -> bool:
    """Compare a password with a stored hash, in constant time."""
    return hmac.compare_digest(_hash(password, stored.split("$")[2]), stored)


def _hash(password: str, salt: str) -> str:
    digest = hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS)
    return f"{_ALGORITHM}${_ROUNDS}${salt}${base64.b64encode(digest).decode()}"
