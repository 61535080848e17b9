"""From the facts of a field to a tastypie field: what GET shows, what a write may set, what the schema says."""

from __future__ import annotations

from tastypie import fields

from pexip_lab.api import models
from pexip_lab.facts import UNSET, FieldFacts, ResourceFacts

TYPES = {
    "string": fields.CharField,
    "integer": fields.IntegerField,
    "float": fields.FloatField,
    "boolean": fields.BooleanField,
    "list": fields.ListField,
    "dict": fields.DictField,
    "datetime": fields.DateTimeField,
    "date": fields.DateField,
    "time": fields.TimeField,
}


class UsedBy(fields.ListField):
    """The nodes that refer to an object; written by the resource itself, for no column holds it."""

    def hydrate(self, bundle):
        return None


def _never(bundle) -> bool:
    return False


def _limits(facts: FieldFacts) -> str:
    """The help text: the limits in words."""
    parts = []
    if facts.max_length is not None:
        parts.append(f"Maximum length: {facts.max_length} characters.")
    if facts.min_length is not None:
        parts.append(f"Minimum length: {facts.min_length} characters.")
    if facts.min is not None or facts.max is not None:
        parts.append(f"Range: {'' if facts.min is None else facts.min} to {'' if facts.max is None else facts.max}.")
    return " ".join(parts)


def build(resource: ResourceFacts, facts: FieldFacts) -> fields.ApiField:
    """Make the API's field."""
    options: dict = {
        "attribute": facts.name,
        "readonly": facts.readonly,
        "help_text": _limits(facts) or None,
        "use_in": _never if facts.hidden else "all",
    }
    if facts.related:
        return _reference(resource, facts, options)
    if models.is_used_by(resource, facts):
        return UsedBy(**options)
    if facts.name == "id":
        return TYPES[facts.type](**options | {"unique": True})
    column = models.model(resource.family, resource.name)._meta.get_field(facts.name)
    options |= {"null": column.null, "unique": column.unique, "blank": column.blank and not column.null}
    if column.has_default() and not facts.readonly:
        options["default"] = column.default
    return TYPES[facts.type](**options)


def _reference(resource: ResourceFacts, facts: FieldFacts, options: dict) -> fields.RelatedField:
    target = class_path(resource, facts)
    if facts.default is not UNSET:
        options["default"] = facts.default
    if facts.many:
        other = models.counterpart(resource, facts)
        # A parent is told to the children that are created inside it.
        parent = other.name if other and not other.many else None
        return fields.ToManyField(target, full=facts.nested, null=True, related_name=parent, **options)
    column = models.model(resource.family, resource.name)._meta.get_field(facts.name)
    return fields.ToOneField(target, full=facts.nested, null=column.null, **options)


def class_path(resource: ResourceFacts, facts: FieldFacts) -> str:
    """The dotted name of the resource class that a reference points to; classes are looked up when first needed."""
    return f"pexip_lab.api.resources.{resource.family.capitalize()}_{facts.to}"
