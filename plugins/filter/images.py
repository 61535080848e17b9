# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Picks one Pexip image out of what EC2 lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleFilterError

DOCUMENTATION = r"""
name: pexip_image
short_description: The Pexip Infinity image of a kind and version
version_added: 0.1.0
author: the pexip.infinity authors
description:
  - Parses image names tolerantly (C(11.0.0 (build 26902.0.0)) as well as C(11.0.0 build 26902)); the guide's
    C(Configuration Node) is a Conferencing Node.
  - Takes the highest build of the highest version that matches. Images of another owner are never taken.
  - Conferencing Nodes run exactly the version that the Management Node O(running) has, even where a newer one is
    published that O(version) covers as well.
  - Fails when no image matches, naming the versions that there are, or when two share the highest version and build.
positional: kind, version
options:
  _input:
    description: Images as M(amazon.aws.ec2_ami_info) returns them.
    type: list
    elements: dict
    required: true
  kind:
    description: The node's kind.
    type: str
    choices: [management, conferencing]
    required: true
  version:
    description: The platform's version. V(11) stands for the highest 11.x; V(11.0.0) for exactly this one.
    type: str
    required: true
  owner:
    description: The account that publishes the images.
    type: str
    default: "686087431763"
  running:
    description: The version that the Management Node runs; empty while there is none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Find the image of a Management Node
  ansible.builtin.set_fact:
    image: "{{ listed.images | pexip.infinity.pexip_image('management', '11.0.0') }}"
"""

RETURN = r"""
_value:
  description: The image's C(image_id), C(name), C(version) and C(build).
  type: dict
  sample: {image_id: ami-e5d67696, name: "Pexip Infinity Management Node 11.0.0 (build 26902.0.0)",
    version: 11.0.0, build: 26902.0.0}
"""

OWNER = "686087431763"
NAME = re.compile(
    r"\s*Pexip\s+Infinity\s+(?P<kind>Management|Conferencing|Configuration)\s+Node"
    r"\s+v?(?P<version>\d+(?:\.\d+)*)\s*\(?\s*build\s+(?P<build>\d+(?:\.\d+)*)\s*\)?\s*",
    re.IGNORECASE,
)
KINDS = {"management": "management", "conferencing": "conferencing", "configuration": "conferencing"}


def numbers(version: str) -> tuple[int, ...]:
    """A dotted version as numbers that compare; trailing zeros do not count."""
    parts = [int(part) for part in version.split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def parse(image: Mapping) -> dict | None:
    """The image with its kind, version and build, or None when the name is not a Pexip node's."""
    match = NAME.fullmatch(image.get("name") or "")
    if not match:
        return None
    return {
        "image_id": image["image_id"],
        "name": image["name"],
        "kind": KINDS[match["kind"].lower()],
        "version": match["version"],
        "build": match["build"],
    }


def covers(version: str, candidate: str) -> bool:
    """Whether a version is the one asked for, or below it when fewer parts were given (11 covers 11.0.0)."""
    given = [int(part) for part in version.split(".")]
    have = [int(part) for part in candidate.split(".")]
    have += [0] * (len(given) - len(have))
    return have[: len(given)] == given


def version_problem(version: str, running: str) -> str | None:
    """Why nodes of a version cannot join a Management Node that runs another, or None when they can or there is none."""
    if not running or covers(version, running):
        return None
    return (
        f"pexip_version {version} is not the version of the Management Node, {running}: Conferencing Nodes run the "
        f"Management Node's version; set pexip_version to {running}, or upgrade the platform first"
    )


def pexip_image(
    images: Iterable[Mapping], kind: str, version: str, owner: str = OWNER, running: str | None = ""
) -> dict:
    """The image of O(kind) and O(version), or of O(running), with the highest build; AnsibleFilterError on none or a tie."""
    version = str(version)
    if kind not in ("management", "conferencing"):
        raise AnsibleFilterError(f"pexip_image: kind must be management or conferencing, not {kind!r}.")
    if not re.fullmatch(r"\d+(\.\d+)*", version):
        raise AnsibleFilterError(f"pexip_image: {version!r} is not a version such as 11.0.0.")
    parsed = [p for p in (parse(i) for i in images if str(i.get("owner_id")) == str(owner)) if p and p["kind"] == kind]
    if problem := version_problem(version, running or ""):
        raise AnsibleFilterError(problem)
    if running:
        version = running
        matching = [p for p in parsed if numbers(p["version"]) == numbers(running)]
    else:
        matching = [p for p in parsed if covers(version, p["version"])]
    if not matching:
        versions = sorted({p["version"] for p in parsed}, key=numbers)
        raise AnsibleFilterError(
            f"No image of a {kind.title()} Node, version {version}, is published by account {owner} in this region; "
            f"the versions there: {', '.join(versions) or 'none'}."
        )

    def rank(image: Mapping) -> tuple:
        return numbers(image["version"]), numbers(image["build"])

    highest = max(rank(p) for p in matching)
    best = {p["image_id"]: p for p in matching if rank(p) == highest}
    if len(best) > 1:
        raise AnsibleFilterError(
            f"Several images of a {kind.title()} Node, version {version}, share the highest build "
            f"{next(iter(best.values()))['build']}: {', '.join(sorted(best))}. Name one by its image id."
        )
    (image,) = best.values()
    return {key: image[key] for key in ("image_id", "name", "version", "build")}


class FilterModule:
    """Registers the filter."""

    def filters(self) -> dict:
        return {"pexip_image": pexip_image}
