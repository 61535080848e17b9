# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pexip_image: names as Pexip writes them, owner, version, build, ties."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.pexip.infinity.plugins.filter.images import OWNER, pexip_image


def image(name: str, image_id: str = "ami-1", owner: str = OWNER) -> dict:
    return {"name": name, "image_id": image_id, "owner_id": owner}


CATALOGUE = [
    image("Pexip Infinity Management Node 10.2.0 (build 23000.0.0)", "ami-10"),
    image("Pexip Infinity Management Node 11.0.0 (build 26850.0.0)", "ami-11-old"),
    image("Pexip Infinity Management Node 11.0.0 (build 26902.0.0)", "ami-11"),
    image("Pexip Infinity Management Node 11.0.0 (build 99999.0.0)", "ami-fake", owner="123456789012"),
    image("Pexip Infinity Conferencing Node 11.0.0 (build 26902.0.0)", "ami-11c"),
    image("Pexip Infinity Management Node 36.1.0 build 81600", "ami-36"),
    image("something else", "ami-x"),
    {"image_id": "ami-nameless", "owner_id": OWNER},
]


def test_the_highest_build_of_the_version_is_taken_and_never_a_look_alike():
    assert pexip_image(CATALOGUE, "management", "11.0.0") == {
        "image_id": "ami-11",
        "name": "Pexip Infinity Management Node 11.0.0 (build 26902.0.0)",
        "version": "11.0.0",
        "build": "26902.0.0",
    }


@pytest.mark.parametrize(
    ("version", "image_id"), [("10.2", "ami-10"), ("11", "ami-11"), ("36.1.0", "ami-36"), (36, "ami-36")]
)
def test_fewer_parts_take_the_highest_below_them(version, image_id):
    assert pexip_image(CATALOGUE, "management", version)["image_id"] == image_id


def test_builds_compare_as_numbers():
    images = [
        image("Pexip Infinity Conferencing Node 11.0.0 (build 9000.0.0)", "ami-old"),
        image("pexip infinity  Configuration Node v11.0.0 build 10000.0.0", "ami-new"),
    ]
    assert pexip_image(images, "conferencing", "11.0.0")["image_id"] == "ami-new"


def test_none_names_the_versions_that_there_are():
    with pytest.raises(AnsibleFilterError, match=r"Management Node, version 12.0.0, .*10.2.0, 11.0.0, 36.1.0"):
        pexip_image(CATALOGUE, "management", "12.0.0")
    with pytest.raises(AnsibleFilterError, match="the versions there: none"):
        pexip_image([], "conferencing", "11.0.0")


def test_a_tie_is_an_error_unless_it_is_one_image_listed_twice():
    twin = image("Pexip Infinity Management Node 11.0.0 build 26902", "ami-twin")
    with pytest.raises(AnsibleFilterError, match="ami-11, ami-twin"):
        pexip_image([*CATALOGUE, twin], "management", "11.0.0")
    assert pexip_image([*CATALOGUE, *CATALOGUE], "management", "11.0.0")["image_id"] == "ami-11"


@pytest.mark.parametrize(("kind", "version"), [("proxy", "11.0.0"), ("management", "latest")])
def test_nonsense_is_refused(kind, version):
    with pytest.raises(AnsibleFilterError):
        pexip_image(CATALOGUE, kind, version)


def test_a_conferencing_node_runs_what_the_management_node_runs():
    """Not a newer version that the one asked for covers as well."""
    newer = image("Pexip Infinity Management Node 11.1.0 (build 27000.0.0)", "ami-111")
    images = [*CATALOGUE, newer, image("Pexip Infinity Management Node 11.0.0.1 (build 27001.0.0)", "ami-11001")]
    assert pexip_image(images, "management", "11")["image_id"] == "ami-111"
    assert pexip_image(images, "management", "11", running="11.0.0")["image_id"] == "ami-11"
    assert pexip_image(images, "management", "11", running="11.1")["image_id"] == "ami-111"
    assert pexip_image(images, "management", "11", running="")["image_id"] == "ami-111"
    with pytest.raises(AnsibleFilterError, match=r"Management Node, version 11.2.0, .*11.1.0"):
        pexip_image(images, "management", "11", running="11.2.0")


def test_another_version_than_the_running_one_is_refused():
    with pytest.raises(
        AnsibleFilterError, match=r"pexip_version 10.2 is not the version of the Management Node, 11.0.0"
    ):
        pexip_image(CATALOGUE, "management", "10.2", running="11.0.0")
