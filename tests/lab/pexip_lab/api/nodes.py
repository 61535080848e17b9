"""Conferencing Nodes as the Management Node sees them: registration, contact, what each can carry."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple

from django.db.models import Model, Sum

from pexip_lab import document
from pexip_lab.api import database, models

NEVER_SYNCED = "OUT_OF_SYNC"
SYNCING = "SYNCING"
SYNCED = "SYNCED"


class Capacity(NamedTuple):
    """How many calls of one kind a node can host at once."""

    hd: int
    sd: int
    audio: int


#: The guide names c4.2xlarge (and c3.2xlarge in its place); the large ones have less than their size, as it says.
CAPACITY = {
    "c3.2xlarge": Capacity(15, 34, 175),
    "c4.large": Capacity(4, 9, 44),
    "c4.xlarge": Capacity(8, 17, 88),
    "c4.2xlarge": Capacity(15, 34, 175),
    "c4.4xlarge": Capacity(27, 61, 315),
    "c4.8xlarge": Capacity(45, 102, 525),
}


def capacity(instance_type: str | None, vcpus: int) -> Capacity:
    """What a node can carry: by its instance type, else two HD calls a virtual CPU, as a c4.2xlarge has it."""
    if instance_type in CAPACITY:
        return CAPACITY[instance_type]
    hd = max(1, vcpus * 15 // 8)
    return Capacity(hd, hd * 34 // 15, hd * 175 // 15)


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


def contact(
    *,
    token: str,
    address: str,
    version: str,
    boot_time: datetime,
    vcpus: int,
    ram_mb: int,
    instance_type: str | None,
) -> bool:
    """Take a node's report: it is in contact and holds the current configuration.

    Returns:
        False if no node is configured with this token at this address.
    """
    node = (
        models.model("configuration", "worker_vm").objects.filter(token_digest=digest(token), address=address).first()
    )
    if node is None:
        return False
    now = database.current().clock.now()
    calls = capacity(instance_type, vcpus)
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
    sum_up()
    return True


def sum_up() -> None:
    """Bring the status of the locations up to date: each can carry what its nodes in contact can."""
    status = models.model("status", "worker_vm").objects
    for location in models.model("status", "system_location").objects.all():
        names = ("max_hd_calls", "max_full_hd_calls", "max_sd_calls", "max_audio_calls")
        totals = status.filter(system_location=location.name, last_updated__isnull=False).aggregate(
            **{name: Sum(name, default=0) for name in names}
        )
        type(location).objects.filter(pk=location.pk).update(**totals)
