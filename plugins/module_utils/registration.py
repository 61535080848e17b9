# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registering a Conferencing Node so that any interrupted run is repaired by the next one.

The configuration document is given out once, in the answer to the registration (API fact "Conferencing Node deployment"),
so what to do depends on whether the node is registered, whether it has ever been in contact, and whether the document is
lost: an instance with an upload listener still waits for it, or it is not where it was to be written.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any, NoReturn

from .addressing import address_problem, gateway, netmask, network_problem
from .client import Client, PexipError, resource_path
from .converge import Plan, Platform, Result, apply, plan, read, settle, uri_of
from .module import PexipModule, check_place
from .node import DocumentPlace, Listener, contact_line, document_name, is_document
from .resource import Resource

REGISTRATIONS = 2  # a registration whose answer was lost is made anew once: its document is gone
HANDING_OVER = 10.0  # seconds: a run that has registered a node and still lives has handed its document over by then
HANDING_OVER_LOOK = 1.0  # seconds
HASHED = ("snmp_authentication_password", "snmp_privacy_password")  # API fact "Values that GET does not give back"
BOOTSTRAP_OPTIONS = {
    "host": {"type": "str"},
    "port": {"type": "int", "default": 8443},
    "timeout": {"type": "int", "default": 900},
    "poll_interval": {"type": "int", "default": 5},
    "tls_fingerprint": {"type": "str"},
}


class NotYet(Exception):
    """What a task needs is not there yet: ``waiting_for``, what is seen now (``progress``) and what to do if it never comes."""

    def __init__(self, waiting_for: str, progress: str, remedy: str):
        super().__init__(waiting_for)
        self.waiting_for = waiting_for
        self.progress = progress
        self.remedy = remedy


