"""The Django application that holds the models."""

from django.apps import AppConfig


class PexipConfig(AppConfig):
    """All models of all families live in one application, so that deletions see every reference."""

    name = "pexip_lab.api"
    label = "pexip"

    def ready(self) -> None:
        from pexip_lab.api import lookups, mirror

        lookups.register()
        mirror.connect()
