# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that are legal and look like something else: each is the name of exactly one object, from creation to deletion.

All objects of a kind exist side by side, so that a name which is taken for another one, for a pattern, for a path or for an
id meets an object that it must not touch.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.client import MISREAD
from ansible_collections.pexip.infinity.plugins.modules import (
    pexip_location,
    pexip_node,
    pexip_resource,
    pexip_resource_info,
)
from ansible_collections.pexip.infinity.tests.unit.support import run_module

CONFIGURATION = "/api/admin/configuration/v1/"
NAMES = [
    # paths, queries and escapes
    "../",
    "..",
    ".",
    "/",
    "//",
    "a/b",
    "a%2fb",
    "a%2Fb",
    "a%252fb",
    "%2e%2e%2f",
    "?",
    "a?limit=0",
    "a&name=London",
    "name=London",
    "a#b",
    "a;b",
    "a+b",
    "a b",
    "a%20b",
    "a%00b",
    "100%",
    "/api/admin/configuration/v1/system_location/1",
    "https://manager.example.com/",
    # patterns, and what a shell, a template, a query language or a parser would take for its own
    "*",
    "L%",
    "L_ndon",
    "^Lon.*$",
    "[abc]",
    "a,b",
    "$(id)",
    "`id`",
    "a|b",
    "-rf",
    "--name",
    "@file",
    "!London",
    "~",
    "\\",
    "\\n",
    "'",
    '"',
    "a'; DROP TABLE x; --",
    "<b>bold</b>",
    "&amp;",
    "{% raw %}",
    # other types
    "0",
    "1",
    "-1",
    "1e3",
    "true",
    "None",
    "null",
    "[]",
    "{}",
    # nearly the same
    "london",
    "LONDON",
    " London",
    "London ",
    "Lon  don",
    "Lon\tdon",
    # other scripts
    "Zürich",
    "Zu\u0308rich",  # the same to the eye, of other characters
    "ZÜRICH",
    "東京",
    "Москва",
    "القاهرة",
    "🎥 studio",
    "a\u200bb",
    "a\u00a0b",
    "ﬁ",
    "ß",
    "x" * 250,
    "ü" * 250,
]
NODE_PASSWORD = "Odd-names-4711"


@pytest.fixture(scope="module")
def lab(lab_factory):
    """An installed platform with conf01, conf02 and onprem01."""
    with lab_factory(seed="nodes") as lab:
        yield lab


@pytest.fixture
def run(lab, monkeypatch) -> Callable[..., dict[str, Any]]:
    """Runs a module on the platform, which must come through."""
    for name in os.environ:
        if name.startswith("PEXIP_"):
            monkeypatch.delenv(name)
    env = lab.env
    place = {
        "host": env["PEXIP_HOST"],
        "port": int(env["PEXIP_PORT"]),
        "password": env["PEXIP_PASSWORD"],
        "tls_fingerprint": env["PEXIP_TLS_FINGERPRINT"],
    }

    def run(module: Any, **options: Any) -> dict[str, Any]:
        result = run_module(module, **{**place, **options})
        assert not result.get("failed"), result.get("msg")
        return result

    return run


@pytest.fixture
def objects(run) -> Callable[[str], list[dict[str, Any]]]:
    """All objects of a resource, as the collection itself reads them (and waits where it has asked too often)."""
    return lambda resource: run(pexip_resource_info, resource=resource)["resources"]


@pytest.fixture
def life(objects, tally) -> Callable[..., None]:
    """Creates an object of each name, asks for it again, changes it and deletes it.

    `make`, `change` and `remove` take a name and give a module's result; `field` is the one that they change, into the name.
    """

    def live(kind: str, names: list[str], resource: str, field: str, make, change, remove) -> None:
        counted = tally(kind)
        kept = sorted(item["name"] for item in objects(resource))
        for name in names:
            with counted.case(f"{name!r} is created once"):
                assert make(name)["changed"]
                assert not make(name)["changed"]
                assert change(name)["changed"]
        with counted.case("each name is there once, and every change is where it belongs"):
            there = objects(resource)
            assert sorted(item["name"] for item in there) == sorted([*kept, *names])
            assert [item["name"] for item in there if item["name"] in names and item[field] != item["name"]] == []
            assert [item["name"] for item in there if item["name"] in kept and item[field] in names] == []
        for gone, left in ((names[::2], names[1::2]), (names[1::2], [])):
            for name in gone:
                with counted.case(f"{name!r} is deleted"):
                    assert remove(name)["changed"]
                    assert not remove(name)["changed"]
            with counted.case("the others stay"):
                assert sorted(item["name"] for item in objects(resource)) == sorted([*kept, *left])

    return live


