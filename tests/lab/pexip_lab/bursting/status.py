"""The status resources of bursting: there while bursting is enabled, and only then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db import transaction

from ..api import models
from ..calls import Host, Load
from .cloud import Instance
from .rules import Overflow

if TYPE_CHECKING:
    from ..api.platform import Platform

#: The name under which issues stand among the alarms (an assumption: the facts do not say where the API shows them).
ALARM = "cloud_bursting"


def write(
    platform: Platform,
    instances: Sequence[tuple[Instance, Host | None, Load | None]],
    overflows: Sequence[Overflow],
    issues: Sequence[str],
) -> None:
    """Show what one look at the cloud has found."""
    with platform.using():
        locations = dict(models.model("configuration", "system_location").objects.values_list("pk", "name"))
        _sync(
            platform,
            "cloud_node",
            "cloud_instance_id",
            {instance.id: _node(instance, host, load, locations) for instance, host, load in instances},
        )
        _sync(platform, "cloud_overflow_location", "pk", {one.place.key: _overflow(one) for one in overflows})
        monitored = {
            place.key: _load(place.load) | {"name": place.name, "overflow_location_id": one.place.key}
            for one in overflows
            for place in one.primaries
        }
        _sync(platform, "cloud_monitored_location", "pk", monitored)
        _sync_alarms(platform, issues)


def clear(platform: Platform) -> None:
    """Bursting is not enabled."""
    with platform.using():
        for resource in ("cloud_node", "cloud_monitored_location", "cloud_overflow_location"):
            models.model("status", resource).objects.all().delete()
        models.model("status", "alarm").objects.filter(name=ALARM).delete()


def _node(instance: Instance, host: Host | None, load: Load | None, locations: Mapping[int, str]) -> dict[str, Any]:
    facts = {
        "instance_id": instance.id,
        "instance_name": instance.name,
        "instance_ip": instance.address,
        "instance_state": instance.state,
        "instance_launch_time": instance.launched,
    }
    shown = {f"{prefix}_{name}": value for prefix in ("cloud", "aws") for name, value in facts.items()}
    return shown | {
        # what it carried when it was last in contact, for as long as it does not run
        "max_hd_calls": (host.capacity.hd or None) if host else None,
        "media_load": load.percent if host and host.present and load else None,
        "workervm_configuration_id": host.key if host else None,
        "workervm_configuration_name": host.name if host else None,
        "workervm_configuration_location_name": locations[host.location] if host else None,
    }


def _overflow(one: Overflow) -> dict[str, Any]:
    return _load(one.place.load) | {"name": one.place.name, "systemlocation_id": one.place.key}


def _load(load: Load) -> dict[str, int]:
    return {"media_load": load.percent, "free_hd_calls": load.free, "max_hd_calls": load.capacity}


def _sync(platform: Platform, resource: str, key: str, wanted: Mapping[Any, Mapping[str, Any]]) -> None:
    """Make the rows of a resource what is wanted, by key; nothing is written where nothing has changed."""
    rows = models.model("status", resource).objects
    there = {getattr(row, key): row for row in rows.all()}
    changed = {
        name: values
        for name, values in wanted.items()
        if name not in there or any(getattr(there[name], field) != value for field, value in values.items())
    }
    gone = there.keys() - wanted.keys()
    if changed or gone:
        with transaction.atomic(using=platform.alias):
            rows.filter(**{f"{key}__in": gone}).delete()
            for name, values in changed.items():
                rows.update_or_create(**{key: name}, defaults=values)


def _sync_alarms(platform: Platform, issues: Sequence[str]) -> None:
    rows = models.model("status", "alarm").objects
    there = set(rows.filter(name=ALARM).values_list("details", flat=True))
    if there == set(issues):
        return
    with transaction.atomic(using=platform.alias):
        rows.filter(name=ALARM).exclude(details__in=issues).delete()
        now = platform.clock.now()
        for issue in dict.fromkeys(issues):
            if issue not in there:
                rows.create(name=ALARM, level="warning", details=issue, time_raised=now)
