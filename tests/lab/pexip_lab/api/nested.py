"""What is served under an object of another resource: load statistics, and the media streams of a call."""

from __future__ import annotations

from django.urls import re_path
from tastypie.exceptions import ImmediateHttpResponse
from tastypie.http import HttpNotFound

from pexip_lab.api.base import PexipResource


class Nested(PexipResource):
    """A resource whose objects have something of their own below them."""

    class Meta:
        abstract = True

    #: The last part of the path, and the method that serves it.
    below: tuple[str, str]

    def prepend_urls(self) -> list:
        name, view = self.below
        pattern = rf"^(?P<resource_name>{self._meta.resource_name})/(?P<pk>[^/]+)/{name}/$"
        return [re_path(pattern, self.wrap_view(view))]

    def owner(self, request, key: str):
        """The object in the path, for a GET by someone who may.

        Raises:
            ImmediateHttpResponse: 404 if there is no such object.
        """
        self.method_check(request, allowed=["get"])
        self.is_authenticated(request)
        self.throttle_check(request)
        try:
            return self.get_object_list(request).get(pk=key)
        except (self._meta.object_class.DoesNotExist, ValueError):
            raise ImmediateHttpResponse(response=HttpNotFound()) from None


class Statistics(Nested):
    """``<id>/statistics/``: the media load."""

    class Meta:
        abstract = True

    below = ("statistics", "statistics")

    def statistics(self, request, pk: str, **kwargs):
        return self.create_response(request, {"media_load": float(self.owner(request, pk).media_load)})


class Streams(Nested):
    """``<id>/media_stream/``: the media streams of a participant or of a backplane."""

    class Meta:
        abstract = True

    below = ("media_stream", "media_streams")

    def media_streams(self, request, pk: str, **kwargs):
        from pexip_lab.api.resources import resource

        below = resource(self.family, f"{self.facts.name}__media_stream")
        below.path = request.path
        return below.get_list(request, owner=self.owner(request, pk).pk)


class Stream(PexipResource):
    """The media streams of one owner, listed below it."""

    class Meta:
        abstract = True

    path = ""

    def get_resource_uri(self, bundle_or_obj=None, url_name: str = "api_dispatch_list") -> str:
        return self.path

    def obj_get_list(self, bundle, owner: str, **kwargs):
        return super().obj_get_list(bundle, **kwargs).filter(owner=owner)
