"""From the facts of a field to a Django model field, which validates as the facts say."""

from __future__ import annotations

import functools
import uuid

from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxLengthValidator,
    MaxValueValidator,
    MinLengthValidator,
    MinValueValidator,
    RegexValidator,
)
from django.db import models

from pexip_lab.api import database, decisions, passwords
from pexip_lab.facts import UNSET, FieldFacts, ResourceFacts

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
hostname = RegexValidator(rf"^{_LABEL}\Z", "Enter a valid hostname.")
domain = RegexValidator(rf"^{_LABEL}(\.{_LABEL})*\Z", "Enter a valid domain name.")


def random_key() -> str:
    """A new UUID as text."""
    return str(uuid.uuid4())


class NotBetween:
    """Refuses the hole inside a range."""

    def __init__(self, low: int, high: int):
        self.low, self.high = low, high

    def __call__(self, value: int) -> None:
        if self.low <= value <= self.high:
            raise ValidationError(f"Ensure this value is not between {self.low} and {self.high}.")


class ItemsWith:
    """Refuses anything but a list of plain objects with the known fields."""

    def __init__(self, names: tuple[str, ...]):
        self.names = names

    def __call__(self, value: object) -> None:
        items = value if isinstance(value, list) else [value]
        if not isinstance(value, list) or not all(isinstance(i, dict) and set(i) <= set(self.names) for i in items):
            raise ValidationError(f"Enter a list of objects with the fields: {', '.join(self.names)}.")


class ScalarMixin:
    """Text that is no list and no object: Django itself would store their Python notation."""

    def to_python(self, value):
        if isinstance(value, (list, dict)):
            raise ValidationError("Enter a single value.")
        return super().to_python(value)


class Text(ScalarMixin, models.TextField):
    """A string of any length, or up to max_length."""


class Choice(ScalarMixin, models.CharField):
    """A string out of a list."""


class Hashed(Text):
    """A secret of which only a salted hash is kept; a hash that comes back as it was given out is left alone."""

    def pre_save(self, model_instance, add):
        value = getattr(model_instance, self.attname)
        if value and not passwords.is_hash(value):
            value = passwords.hash_password(value)
            setattr(model_instance, self.attname, value)
        return value


class Forgotten(Text):
    """A secret that is used once and not kept."""

    def pre_save(self, model_instance, add):
        setattr(model_instance, self.attname, "")
        return ""


class Compact(Text):
    """Text whose spaces do not count."""

    def to_python(self, value):
        return "".join((super().to_python(value) or "").split())


class ServerTime(models.DateTimeField):
    """The Management Node's time of the creation, or of the last write."""

    def __init__(self, *args, every_write: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.every_write = every_write

    def pre_save(self, model_instance, add):
        if add or self.every_write:
            setattr(model_instance, self.attname, database.current().clock.now())
        return getattr(model_instance, self.attname)


def _validators(facts: FieldFacts) -> list:
    found = []
    for limit, validator in (
        (facts.min_length, MinLengthValidator),
        (facts.max_length, MaxLengthValidator),
        (facts.min, MinValueValidator),
        (facts.max, MaxValueValidator),
    ):
        if limit is not None:
            found.append(validator(limit))
    if facts.excluded_range:
        found.append(NotBetween(*facts.excluded_range))
    if facts.type == "list" and facts.item_fields:
        found.append(ItemsWith(tuple(facts.item_fields)))
    if facts.format == "domain" or facts.name == "domain":
        found.append(domain)
    if facts.name == "hostname":
        found.append(hostname)
    return found


def _unique(resource: ResourceFacts, facts: FieldFacts) -> bool:
    if resource.family != "configuration":
        return False
    return (resource.name, facts.name) in decisions.UNIQUE or (facts.name == "name" and facts.required)


_PLAIN = {
    "integer": (models.IntegerField, 0),
    "float": (models.FloatField, 0.0),
    "boolean": (models.BooleanField, False),
    "list": (models.JSONField, list),
    "dict": (models.JSONField, dict),
    "datetime": (models.DateTimeField, None),
    "date": (models.DateField, None),
    "time": (models.TimeField, None),
}
_FORMATS = {"ip_address": models.GenericIPAddressField, "email": models.EmailField, "url": models.URLField}


_READBACKS = {"hashed": Hashed, "blank": Forgotten, "normalised": Compact}


def build(resource: ResourceFacts, facts: FieldFacts) -> models.Field:
    """Make the column of a field that is no reference.

    What the facts call neither required nor nullable and give no default starts empty (zero, false, "").
    """
    required = facts.required and (resource.name, facts.name) not in decisions.OPTIONAL
    options: dict = {
        "null": facts.nullable,
        "blank": not required,
        "unique": _unique(resource, facts),
        "validators": _validators(facts),
    }
    if facts.name == decisions.KEYS.get((resource.family, resource.name)):
        return Text(unique=True, default=random_key)
    if resource.family == "configuration" and facts.name in decisions.SERVER_TIMES:
        return ServerTime(null=True, blank=True, every_write=decisions.SERVER_TIMES[facts.name])
    if facts.type in _PLAIN:
        return _plain(facts, options)
    if facts.readonly and facts.name.endswith("uuid"):
        options["default"] = random_key
    elif facts.default is not UNSET:
        options["default"] = facts.default
    elif not facts.nullable and facts.format != "ip_address":
        options["default"] = ""
    choices = decisions.CHOICES.get((resource.name, facts.name), facts.choices)
    if choices:
        # An empty choice is one only where it is the default.
        options["blank"] = not required and options.get("default", "") == ""
        options["choices"] = [(choice, choice) for choice in choices]
        return Choice(max_length=250, **options)
    if facts.format in ("email", "url"):
        options["max_length"] = facts.max_length or 2048
    if (resource.name, facts.name) in decisions.HASHED:
        return Hashed(**options)
    return (_FORMATS.get(facts.format) or _READBACKS.get(facts.readback, Text))(**options)


def _plain(facts: FieldFacts, options: dict) -> models.Field:
    cls, empty = _PLAIN[facts.type]
    if facts.default is not UNSET:
        empty = functools.partial(list, facts.default) if facts.type == "list" else facts.default
    elif facts.nullable or (facts.required and facts.type == "integer"):
        empty = None
    if empty is not None:
        options["default"] = empty
    # A time that is not known yet is null, whatever the facts say.
    options["null"] = facts.nullable or facts.type in ("datetime", "date", "time")
    return cls(**options)
