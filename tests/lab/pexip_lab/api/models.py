"""The models: one class a resource, made from the facts when Django loads this module."""

from __future__ import annotations

from django.db import models

from pexip_lab.api import decisions, modelfields
from pexip_lab.facts import FieldFacts, ResourceFacts, load

_APP = "pexip"
_classes: dict[tuple[str, str], type[models.Model]] = {}


def model(family: str, resource: str) -> type[models.Model]:
    """The model of a resource.

    Raises:
        KeyError: if the resource has no rows (a command), or does not exist.
    """
    return _classes[family, resource]


def known() -> set[tuple[str, str]]:
    """Family and name of every resource that has rows."""
    return set(_classes)


def uri(family: str, resource: str, key: object = None) -> str:
    """The path of a resource's list, or of one object of it."""
    path = f"/api/admin/{family}/v1/{resource}/"
    return path if key is None else f"{path}{key}/"


def class_name(resource: ResourceFacts) -> str:
    """``SystemLocation``; with the family before it where it is not the configuration."""
    prefix = "" if resource.family == "configuration" else resource.family.capitalize()
    return prefix + "".join(part.capitalize() for part in resource.name.replace("__", "_of_").split("_"))


def counterpart(resource: ResourceFacts, facts: FieldFacts) -> FieldFacts | None:
    """The field at the other end of a list, where the two are one relation seen from both sides.

    ``conference.aliases`` is every alias whose ``conference`` is this one. A list seen from both sides is kept on the
    side whose resource comes first by name.
    """
    others = [f for f in load(resource.family)[facts.to].fields.values() if f.related and f.to == resource.name]
    if not facts.many or facts.to == resource.name or len(others) != 1:
        return None
    return others[0]


def kept_elsewhere(resource: ResourceFacts, facts: FieldFacts) -> bool:
    """Whether a reference has no column of its own: it is the reverse side of its counterpart."""
    other = counterpart(resource, facts)
    return other is not None and (not other.many or facts.to < resource.name)


def _reverse_name(resource: ResourceFacts, facts: FieldFacts) -> str:
    """The name under which the other side sees this reference; "+" where it does not."""
    for other in load(resource.family)[facts.to].fields.values():
        if other.related and other.to == resource.name and counterpart(load(resource.family)[facts.to], other) == facts:
            return other.name
    return "+"


def _reference(resource: ResourceFacts, facts: FieldFacts) -> models.Field:
    target = f"{_APP}.{class_name(load(resource.family)[facts.to])}"
    reverse = _reverse_name(resource, facts)
    if facts.many:
        return models.ManyToManyField(target, related_name=reverse, blank=True)
    owned = (resource.name, facts.name) in decisions.OWNED
    null = facts.nullable or not (facts.required or owned)
    on_delete = models.CASCADE if owned else models.PROTECT if facts.required else models.SET_NULL
    return models.ForeignKey(target, on_delete, related_name=reverse, null=null, blank=not (facts.required or owned))


def _build(resource: ResourceFacts) -> type[models.Model]:
    namespace: dict = {"__module__": __name__, "resource_name": resource.name}
    for facts in resource.fields.values():
        if facts.name == "resource_uri" or (facts.name == "id" and facts.type == "integer"):
            continue
        if facts.name == "id":
            namespace["id"] = models.CharField(max_length=250, primary_key=True, default=modelfields.random_key)
        elif facts.related:
            if not kept_elsewhere(resource, facts):
                namespace[facts.name] = _reference(resource, facts)
        elif is_used_by(resource, facts):
            namespace[facts.name] = property(_used_by)
        else:
            namespace[facts.name] = modelfields.build(resource, facts)
    if resource.parent:
        namespace["owner"] = models.TextField(default="")
    namespace |= _private(resource)
    meta = {
        "app_label": _APP,
        "ordering": ["pk"],
        "verbose_name": resource.title or resource.name.replace("_", " "),
        "unique_together": decisions.UNIQUE_TOGETHER.get((resource.family, resource.name), ()),
    }
    namespace["Meta"] = type("Meta", (), meta)
    return type(class_name(resource), (models.Model,), namespace)


def is_used_by(resource: ResourceFacts, facts: FieldFacts) -> bool:
    """Whether the field lists the nodes that refer to the object."""
    return resource.family == "configuration" and resource.name in decisions.USED_BY and facts.name == "nodes"


def _used_by(self: models.Model) -> list[str]:
    """The nodes that refer to this certificate or key, as URIs."""
    found = []
    for node in ("worker_vm", "management_vm"):
        condition = models.Q()
        for name in decisions.USED_BY[self.resource_name]:
            condition |= models.Q(**{name: self.pk})
        keys = model("configuration", node).objects.filter(condition).values_list("pk", flat=True).distinct()
        found += [uri("configuration", node, key) for key in keys]
    return found


def _private(resource: ResourceFacts) -> dict[str, models.Field]:
    """Columns that the API never shows."""
    if resource.family != "configuration":
        return {}
    return {
        # What the node proves itself with; its configuration document carries it.
        "worker_vm": {"token_digest": models.TextField(default="", editable=False)},
        # The public half of the key that the creation gave out.
        "oauth2_client": {"public_key": models.TextField(default="", editable=False)},
    }.get(resource.name, {})


class WebUser(models.Model):
    """The web administration user that the installation made."""

    username = models.TextField(unique=True)
    password_hash = models.TextField()

    class Meta:
        app_label = _APP


for _family in ("configuration", "status", "history"):
    for _resource in load(_family).values():
        if _resource.name == "upgrade" or _resource.name.startswith("upgrade_request__"):
            continue
        _classes[_family, _resource.name] = _build(_resource)