class NodeModule(PexipModule):
    """pexip_node: a plain typed module, plus what registration needs."""

    def __init__(self, resource: Resource):
        super().__init__(
            resource,
            returns="node",
            options={
                "subnet": {"type": "str"},
                "bootstrap": {"type": "dict", "options": BOOTSTRAP_OPTIONS},
                "config_path": {"type": "path"},
                "force": {"type": "bool", "default": False},
            },
            mutually_exclusive=[("subnet", "netmask"), ("subnet", "gateway"), ("bootstrap", "config_path")],
        )
        self.config_file: str | None = None

    def desired(self) -> dict[str, Any] | None:
        """The wish, with network mask and gateway derived from the subnet; raises PexipError for a bad address."""
        wish = super().desired()
        subnet, directory = self.params["subnet"], self.params["config_path"]
        if self.params["bootstrap"]:
            check_place(self.params["bootstrap"], "bootstrap.")
        problem = None
        if wish is not None and subnet is not None:
            try:
                wish |= {"netmask": netmask(subnet), "gateway": gateway(subnet)}
                problem = address_problem(wish["address"], subnet) if "address" in wish else None
            except ValueError as error:
                raise PexipError(f"subnet: {error}") from None
        elif wish is not None and {"address", "netmask", "gateway"} <= set(wish):
            problem = network_problem(wish["address"], wish["netmask"], wish["gateway"])
        if problem:
            raise PexipError(f"{self.resource.label(self.identity)}: {problem}")
        if directory and not (os.path.isdir(directory) and os.access(directory, os.W_OK)):
            raise PexipError(f"config_path: {directory} is not a directory that can be written to")
        return wish

    def converge(self, platform: Platform, desired: dict[str, Any] | None) -> Result:
        """Brings the registration to the desired state; raises NotYet where an instance has to get there first."""
        current = read(platform, self.resource, self.identity)
        place = self._place(current)
        if desired is not None and current is not None and (self.params["bootstrap"] or place and place.lost()):
            status = node_status(platform.client, current)  # type: ignore[arg-type]
            if not (status or {}).get("last_updated"):
                return self._never_in_contact(platform, desired, current, status)
        made = settle(platform, self.resource, current, desired, update_secrets=self.params["update_secrets"])
        if made.action == "create":
            return self._register(platform, made)
        self._protect_calls(platform, made, current)
        return apply(platform, self.resource, made, current, self.identity)

    def _listener(self, address: str) -> Listener:
        bootstrap = self.params["bootstrap"]
        return Listener(bootstrap["host"] or address, bootstrap["port"], bootstrap["tls_fingerprint"])

    def _place(self, node: dict[str, Any] | None) -> DocumentPlace | None:
        """Where the node's document is written, None where it is not."""
        directory = self.params["config_path"]
        if not directory or node is None:
            return None
        return DocumentPlace(directory, document_name(node["hostname"], node["domain"]))

    def _never_in_contact(
        self, platform: Platform, desired: dict[str, Any], current: dict[str, Any], status: dict[str, Any] | None
    ) -> Result:
        place = self._place(current)
        if place:
            self._leave_to_another_run(platform, current, place.lost)
            self.ansible.warn(
                f"{self.resource.label(self.identity)} is registered anew: it has never been in contact, and its configuration document is not in "
                f"{self.params['config_path']}; one that was taken from there before is void"
            )
            return self._register_anew(platform, desired, current)
        listener = self._listener(desired.get("address", current["address"]))
        if listener.waiting():
            # The document went missing between registration and upload: only a new registration gives one.
            self._leave_to_another_run(platform, current, listener.waiting)
            return self._register_anew(platform, desired, current)
        if self.check:
            made = settle(platform, self.resource, current, desired, update_secrets=self.params["update_secrets"])
            return apply(platform, self.resource, made, current, self.identity)
        raise NotYet(
            f"{self.resource.label(self.identity)} to report in for the first time",
            f"{contact_line(self.identity['name'], status)}; no upload listener at {listener.place}",
            f"The node is registered, has never been in contact, and its instance does not wait for a configuration document. Check that UDP 500 and ESP are "
            f"allowed between it and the Management Node; otherwise replace the instance that has the address {current['address']} and run this again.",
        )

    def _leave_to_another_run(self, platform: Platform, current: dict[str, Any], lost: Callable[[], bool]) -> None:
        """Returns when a document stays lost; raises NotYet when another run, which has just registered the node, hands it over.

        Deleted meanwhile, that run's registration would leave an instance behind that holds a document of no use.
        """
        if self.check:
            return
        until = time.monotonic() + HANDING_OVER
        while lost():
            if time.monotonic() >= until:
                now = read(platform, self.resource, self.identity)
                if now is not None and now["id"] == current["id"]:
                    return
                break
            time.sleep(HANDING_OVER_LOOK)
        name = self.resource.label(self.identity)
        raise NotYet(
            f"{name}, which another run is registering",
            f"{self.identity['name']}: another run has registered it, and hands its configuration document over",
            f"Look for another run, or another person, that deploys {name}, and run this again when it has ended.",
        )

    def _register_anew(self, platform: Platform, desired: dict[str, Any], current: dict[str, Any]) -> Result:
        missing = [
            field.option
            for field in self.resource.fields
            if field.required and not field.readable and field.name not in desired
        ]
        if missing:
            raise PexipError(
                f"{self.resource.label(self.identity)} has never been in contact, and its configuration document is lost; "
                f"to register it anew give {', '.join(missing)}"
            )
        lost = [name for name in HASHED if current.get(name) and name not in desired]
        if lost:
            self.ansible.warn(
                f"{self.identity['name']} is registered anew: set {' and '.join(lost)} again, which cannot be read back"
            )
        wish = {**kept(self.resource, current), **platform.resolve(self.resource, desired, current)}
        return self._register(platform, plan(self.resource, wish, None), replaces=current)

    def _register(self, platform: Platform, made: Plan, replaces: dict[str, Any] | None = None) -> Result:
        if not (self.params["bootstrap"] or self.params["config_path"]):
            raise PexipError(
                f"{self.resource.label(self.identity)} does not exist yet, and its configuration document is given out only once: "
                "give bootstrap (uploads it to the instance) or config_path (writes it to a file)"
            )
        if self.check:
            return Result(made, replaces, apply(platform, self.resource, made, None, self.identity).current)
        if self.params["bootstrap"]:
            self._require_listener(made.payload["address"])
        client: Client = platform.client  # type: ignore[assignment]
        place = self._place(made.payload)
        if place:
            place.expect()
        if replaces:
            client.delete(replaces["resource_uri"])
        try:
            result = self._create(platform, client, made)
        except PexipError as error:
            if place and error.method == "POST" and not error.lost:
                place.give_up()  # refused: what lies there may be another node's, and stays good
            raise
        self._deliver(client, result, place)
        return result

    def _require_listener(self, address: str) -> None:
        listener = self._listener(address)
        if not listener.waiting():
            raise NotYet(
                f"the upload listener of {self.resource.label(self.identity)} at {listener.place}",
                f"{self.identity['name']}: nothing accepts TLS connections at {listener.place} yet",
                "Check that the instance runs, that it was launched from a Conferencing Node image, "
                f"that its security group allows TCP {listener.port} from here, and that it "
                "was not configured before (a node whose registration was deleted needs a new instance).",
            )

    def _create(self, platform: Platform, client: Client, made: Plan) -> Result:
        """A registration with its document; one whose document was lost on the way is taken back and made anew."""
        for _attempt in range(REGISTRATIONS):
            result = apply(platform, self.resource, made, None, self.identity)
            if result.text and is_document(result.text):
                return result
            # The answer was lost, and with it the only copy of the document.
            client.delete(result.current["resource_uri"])  # type: ignore[index]
        raise PexipError(
            f"{self.resource.label(self.identity)}: the Management Node registered it {REGISTRATIONS} times without giving its configuration document; "
            "the registration was taken back",
            method="POST",
        )

    def _deliver(self, client: Client, result: Result, place: DocumentPlace | None) -> None:
        node: dict[str, Any] = result.current  # type: ignore[assignment]
        document: str = result.text  # type: ignore[assignment]
        try:
            if place:
                self.config_file = place.write(document)
            else:
                self._listener(node["address"]).upload(document)
        except PexipError as error:
            if error.lost:
                # Taken back, it would leave an instance behind that can never report in and takes no other document.
                raise PexipError(
                    f"{error}. {self.resource.label(node)} stays registered. In a few minutes run this again: if the listener is gone by then, the document "
                    "was taken, and contact is waited for; if it waits, the node is registered anew. Should it refuse that document as a second one, "
                    f"replace the instance that has the address {node['address']}"
                ) from None
            try:
                client.delete(node["resource_uri"])
            except PexipError as second:
                raise PexipError(
                    f"{error}. The registration of {self.resource.label(node)} could not be taken back either: {second}"
                ) from None
            if place:
                place.give_up()
            raise PexipError(f"{error}. The registration of {self.resource.label(node)} was taken back") from None

    def _protect_calls(self, platform: Platform, made: Plan, current: dict[str, Any] | None) -> None:
        dropping = (
            [change.field.name for change in made.changes if change.field.drops_calls]
            if made.action == "update"
            else []
        )
        if platform.client is None or current is None or not (dropping or made.action == "delete"):
            return
        carried = len(conferences_on(platform.client, current))
        what = f"changing its {' and '.join(dropping)}" if dropping else "deleting it"
        text = f"{self.resource.label(self.identity)} carries {carried} conferences; {what} drops their calls"
        if carried and self.check:
            self.ansible.warn(text)
        elif carried and not self.params["force"]:
            raise PexipError(
                f"{text}. Put the node into maintenance mode and wait until they have ended, or say force: true"
            )

    def run(self) -> NoReturn:
        """The module: one look; its action plugin repeats it while the result is not complete."""
        try:
            desired = self.desired()
            platform = Platform(self.client(), check=self.check)
            result = self.converge(platform, desired)
        except NotYet as wait:
            self.exit(
                changed=False,
                complete=False,
                waiting_for=wait.waiting_for,
                progress=[wait.progress],
                remedy=wait.remedy,
            )
        except PexipError as error:
            self.fail(error)
        extra = {"config_file": self.config_file} if self.config_file else {}
        self.report(platform, self.resource, result, self.returns, complete=True, **extra)


def node_status(client: Client, node: dict[str, Any]) -> dict[str, Any] | None:
    """The status row of a configured node, joined by its configuration id; None where there is none."""
    rows = client.list(resource_path("worker_vm", family="status"), {"configuration_id": node["id"]})
    return next((row for row in rows if row.get("configuration_id") == node["id"]), None)


def conferences_on(client: Client, node: dict[str, Any]) -> list[dict[str, Any]]:
    """The conference shards that a node carries; shards name their node by its name or its address."""
    shards = client.list(resource_path("conference_shard", family="status"))
    return [shard for shard in shards if shard.get("node") in (node["name"], node["address"])]


def kept(resource: Resource, current: dict[str, Any]) -> dict[str, Any]:
    """What a new registration takes over from the old one: every value that GET gives, references as URIs."""
    taken = {}
    for field in resource.fields:
        value = current.get(field.name)
        if field.readable and value not in (None, []):
            if field.many:
                value = [uri_of(field, item) for item in value]
            taken[field.name] = uri_of(field, value) if field.ref else value
    return taken
