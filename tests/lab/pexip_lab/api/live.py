"""The status resources that change with the calls: conferences, their shards and participants, loads."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from django.db.models import Model

from pexip_lab.api import models
from pexip_lab.calls import Conference, Host, Switchboard

SERVICE = "conference"


def write_conference(conference: Conference, hosts: Sequence[Host], now: datetime) -> None:
    """Make the rows of a conference what it is; one without participants has none."""
    hosting = {host.address: host for host in hosts if host.key in conference.nodes}
    _write_itself(conference)
    locations = names("system_location")
    _write_shards(conference, hosting, locations)
    _write_participants(conference, hosting, locations, now)


def write_loads(board: Switchboard, hosts: Sequence[Host]) -> None:
    """Bring the loads of nodes and locations up to date; a node out of contact carries nothing that is known."""
    node_rows = models.model("status", "worker_vm").objects.in_bulk()
    for host in [host for host in hosts if host.key in node_rows]:
        values = {
            "media_load": board.load([host]).percent,
            "signaling_count": sum(conference.nodes.get(host.key, 0) for conference in board.conferences.values()),
        }
        _update(node_rows[host.key], values)
    for key, row in models.model("status", "system_location").objects.in_bulk().items():
        there = [host for host in hosts if host.location == key and host.present]
        values = {
            "media_load": float(board.load(there).percent),
            "max_hd_calls": sum(host.capacity.hd for host in there),
            "max_full_hd_calls": sum(host.capacity.hd // 2 for host in there),
            "max_sd_calls": sum(host.capacity.sd for host in there),
            "max_audio_calls": sum(host.capacity.audio for host in there),
        }
        _update(row, values)


def names(resource: str) -> dict[int, str]:
    """Names of configured objects, by id."""
    return dict(models.model("configuration", resource).objects.values_list("pk", "name"))


def _update(row: Model, values: dict) -> None:
    changed = {name: value for name, value in values.items() if getattr(row, name) != value}
    if changed:
        type(row).objects.filter(pk=row.pk).update(**changed)


def _write_itself(conference: Conference) -> None:
    rows = models.model("status", "conference").objects
    if not conference.nodes:
        rows.filter(pk=conference.id).delete()
    elif not rows.filter(pk=conference.id).exists():
        rows.create(
            pk=conference.id,
            name=conference.name,
            service_type=SERVICE,
            is_started=True,
            start_time=conference.started,
        )


def _write_shards(conference: Conference, hosting: dict[str, Host], locations: dict[int, str]) -> None:
    """One shard a node that hosts the conference."""
    rows = models.model("status", "conference_shard").objects
    ours = rows.filter(conference=conference.name)
    ours.exclude(node__in=hosting).delete()
    there = set(ours.values_list("node", flat=True))
    rows.bulk_create(
        rows.model(
            conference=conference.name,
            node=address,
            system_location=locations[host.location],
            service_type=SERVICE,
            is_started=True,
            transcoding_enabled=True,
            start_time=conference.started,
        )
        for address, host in hosting.items()
        if address not in there
    )


def _write_participants(
    conference: Conference, hosting: dict[str, Host], locations: dict[int, str], now: datetime
) -> None:
    rows = models.model("status", "participant").objects
    ours = rows.filter(conference=conference.name)
    ours.exclude(media_node__in=hosting).delete()
    there = Counter(ours.values_list("media_node", flat=True))
    rows.bulk_create(
        _participant(rows.model, conference, host, locations[host.location], now)
        for address, host in hosting.items()
        for _number in range(conference.nodes[host.key] - there[address])
    )


def _participant(row: type[Model], conference: Conference, host: Host, location: str, now: datetime) -> Model:
    identity = str(uuid.uuid4())
    alias = f"guest-{identity[:8]}@example.com"
    return row(
        pk=identity,
        call_uuid=identity,
        conference=conference.name,
        connect_time=now,
        display_name=alias.split("@", maxsplit=1)[0],
        source_alias=alias,
        call_direction="in",
        protocol="SIP",
        role="guest",
        encryption="On",
        service_type=SERVICE,
        system_location=location,
        media_node=host.address,
        signalling_node=host.address,
        has_media=True,
        transcoding_enabled=True,
        is_disconnect_supported=True,
        license_count=1,
        license_type="audio" if conference.kind == "audio" else "port",
    )
