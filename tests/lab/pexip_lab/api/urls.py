"""The addresses: four families, each with an index."""

from __future__ import annotations

from django.urls import include, path
from tastypie.api import Api
from tastypie.exceptions import ImmediateHttpResponse

from pexip_lab.api import commands, resources
from pexip_lab.api.base import Addressed, Json


class Family(Addressed, Api):
    """One family of resources. Its index is for administrators too."""

    def __init__(self, family: str, served: list):
        super().__init__(api_name="v1", serializer_class=Json)
        self.family = family
        for resource in served:
            self.register(resource)

    def top_level(self, request, api_name=None):
        guard = next(iter(self._registry.values()))
        try:
            guard.is_authenticated(request)
            guard.throttle_check(request)
        except ImmediateHttpResponse as refusal:
            return refusal.response
        return super().top_level(request, api_name)


_families = [
    Family("configuration", [*resources.served("configuration"), commands.upgrade()]),
    Family("status", resources.served("status")),
    Family("history", resources.served("history")),
    Family("command", commands.served()),
]
urlpatterns = [path(f"api/admin/{family.family}/", include(family.urls)) for family in _families]
