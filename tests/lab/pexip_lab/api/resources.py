"""The resources: one tastypie class a resource, made from the facts when this module is loaded."""

from __future__ import annotations

from tastypie.authorization import Authorization
from tastypie.resources import ModelResource

from pexip_lab.api import decisions, models, resourcefields, special
from pexip_lab.api.authentication import basic, throttle
from pexip_lab.api.base import Json, filtering, ordering
from pexip_lab.api.validation import FactsValidation
from pexip_lab.facts import ResourceFacts, load

_classes: dict[tuple[str, str], type[ModelResource]] = {}


def resource(family: str, name: str) -> ModelResource:
    """A resource object of the API.

    Raises:
        KeyError: if the family has no such resource.
    """
    return _classes[family, name]()


def served(family: str) -> list[ModelResource]:
    """The resources of a family that have an address of their own, by name."""
    return [resource(*key) for key in _classes if key[0] == family and not load(family)[key[1]].parent]


def _build(facts: ResourceFacts) -> type[ModelResource]:
    base = special.base_for(facts)
    shown = {f.name: resourcefields.build(facts, f) for f in facts.fields.values() if f.name != "resource_uri"}
    meta = {
        "object_class": models.model(facts.family, facts.name),
        "queryset": models.model(facts.family, facts.name).objects.all(),
        "resource_name": facts.name,
        "api_name": "v1",
        "fields": list(shown),
        "include_resource_uri": "resource_uri" in facts.fields,
        "detail_uri_name": decisions.KEYS.get((facts.family, facts.name), "pk"),
        "list_allowed_methods": [method.lower() for method in facts.list_methods or ("GET",)],
        "detail_allowed_methods": [method.lower() for method in facts.detail_methods or ("GET",)],
        "limit": 20,
        "max_limit": 10000,
        "filtering": filtering(facts),
        "ordering": ordering(facts),
        "serializer": Json(),
        "authentication": basic,
        "authorization": Authorization(),
        "throttle": throttle,
        "validation": FactsValidation(facts, special.CHECKS.get((facts.family, facts.name))),
    }
    name = f"{facts.family.capitalize()}_{facts.name}"
    return type(base)(name, (base,), {**shown, "facts": facts, "Meta": type("Meta", (), meta), "__module__": __name__})


for _family in ("configuration", "status", "history"):
    for _facts in load(_family).values():
        if (_family, _facts.name) in models.known():
            _classes[_family, _facts.name] = _build(_facts)
            # References name their target's class by this module's path.
            globals()[_classes[_family, _facts.name].__name__] = _classes[_family, _facts.name]
