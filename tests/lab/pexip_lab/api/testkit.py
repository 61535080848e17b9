"""For the tests of the API: a client, and requests made from the facts."""

from __future__ import annotations

import itertools
import json
import pathlib
from datetime import UTC, datetime, timedelta

import requests

from pexip_lab import tls
from pexip_lab.api.platform import Platform

FACTS = pathlib.Path(tls.__file__).parent / "facts"
ROOT = "/api/admin/configuration/v1/"
PASSWORD = "Correct-Horse-1"
INSTALLATION = {
    "hostname": "manager",
    "domain": "example.com",
    "address": "127.16.0.10",
    "netmask": "255.255.240.0",
    "gateway": "127.16.0.1",
    "dns_servers": ["127.16.0.2"],
    "ntp_servers": ["127.16.0.2", "127.16.0.3"],
    "web_username": "admin",
    "web_password": PASSWORD,
    "version": "11.0.0",
}


def raw_facts(family: str) -> dict:
    """The facts as they are in the file, not as the lab reads them."""
    return json.loads((FACTS / f"{family}.json").read_text(encoding="utf-8"))


CONFIGURATION = raw_facts("configuration")
SERVED = [name for name, facts in CONFIGURATION.items() if facts["list_methods"] or facts["detail_methods"]]
CREATABLE = [
    name for name in SERVED if {"POST", "GET"} <= set(CONFIGURATION[name]["list_methods"]) and name != "management_vm"
]


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.time = datetime(2016, 5, 1, 10, 0, 0, 123456, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, **span: float) -> None:
        self.time += timedelta(**span)


class Api:
    """A web administrator's client, and the platform behind it."""

    def __init__(self, platform: Platform, base: str, certificate: pathlib.Path):
        self.platform = platform
        self.clock: Clock = platform.clock
        self.base = base
        self.session = requests.Session()
        self.session.auth = ("admin", PASSWORD)
        self.certificate = certificate
        self._names = itertools.count(1)

    def __call__(self, method: str, path: str, body=None, **options) -> requests.Response:
        if not path.startswith("/"):
            path = ROOT + path
        options.setdefault("allow_redirects", False)
        return self.session.request(
            method, self.base + path, json=body, verify=str(self.certificate), timeout=30, **options
        )

    def get(self, path: str) -> dict:
        """GET that must succeed."""
        answer = self("GET", path)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    def objects(self, path: str) -> list[dict]:
        """GET of a list that must succeed."""
        return self.get(path)["objects"]

    def add(self, resource: str, **given) -> str:
        """POST that must succeed, with whatever the facts require filled in.

        Returns:
            The new object's URI.
        """
        answer = self.post(resource, self.sample(resource) | given)
        assert answer.status_code == 201, (resource, answer.status_code, answer.text)
        return answer.headers["Location"]

    def post(self, resource: str, body: dict) -> requests.Response:
        """POST as JSON, or as a form where the facts tell of a file."""
        files = {n for n, f in CONFIGURATION[resource]["fields"].items() if f.get("format") == "file" and n in body}
        if not files:
            return self("POST", f"{resource}/", body)
        form = {name: value for name, value in body.items() if name not in files}
        return self("POST", f"{resource}/", data=form, files={name: body[name] for name in files})

    def sample(self, resource: str) -> dict:
        """A body with the required fields and the references that cannot be null."""
        number = next(self._names)
        body = {}
        for name, field in CONFIGURATION[resource]["fields"].items():
            related = field["type"] == "related"
            needed = field.get("required") or (related and not field.get("nullable"))
            if needed and not field.get("readonly"):
                body[name] = self.add(field["to"]) if related else self._value(resource, name, field, number)
        if resource == "static_route":
            body |= {"address": f"10.{number}.0.0", "prefix": 16}
        return body

    def _value(self, resource: str, name: str, field: dict, number: int):
        if "choices" in field:
            return field["choices"][0]
        fixed = {
            "certificate": self.certificate.read_text() if resource != "gms_gateway_token" else "x",
            "netmask": "255.255.240.0",
            "gateway": "127.16.0.1",
            "domain": "example.com",
            "date": "2030-01-02",
            "time": "10:30:00",
            "integer": field.get("min", 0) + 1,
            "email": f"user{number}@example.com",
            "url": f"https://host{number}.example.com/",
            "ip_address": f"127.16.1.{number}",
            "file": (f"file{number}.zip", b"content", "application/zip"),
            "string": f"{name}-{number}"[: field.get("max_length", 100)].replace("_", "-"),
        }
        return fixed.get(name) or fixed.get(field.get("format")) or fixed[field["type"]]

    def node(self, location: str, name: str = "conf01", address: str = "127.16.0.20", **given) -> requests.Response:
        """Register a Conferencing Node."""
        body = {
            "name": name,
            "hostname": name,
            "domain": "example.com",
            "address": address,
            "netmask": "255.255.240.0",
            "gateway": "127.16.0.1",
            "system_location": location,
            "password": "Node-Password-1",
        }
        return self("POST", "worker_vm/", body | given)