def test_locations(run, life):
    life(
        "odd name of a location",
        NAMES,
        "system_location",
        "description",
        lambda name: run(pexip_location, name=name),
        lambda name: run(pexip_location, name=name, description=name),
        lambda name: run(pexip_location, name=name, state="absent"),
    )


def test_resources(run, life):
    def resource(name: str, **options: Any) -> dict[str, Any]:
        return run(pexip_resource, resource="conference", identity={"name": name}, **options)

    life(
        "odd name of a resource",
        NAMES[::3],
        "conference",
        "description",
        resource,
        lambda name: resource(name, settings={"description": name}),
        lambda name: resource(name, state="absent"),
    )


def test_nodes(run, life, tmp_path):
    short = [name for name in NAMES if len(name) <= 32][::6]
    hosts = {name: f"odd{number}" for number, name in enumerate(short, 10)}

    def node(name: str, **options: Any) -> dict[str, Any]:
        return run(
            pexip_node,
            name=name,
            hostname=hosts[name],
            domain="example.com",
            address=f"172.31.1.{hosts[name].removeprefix('odd')}",
            subnet="172.31.0.0/20",
            system_location="London",
            node_password=NODE_PASSWORD,
            config_path=str(tmp_path),
            **options,
        )

    life(
        "odd name of a node",
        short,
        "worker_vm",
        "description",
        node,
        lambda name: node(name, description=name),
        lambda name: run(pexip_node, name=name, state="absent"),
    )
    assert len(list(tmp_path.glob("pexip-odd*.example.com.xml"))) == len(short)


def test_references_and_filters(run, tally):
    """Each name is found by a filter, and as what another location refers to."""
    counted = tally("odd name as a reference")
    names = NAMES[1::3]
    uris = {name: run(pexip_location, name=name)["location"]["resource_uri"] for name in names}
    for name in names:
        with counted.case(repr(name)):
            # A filter takes some texts for a boolean or null; the module says so and what to give in their place.
            asked = {"name__regex": f"^{name}$"} if name in MISREAD else {"name": name}
            found = run(pexip_resource_info, resource="system_location", filters=asked)["resources"]
            assert [item["name"] for item in found] == [name]
            assert run(pexip_location, name="London", overflow_location1=name)["location"]["overflow_location1"] == name
            london = run(pexip_resource_info, resource="system_location", filters={"name": "London"})["resources"]
            assert [item["overflow_location1"] for item in london] == [uris[name]]
    run(pexip_location, name="London", overflow_location1="")
    for name in names:
        run(pexip_location, name=name, state="absent")


def test_a_long_list_is_taken_whole(lab, run, tally):
    addresses = [f"198.51.{high}.{low}" for high in (100, 101) for low in range(250)]
    made = [{"address": address} for address in addresses]
    lab.api(f"{CONFIGURATION}dns_server/", method="PATCH", json={"objects": made})
    with tally("very long list").case(f"{len(addresses)} DNS servers of a location"):
        first = run(pexip_location, name="London", dns_servers=addresses)
        assert sorted(first["location"]["dns_servers"]) == sorted(addresses)
        assert not run(pexip_location, name="London", dns_servers=addresses[::-1])["changed"]
        again = run(pexip_location, name="London", dns_servers=addresses[1:], _ansible_diff=True)
        assert len(again["diff"]["before"]["dns_servers"]) - len(again["diff"]["after"]["dns_servers"]) == 1
