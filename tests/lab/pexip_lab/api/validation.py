"""What the API refuses: the model's own validation, plus what holds only against the stored object."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import models
from tastypie.validation import Validation

from pexip_lab.facts import ResourceFacts

Errors = dict[str, list[str]]
_TEXT = (models.CharField, models.TextField)


class FactsValidation(Validation):
    """Validates the object that tastypie has filled from the request, and converts its values on the way."""

    def __init__(self, facts: ResourceFacts, check: Callable[[models.Model], Errors] | None = None):
        super().__init__()
        self.immutable = [field.name for field in facts.fields.values() if field.immutable]
        self.check = check

    def is_valid(self, bundle, request=None) -> Errors:
        """Find what is wrong with an object.

        Returns:
            Messages by field, ``__all__`` for those of several fields; empty if it is valid.
        """
        errors = self._blanks(bundle.obj)
        try:
            bundle.obj.full_clean(exclude=set(errors))
        except ValidationError as error:
            errors |= error.message_dict
        if not errors:
            errors = self._changed(bundle.obj)
        if not errors and self.check:
            errors = self.check(bundle.obj)
        return errors

    @staticmethod
    def _blanks(obj: models.Model) -> Errors:
        """Read an empty string as "no value" where the column holds no text."""
        errors: Errors = {}
        for field in obj._meta.concrete_fields:
            if getattr(obj, field.attname) != "" or isinstance(field, _TEXT):
                continue
            if field.null:
                setattr(obj, field.attname, None)
            else:
                errors[field.name] = ["This field cannot be blank."]
        return errors

    def _changed(self, obj: models.Model) -> Errors:
        """Refuse a change of what was decided at creation."""
        if obj._state.adding or not self.immutable:
            return {}
        stored = type(obj)._default_manager.filter(pk=obj.pk).values(*self.immutable).first() or {}
        return {
            name: ["This field cannot be changed after creation."]
            for name, value in stored.items()
            if getattr(obj, name) != value
        }
