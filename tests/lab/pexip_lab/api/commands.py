"""Commands: POST only, no objects. What each one does is registered on the platform; most of it is yet to come."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from tastypie import fields, http
from tastypie.authorization import Authorization
from tastypie.resources import Resource

from pexip_lab.api import database, models, resourcefields
from pexip_lab.api.authentication import basic, throttle
from pexip_lab.api.base import Addressed, Json, with_choices
from pexip_lab.api.validation import Errors
from pexip_lab.facts import UNSET, FieldFacts, ResourceFacts, load

#: Carries out a command: takes its parameters, returns what the answer holds beside its status.
Handler = Callable[[dict], dict]

#: Parameters without which a command means nothing (the facts name none).
_REQUIRED = {
    "conference_id",
    "conference_sync_template_id",
    "device_id",
    "participant_id",
    "instance_id",
    "destination",
    "conference_alias",
}

#: What a parameter names: the status or configuration row that must exist.
_NAMED = {
    "conference_id": ("status", "conference", "id", "conference"),
    "participant_id": ("status", "participant", "id", "participant"),
    "instance_id": ("status", "cloud_node", "cloud_instance_id", "cloud node"),
    "conference_sync_template_id": ("configuration", "conference_sync_template", "pk", "conference sync template"),
    "device_id": ("configuration", "device", "pk", "device"),
    "conference_alias": ("configuration", "conference_alias", "alias", "conference alias"),
}
_TYPES = {"string": str, "integer": int, "boolean": bool}


class CommandFailed(Exception):
    """A command that cannot be carried out; the text goes to the caller (400)."""


class Command(Addressed, Resource):
    """One command of the API."""

    facts: ResourceFacts

    class Meta:
        abstract = True

    @property
    def family(self) -> str:
        return self.facts.family

    @property
    def name(self) -> str:
        """``platform/start_cloudnode``, as in the path."""
        return self._meta.resource_name

    def get_object_list(self, request):
        return None

    def build_schema(self) -> dict:
        return with_choices(super().build_schema(), self.facts)

    def post_list(self, request: HttpRequest, **kwargs) -> HttpResponse:
        """Check the parameters, then carry the command out."""
        data = self.deserialize(request, request.body, format=request.META.get("CONTENT_TYPE", "application/json"))
        errors = self._errors(data)
        if errors:
            return self.error_response(request, {self.facts.name.split("__")[-1]: errors})
        try:
            self._named(data)
            handler = database.current().commands.get(self.name)
            if handler is None:
                error = {"error": f"{self.name} is not simulated."}
                return self.error_response(request, error, response_class=http.HttpNotImplemented)
            answer = handler(data)
        except CommandFailed as failure:
            return self.error_response(request, {"status": "failure", "error": str(failure)})
        return self.create_response(request, {"status": "success", **answer}, response_class=http.HttpAccepted)

    def _errors(self, data: object) -> Errors:
        if not isinstance(data, dict):
            return {"__all__": ["Enter an object."]}
        errors: Errors = {}
        for facts in self.facts.fields.values():
            if facts.name not in data:
                if facts.name in _REQUIRED:
                    errors[facts.name] = ["This field is required."]
            elif message := _refusal(facts, data[facts.name]):
                errors[facts.name] = [message]
        return errors

    def _named(self, data: dict) -> None:
        for name, (family, resource, column, title) in _NAMED.items():
            if name in self.facts.fields:
                rows = models.model(family, resource).objects.values_list(column, flat=True)
                if str(data[name]) not in map(str, rows):
                    raise CommandFailed(f"Failed to find {title}: {data[name]}")


def _refusal(facts: FieldFacts, value: object) -> str | None:
    if not isinstance(value, _TYPES[facts.type]) or (facts.type == "integer" and isinstance(value, bool)):
        return f"Enter a value of type {facts.type}."
    if facts.max_length is not None and len(value) > facts.max_length:
        return f"Ensure this value has at most {facts.max_length} characters (it has {len(value)})."
    if facts.choices and value not in facts.choices:
        return f"Value {value!r} is not a valid choice."
    return None


def _field(facts: FieldFacts) -> fields.ApiField:
    default = {} if facts.default is UNSET else {"default": facts.default}
    return resourcefields.TYPES[facts.type](attribute=None, blank=facts.name not in _REQUIRED, **default)


def _build(facts: ResourceFacts) -> type[Command]:
    meta = {
        "resource_name": facts.name.replace("__", "/"),
        "api_name": "v1",
        "include_resource_uri": False,
        "list_allowed_methods": [method.lower() for method in facts.list_methods],
        "detail_allowed_methods": [],
        "serializer": Json(),
        "authentication": basic,
        "authorization": Authorization(),
        "throttle": throttle,
    }
    attributes = {f.name: _field(f) for f in facts.fields.values()}
    attributes |= {"facts": facts, "Meta": type("Meta", (), meta), "__module__": __name__}
    return type(Command)(f"Command_{facts.name}", (Command,), attributes)


def served() -> list[Command]:
    """All commands."""
    return [_build(facts)() for facts in load("command").values()]


def upgrade() -> Command:
    """``configuration/v1/upgrade/`` is a command too, by its one method."""
    return _build(load("configuration")["upgrade"])()
