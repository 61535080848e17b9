"""Keeps the status in step with the configuration, whoever changes it."""

from __future__ import annotations

import functools
from collections.abc import Callable

from django.db import transaction
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

from pexip_lab.api import database, models, nodes


def connect() -> None:
    """Follow the rows that have a status."""
    for name, (saved, deleted) in {
        "worker_vm": (_node_saved, _node_deleted),
        "system_location": (_location_saved, _location_deleted),
        "management_vm": (_manager_saved, _manager_deleted),
        "global": (_global_saved, None),
    }.items():
        sender = models.model("configuration", name)
        post_save.connect(saved, sender=sender)
        if deleted:
            post_delete.connect(deleted, sender=sender)


def _mirror(name: str, instance: Model, values: dict, new: dict) -> None:
    """Write a status row; it has the id of the configuration that it tells of."""
    models.model("status", name).objects.update_or_create(pk=instance.pk, defaults=values, create_defaults=values | new)


def _out_of_date(**nodes_filter) -> None:
    """Nodes that were in contact have to fetch a changed configuration; they say so when they next report in."""
    reached = models.model("status", "worker_vm").objects.filter(last_updated__isnull=False, **nodes_filter)
    reached.update(sync_status=nodes.SYNCING)


def _then(call: Callable[..., object], *arguments: object) -> None:
    """Call something once the change is written, if it is not taken back."""
    transaction.on_commit(functools.partial(call, *arguments), using=database.current().alias)


def _node_saved(instance: Model, **_) -> None:
    placed = {"node_type": instance.node_type, "system_location": instance.system_location.name}
    before = models.model("status", "worker_vm").objects.filter(pk=instance.pk).values(*placed).first()
    values = {
        "configuration_id": instance.pk,
        "name": instance.name,
        **placed,
        "maintenance_mode": instance.maintenance_mode,
        "maintenance_mode_reason": instance.maintenance_mode_reason,
    }
    _mirror("worker_vm", instance, values, {"sync_status": nodes.NEVER_SYNCED, "upgrade_status": "IDLE"})
    _out_of_date(pk=instance.pk)
    calls = database.current().calls
    if before in (None, placed):
        _then(calls.refresh)
    else:
        _then(calls.moved, instance.pk, instance.address)


def _node_deleted(instance: Model, **_) -> None:
    models.model("status", "worker_vm").objects.filter(pk=instance.pk).delete()
    _then(database.current().calls.deleted, instance.pk, instance.address)


def _location_saved(instance: Model, **_) -> None:
    _mirror("system_location", instance, {"name": instance.name}, {})
    members = models.model("configuration", "worker_vm").objects.filter(system_location=instance).values("pk")
    _out_of_date(pk__in=members)
    models.model("status", "worker_vm").objects.filter(pk__in=members).update(system_location=instance.name)
    _then(database.current().calls.refresh)


def _location_deleted(instance: Model, **_) -> None:
    models.model("status", "system_location").objects.filter(pk=instance.pk).delete()


def _manager_saved(instance: Model, **_) -> None:
    values = {"configuration_id": instance.pk, "name": instance.name, "primary": instance.primary}
    _mirror("management_vm", instance, values, {"sync_status": nodes.SYNCED, "upgrade_status": "IDLE"})


def _manager_deleted(instance: Model, **_) -> None:
    models.model("status", "management_vm").objects.filter(pk=instance.pk).delete()


def _global_saved(**_) -> None:
    _out_of_date()
    _then(database.current().changed)
