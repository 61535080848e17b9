"""Looks at the platform and at AWS every now and then, and starts or stops overflow nodes."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError

from ..api import models
from ..api.commands import CommandFailed
from ..calls import Host
from . import status
from .cloud import Cloud, CloudRefused, Instance
from .rules import CloudNode, Overflow, Place

if TYPE_CHECKING:
    from ..api.platform import Platform
    from ..clock import Clock

_log = logging.getLogger("administrator.apps.cloudbursting")  # its name in the guide, Troubleshooting

PERIOD_SECONDS = 15
#: Real seconds between two looks: ten times as long as a look took, within these limits, to spare a small machine.
REST_SHARE, REST_MIN, REST_MAX = 10, 0.25, 1.0


@dataclass(frozen=True)
class Settings:
    """Bursting as it is configured.

    Args:
        lifetime: for how many seconds a node runs at least.
        hostname: the Management Node's, which is the value of the tag.
    """

    threshold: int
    lifetime: float
    access_key: str | None
    secret_key: str | None
    hostname: str


class Engine:
    """One platform's bursting.

    Args:
        endpoint: AWS's.
    """

    def __init__(self, platform: Platform, clock: Clock, endpoint: str):
        self._platform = platform
        self._clock = clock
        self._cloud = Cloud(endpoint)
        #: What it did and why, oldest first.
        self.history: list[dict[str, str]] = []
        self._lock = threading.RLock()
        self._cleared = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()
        platform.changed = self.wake
        platform.commands["platform/start_cloudnode"] = self.start_cloudnode

    async def run(self) -> None:
        """Look every 15 lab seconds, and sooner when something has changed; only at changes while it is disabled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            began = time.monotonic()
            enabled = await asyncio.to_thread(self.look)
            await asyncio.sleep(min(max(REST_SHARE * (time.monotonic() - began), REST_MIN), REST_MAX))
            next_look = self._clock.call_later(PERIOD_SECONDS, self.wake) if enabled else None
            try:
                await self._woken.wait()
            finally:
                if next_look is not None:
                    next_look.cancel()

    def wake(self) -> None:
        """Have it look soon. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def look(self) -> bool:
        """Look once, and do what is needed.

        Returns:
            Whether bursting is enabled.
        """
        with self._lock:
            settings = self._settings()
            if settings is None:
                if not self._cleared:
                    status.clear(self._platform)
                    self._cleared = True
                return False
            self._cleared = False
            try:
                self._look(settings)
            except BotoCoreError as error:
                _log.warning("AWS cannot be reached: %s", error)
            return True

    def start_cloudnode(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """The command of this name: start one overflow node by hand.

        Raises:
            CommandFailed: AWS refuses, or bursting is not enabled.
        """
        identity = parameters["instance_id"]
        with self._lock:
            settings = self._settings()
            if settings is None:
                raise CommandFailed("Bursting is not enabled.")
            try:
                self._cloud.sign_in(settings.access_key, settings.secret_key)
                was_stopped = self._cloud.start(identity)
            except (CloudRefused, BotoCoreError) as error:
                raise CommandFailed(str(error)) from None
            if was_stopped:
                rows = self._platform.rows("cloud_node", family="status", cloud_instance_id=identity)
                self._record("start", identity, rows[0]["workervm_configuration_name"] or "", "start_cloudnode")
            self.look()
        return {}

    def _settings(self) -> Settings | None:
        """Bursting as it is configured; None while it is disabled, or not for AWS."""
        with self._platform.using():
            given = models.model("configuration", "global").objects.first()
            if given is None or not given.bursting_enabled or given.cloud_provider != "AWS":
                return None
            manager = models.model("configuration", "management_vm").objects.get(primary=True)
        return Settings(
            threshold=5 if given.bursting_threshold is None else given.bursting_threshold,
            lifetime=60 * (50 if given.bursting_min_lifetime is None else given.bursting_min_lifetime),
            access_key=given.aws_access_key,
            secret_key=given.aws_secret_key,
            hostname=manager.hostname,
        )

    def _look(self, settings: Settings) -> None:
        issues: list[str] = []
        instances: list[Instance] = []
        try:
            self._cloud.sign_in(settings.access_key, settings.secret_key)
            instances = self._cloud.instances(settings.hostname)
        except CloudRefused as refusal:
            issues.append(str(refusal))
        calls = self._platform.calls
        with calls.lock:
            hosts = calls.hosts()
            loads = {host.key: calls.board.load([host]) for host in hosts}
            overflows = list(self._overflows(instances, hosts))
        by_address = {host.address: host for host in hosts}
        for instance in instances:
            if instance.address not in by_address:
                issues.append(
                    f"Instance {instance.name or instance.id} (with IP {instance.address}) was found, but no "
                    "corresponding Conferencing Node has been configured"
                )
        for overflow in overflows:
            issues += self._act(overflow, settings)
        found = [(instance, by_address.get(instance.address)) for instance in instances]
        status.write(
            self._platform,
            [(instance, host, loads[host.key] if host else None) for instance, host in found],
            overflows,
            issues,
        )

    def _overflows(self, instances: Sequence[Instance], hosts: Sequence[Host]) -> Iterator[Overflow]:
        """The overflow locations: those that hold overflow nodes and are the primary overflow location of others.

        Whether a location is one shows by its nodes (guide: Setting up your bursting nodes); the secondary overflow
        location does not count.
        """
        board, now = self._platform.calls.board, self._clock.time()
        by_address = {instance.address: instance for instance in instances}
        with self._platform.using():
            configured = list(models.model("configuration", "system_location").objects.all())
        places = {
            row.pk: Place(row.pk, row.name, board.load(host for host in hosts if host.location == row.pk))
            for row in configured
        }
        for key, place in places.items():
            primaries = [places[row.pk] for row in configured if row.overflow_location1_id == key and row.pk != key]
            nodes = [
                CloudNode(
                    instance_id=instance.id,
                    state=instance.state,
                    age=now - instance.launched.timestamp(),
                    host=host,
                    conferences=board.hosted_by(host.key),
                    load=board.load([host]),
                )
                for host in hosts
                if host.location == key and (instance := by_address.get(host.address))
            ]
            if primaries and nodes:
                yield Overflow(place, primaries, nodes)

    def _act(self, overflow: Overflow, settings: Settings) -> list[str]:
        """Start at most one node, and stop all that have been idle for long enough.

        Returns:
            What AWS refused.
        """
        refused = []
        if start := overflow.next_start(settings.threshold):
            refused += self._start(*start)
        while stop := overflow.next_stop(settings.threshold, settings.lifetime):
            node, why = stop
            refused += self._stop(node, why)
            overflow = overflow.without(node)
        return refused

    def _start(self, node: CloudNode, why: str) -> list[str]:
        try:
            was_stopped = self._cloud.start(node.instance_id)
        except CloudRefused as refusal:
            return [str(refusal)]
        if was_stopped:
            self._record("start", node.instance_id, node.host.name, why)
        return []

    def _stop(self, node: CloudNode, why: str) -> list[str]:
        """Stop a node, unless a conference has just begun on it."""
        if not self._platform.calls.withdraw(node.host):
            return []
        try:
            self._cloud.stop(node.instance_id)
        except CloudRefused as refusal:
            self._platform.calls.restore(node.host)
            return [str(refusal)]
        except BotoCoreError:
            self._platform.calls.restore(node.host)
            raise
        self._record("stop", node.instance_id, node.host.name, why)
        return []

    def _record(self, action: str, instance_id: str, node: str, why: str) -> None:
        _log.info("%s %s (%s): %s", action, node, instance_id, why)
        moment = self._clock.now().isoformat(timespec="seconds")
        self.history.append({"time": moment, "action": action, "node": node, "instance": instance_id, "why": why})
