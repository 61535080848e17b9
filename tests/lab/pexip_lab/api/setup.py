"""Django in this process: configured once, without a settings module."""

from __future__ import annotations

import logging
import secrets

import django
from django.conf import settings


def setup() -> None:
    """Configure Django for the lab's Management Nodes. The package calls this once, when it is imported."""
    settings.configure(
        SECRET_KEY=secrets.token_hex(),
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["pexip_lab.api.apps.PexipConfig"],
        # A path without its slash is redirected, as Django does it: a redirected POST arrives as a GET.
        MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
        APPEND_SLASH=True,
        ROOT_URLCONF="pexip_lab.api.urls",
        # The default database stays empty; each Management Node adds its own (see database).
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        DATABASE_ROUTERS=["pexip_lab.api.database.Router"],
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,
        USE_TZ=True,
        TIME_ZONE="UTC",
        LOGGING_CONFIG=None,
        API_LIMIT_PER_PAGE=20,
    )
    # Refused requests are part of a lab's work; only failures of the lab itself are worth a line.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    django.setup()
