"""Conferencing Nodes as the Management Node sees them: registration, contact, what each can carry."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from django.db.models import Model

from pexip_lab import capacity, document
from pexip_lab.api import database, models

NEVER_SYNCED = "OUT_OF_SYNC"
SYNCING = "SYNCING"
SYNCED = "SYNCED"
#: A node of this type passes signaling and media on and hosts no conference.
PROXYING = "PROXYING"


def digest(token: str) -> str:
    """What is kept of a node's token."""
    return hashlib.sha256(token.encode()).hexdigest()


def register(node: Model) -> str:
    """Give a new node its token and make its configuration document.

    Returns:
        The document (XML). It is kept nowhere: whoever asked for the node gets it now or never.
    """
    token = secrets.token_urlsafe(32)
    node.token_digest = digest(token)
    node.save(update_fields=["token_digest"])
    manager = models.model("configuration", "management_vm").objects.get(primary=True)
    location = node.system_location
    return document.build(
        document.Document(
            name=node.name,
            hostname=node.hostname,
            domain=node.domain,
            address=node.address,
            netmask=node.netmask,
            gateway=node.gateway,
            management_address=manager.address,
            token=token,
            password_hash=node.password,
            system_location=location.name,
            dns_servers=tuple(location.dns_servers.values_list("address", flat=True)),
            ntp_servers=tuple(location.ntp_servers.values_list("address", flat=True)),
        )
    )


def find(token: str, address: str) -> Model | None:
    """The node that is configured with this token at this address."""
    return (
        models.model("configuration", "worker_vm").objects.filter(token_digest=digest(token), address=address).first()
    )


def contact(
    node: Model, *, version: str, boot_time: datetime, vcpus: int, ram_mb: int, instance_type: str | None
) -> None:
    """Take a node's report: it is in contact and holds the current configuration."""
    platform = database.current()
    now = platform.clock.now()
    calls = capacity.capacity(instance_type, vcpus, platform.capacities)
    if node.node_type == PROXYING:
        calls = capacity.NOTHING
    models.model("status", "worker_vm").objects.filter(pk=node.pk).update(
        last_attempted_contact=now,
        last_updated=now,
        sync_status=SYNCED,
        version=version,
        boot_time=boot_time,
        cpu_count=vcpus,
        total_ram=ram_mb,
        max_hd_calls=calls.hd,
        max_full_hd_calls=calls.hd // 2,
        max_sd_calls=calls.sd,
        max_audio_calls=calls.audio,
        deploy_status="DEPLOYED",
    )
