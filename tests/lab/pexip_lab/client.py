"""The lab as tests use it."""

import base64
import http.client
import json as json_module
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from . import launcher
from .counters import is_write
from .credentials import WEB_PASSWORD, WEB_USERNAME
from .network import REGION, Network
from .settings import Settings, StateFiles


class Lab:
    """A running lab. Every method raises `launcher.LabError` when the lab is gone or refuses."""

    def __init__(self, files: StateFiles):
        self.files = files
        self.network: Network = files.read().addresses

    @classmethod
    def up(
        cls,
        state_dir: str | Path,
        seed: str | None = None,
        network: str = "127.16.0.0/16",
        base_port: int = 20000,
        time_scale: float = 60,
        capacities: Mapping[str, int] | None = None,
        start: launcher.Start = launcher.start_process,
    ) -> "Lab":
        """Start a lab and wait until it is ready.

        :param capacities: HD calls that a Conferencing Node can host, by instance type
        :param start: starts its process; that of a `nursery.Nursery` is faster
        """
        settings = Settings(str(state_dir), seed, network, base_port, time_scale, dict(capacities or {}))
        launcher.up(settings, start)
        return cls(settings.files)

    def down(self) -> None:
        """End the lab; no process is left."""
        launcher.down(self.files)

    @property
    def env(self) -> dict[str, str]:
        """What ``pexip-lab env`` exports."""
        return launcher.ask(self.files, "GET", "/env")

    @property
    def inventory(self) -> dict[str, Any]:
        """The inventory, as data."""
        return self.inventory_for(None)

    def inventory_for(self, deployment: str | None) -> dict[str, Any]:
        """The inventory of a deployment option: private, public or hybrid."""
        return launcher.ask(self.files, "GET", "/inventory", **({"deployment": deployment} if deployment else {}))

    def requests(self, reset: bool = False) -> dict[str, int]:
        """The requests served since the last reset: ``GET worker_vm``, ``aws DescribeInstances``, ... and how often."""
        return launcher.ask(self.files, *(("POST", "/requests/reset") if reset else ("GET", "/requests")))

    def aws_actions(self) -> dict[str, list[str]]:
        """The actions that each access key asked AWS for since the last reset, such as ``ec2:StartInstances``."""
        return launcher.ask(self.files, "GET", "/requests/aws")

    def aws_asked(self) -> dict[str, list[list[str]]]:
        """The same with the kinds of the resources they were about, ``*`` for none, and what makes the resource.

        :returns: by access key lists of three, such as ``["ec2:CreateTags", "volume", "RunInstances"]``
        """
        return launcher.ask(self.files, "GET", "/requests/aws/resources")

    def writes(self) -> int:
        """How many of them could have changed something."""
        return sum(count for name, count in self.requests().items() if is_write(name))

    def writes_seen(self) -> list[dict[str, Any]]:
        """The writing requests since the last reset as they arrived, also those that a fault kept from taking effect.

        :returns: of each ``n`` (from 1), ``target`` (api, aws, node), ``method`` (an action at AWS) and ``path``
        """
        return launcher.ask(self.files, "GET", "/requests/writes")

    def fault_add(self, kind: str, on: str | None = None, **options: str | float) -> str:
        """Let something go wrong; gives back the fault's id.

        :param kind: what; the README, "Faults", says what there is
        :param on: where: api, aws, ssh or node
        :param options: those of ``pexip-lab fault add``, such as ``match``, ``nth``, ``retry_after``
        """
        given = {"kind": kind, **({"on": on} if on is not None else {}), **options}
        answer = launcher.ask(self.files, "POST", "/fault/add", **{name: str(item) for name, item in given.items()})
        return answer["id"]

    def faults(self) -> list[dict[str, Any]]:
        """Each fault with its options, how many events it has seen and struck (``hits``), and what it holds now."""
        return launcher.ask(self.files, "GET", "/faults")

    def fault_clear(self, id: str | None = None) -> None:
        """Take a fault back, or all of them."""
        launcher.ask(self.files, "POST", "/fault/clear", **({"id": id} if id is not None else {}))

    def clock_advance(self, duration: str) -> None:
        """Move the lab's time on, by ``30s``, ``50m``, ``2h``."""
        launcher.ask(self.files, "POST", "/clock/advance", by=duration)

    def call_start(self, location: str, participants: int, kind: str = "hd") -> str:
        """Begin a conference, and give back its id; who finds no place is counted as rejected.

        :param kind: hd, sd or audio
        """
        answer = launcher.ask(
            self.files, "POST", "/call/start", location=location, participants=str(participants), kind=kind
        )
        return answer["id"]

    def call_join(self, id: str, participants: int, location: str | None = None) -> None:
        """Let more participants join a conference.

        :param location: where they call from; by default where the conference is held
        """
        given = {"location": location} if location else {}
        launcher.ask(self.files, "POST", "/call/join", id=id, participants=str(participants), **given)

    def call_end(self, id: str | None = None) -> None:
        """End a conference, or all of them."""
        launcher.ask(self.files, "POST", "/call/end", **({"id": id} if id else {}))

    def status(self) -> dict[str, Any]:
        """Instances, machines, nodes, calls, and how many participants were rejected and dropped so far."""
        return launcher.ask(self.files, "GET", "/status")

    def secrets(self) -> dict[str, list[str]]:
        """What was given out once: ``access_keys`` (their secrets) and ``tokens`` (of the nodes' configuration documents)."""
        return launcher.ask(self.files, "GET", "/secrets")

    def ec2(self) -> Any:
        """A boto3 client for EC2 as the account's administrator."""
        return self._aws("ec2")

    def iam(self) -> Any:
        """A boto3 client for IAM as the account's administrator."""
        return self._aws("iam")

    def api(self, path: str, method: str = "GET", json: Any = None) -> Any:
        """A request to the (first) installed Management Node as the web administrator.

        :param path: such as ``/api/admin/configuration/v1/worker_vm/``
        :returns: the JSON of the answer, its text if it is none, or None if it is empty
        :raises launcher.LabError: no such node, or an answer of 400 and above, with its text
        """
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # the test asks its own lab
        connection = http.client.HTTPSConnection(
            self._management_address(), self.network.api_port, timeout=30, context=context
        )
        token = base64.b64encode(f"{WEB_USERNAME}:{WEB_PASSWORD}".encode()).decode()
        headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, None if json is None else json_module.dumps(json), headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if response.status >= 400:
            raise launcher.LabError(f"{method} {path}: {response.status} {text}")
        if "json" in response.headers.get("Content-Type", ""):
            return json_module.loads(text)
        return text or None

    def _management_address(self) -> str:
        for machine in self.status()["machines"]:
            if machine["kind"] == "management" and machine["installation"] == "installed":
                return machine["address"]
        raise launcher.LabError("no Management Node is installed")

    def _aws(self, service: str) -> Any:
        env = self.env
        return boto3.client(
            service,
            endpoint_url=env["AWS_ENDPOINT_URL"],
            region_name=REGION,
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}),
        )
