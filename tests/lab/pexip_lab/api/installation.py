"""What a fresh installation leaves in the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Model

from pexip_lab.api import database, decisions, models, passwords


@dataclass(frozen=True, kw_only=True)
class Answers:
    """The answers given to the installation wizard (guide, "Deploying a Management Node", step 14)."""

    hostname: str
    domain: str
    address: str
    netmask: str
    gateway: str
    dns_servers: Sequence[str]
    ntp_servers: Sequence[str]
    web_username: str
    web_password: str
    version: str
    incident_reporting: bool = False
    contact_email_address: str = ""
    usage_statistics: bool = False


def _new(resource: str, family: str = "configuration", /, **columns) -> Model:
    return models.model(family, resource).objects.create(**columns)


def install(answers: Answers) -> None:
    """Fill the current Management Node's empty database."""
    models.WebUser.objects.create(
        username=answers.web_username, password_hash=passwords.hash_password(answers.web_password)
    )
    _defaults(answers.version)
    for name in decisions.SINGLETONS:
        _new(name, pk=1)
    models.model("configuration", "global").objects.update(
        default_webapp_alias=3,
        error_reporting_enabled=answers.incident_reporting,
        contact_email_address=answers.contact_email_address,
        enable_analytics=answers.usage_statistics,
    )
    manager = _new(
        "management_vm",
        name=answers.hostname[:32],
        hostname=answers.hostname,
        domain=answers.domain,
        address=answers.address,
        netmask=answers.netmask,
        gateway=answers.gateway,
        primary=True,
    )
    manager.dns_servers.set([_new("dns_server", address=address) for address in answers.dns_servers])
    manager.ntp_servers.set([_new("ntp_server", address=address) for address in answers.ntp_servers])
    now = database.current().clock.now()
    models.model("status", "management_vm").objects.filter(pk=manager.pk).update(
        version=answers.version, last_attempted_contact=now, last_updated=now
    )
    _new("licensing", "status")


def _defaults(version: str) -> None:
    """Objects that are there without anyone having made them; webapp_alias 3 is the default one (`global`)."""
    for key, kind in ((2, "webapp2"), (3, "webapp3")):
        revision = _new("software_bundle_revision", bundle_type=kind, core=True, revision="1", version=version)
        _new("software_bundle", bundle_type=kind, selected_revision=revision)
        branding = _new("webapp_branding", name=f"Default {kind}", webapp_type=kind, is_default=True)
        _new(
            "webapp_alias",
            pk=key,
            slug=kind,
            webapp_type=kind,
            is_default=kind == "webapp3",
            is_enabled=True,
            bundle=revision,
            branding=branding,
        )
    _new("ivr_theme", name="Pexip theme (English_US)")
    permissions = [
        _new("permission", codename="is_admin", name="Is an administrator"),
        _new("permission", codename="use_api", name="May use the API"),
    ]
    for name, granted in (("Read-write", permissions), ("Read-only", permissions[1:])):
        _new("role", name=name).permissions.set(granted)
