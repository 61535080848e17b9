"""The resource class that all resources share: tastypie, bound to the current Management Node."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.db.models import ManyToManyField, ProtectedError
from django.http import HttpRequest, HttpResponse
from tastypie.exceptions import BadRequest
from tastypie.resources import ModelResource
from tastypie.serializers import Serializer

from pexip_lab.api import database, models
from pexip_lab.facts import ResourceFacts

#: The lookups that clients are known to use (FACTS, "Requests and answers").
LOOKUPS = [
    *("exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith"),
    *("regex", "iregex", "lt", "lte", "gt", "gte", "in"),
]


class Json(Serializer):
    """JSON alone."""

    formats = ["json"]
    content_types = {"json": "application/json"}


class Addressed:
    """Builds the URIs itself: the families share resource names, which Django's reverse look-up would confuse."""

    def _build_reverse_url(self, name: str, args=None, kwargs: dict | None = None) -> str:
        given = dict(kwargs or {})
        given.pop("api_name", None)
        path = models.uri(self.family, given.pop("resource_name"))
        if name == "api_get_schema":
            return f"{path}schema/"
        return f"{path}{next(iter(given.values()))}/" if given else path


class PexipResource(Addressed, ModelResource):
    """One resource of one family; `facts` says which."""

    facts: ResourceFacts

    class Meta:
        abstract = True

    @property
    def family(self) -> str:
        return self.facts.family

    def dispatch(self, request_type: str, request: HttpRequest, **kwargs) -> HttpResponse:
        """Carry out one request; a write that fails leaves nothing behind."""
        request.body  # noqa: B018  read it now: tastypie asks for it after it has parsed a multipart PATCH
        if request.META.get("HTTP_X_HTTP_METHOD_OVERRIDE", request.method) == "GET":
            return super().dispatch(request_type, request, **kwargs)
        with transaction.atomic(using=database.current().alias):
            return super().dispatch(request_type, request, **kwargs)

    def deserialize(self, request: HttpRequest, data, format="application/json"):
        """Read the body: JSON, or a multipart form where files are uploaded."""
        if request.META.get("CONTENT_TYPE", "").startswith("multipart/form-data"):
            return {**request.POST.dict(), **request.FILES.dict()}
        return super().deserialize(request, data, format)

    def hydrate(self, bundle):
        """Take file fields from an upload alone, and keep their names."""
        for facts in self.facts.fields.values():
            if facts.format == "file" and facts.name in bundle.data:
                file = bundle.data[facts.name]
                if not isinstance(file, UploadedFile):
                    raise BadRequest(f"The '{facts.name}' field takes a file, uploaded as multipart/form-data.")
                bundle.data[facts.name] = file.name
                self.received(bundle.obj, file)
        return bundle

    def received(self, obj, file: UploadedFile) -> None:
        """Note what is worth knowing of an uploaded file; its content is not kept."""

    def dehydrate(self, bundle):
        """Blank what GET gives back as an empty string."""
        for facts in self.facts.fields.values():
            if facts.readback == "blank":
                bundle.data[facts.name] = ""
        return bundle

    def save(self, bundle, skip_errors: bool = False):
        # tastypie would save only the columns that the request names, and with them none that the server sets.
        if hasattr(bundle, "update_fields"):
            bundle.update_fields = None
        return super().save(bundle, skip_errors=skip_errors)

    def save_m2m(self, bundle) -> None:
        """Save the lists; a list replaces, so children that it does not name any more are deleted."""
        super().save_m2m(bundle)
        patched = getattr(bundle, "m2m_update_fields", None)
        for name, field in self.fields.items():
            if not field.is_m2m or field.readonly or (patched is not None and name not in patched):
                continue
            manager = getattr(bundle.obj, name)
            if not hasattr(manager, "clear"):
                manager.exclude(pk__in=[child.obj.pk for child in bundle.data[name]]).delete()

    def obj_get_list(self, bundle, **kwargs):
        """Fetch what the objects refer to together with them."""
        found = super().obj_get_list(bundle, **kwargs)
        lists = [name for name, field in self.fields.items() if field.is_m2m]
        single = [name for name, field in self.fields.items() if field.is_related and not field.is_m2m]
        return found.select_related(*single).prefetch_related(*lists) if single or lists else found

    def obj_delete(self, bundle, **kwargs):
        try:
            super().obj_delete(bundle, **kwargs)
        except ProtectedError as error:
            raise BadRequest(error.args[0]) from error

    def obj_delete_list(self, bundle, **kwargs):
        try:
            super().obj_delete_list(bundle, **kwargs)
        except ProtectedError as error:
            raise BadRequest(error.args[0]) from error

    def obj_delete_list_for_update(self, bundle, **kwargs):
        try:
            super().obj_delete_list_for_update(bundle, **kwargs)
        except ProtectedError as error:
            raise BadRequest(error.args[0]) from error

    def build_schema(self) -> dict:
        return with_choices(super().build_schema(), self.facts)


def with_choices(schema: dict, facts: ResourceFacts) -> dict:
    """Add to tastypie's schema the choices that the real platform names."""
    for name, described in schema["fields"].items():
        if facts.fields[name].choices:
            described["valid_choices"] = list(facts.fields[name].choices)
    return schema


def filtering(facts: ResourceFacts) -> dict[str, list[str] | int]:
    """What lists can be filtered by: columns that GET shows, and through references (tastypie's 2)."""
    found: dict[str, list[str] | int] = {}
    model = models.model(facts.family, facts.name)
    for field in facts.fields.values():
        if field.name == "resource_uri" or field.readback or field.type in ("list", "dict"):
            continue
        found[field.name] = 2 if field.related else LOOKUPS
    columns = {f.name for f in model._meta.get_fields()}
    return {name: lookups for name, lookups in found.items() if name in columns}


def ordering(facts: ResourceFacts) -> list[str]:
    """What lists can be ordered by: the columns that they can be filtered by."""
    model = models.model(facts.family, facts.name)
    many = {f.name for f in model._meta.get_fields() if isinstance(f, ManyToManyField) or f.one_to_many}
    return [name for name in filtering(facts) if name not in many]
