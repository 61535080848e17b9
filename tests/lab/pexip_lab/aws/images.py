"""The machine images of the account's region, Pexip's among them, and what an image's name says."""

import re
from dataclasses import dataclass
from typing import Any

from moto.ec2.models.amis import Ami

PEXIP_OWNER = "686087431763"
# the ids of 11.0.0 (build 26902.0.0) are those on the guide's screens
IMAGES = (
    ("ami-e5d67696", PEXIP_OWNER, "Pexip Infinity Management Node 11.0.0 (build 26902.0.0)"),
    ("ami-60dd7d13", PEXIP_OWNER, "Pexip Infinity Conferencing Node 11.0.0 (build 26902.0.0)"),
    ("ami-11aa6850", PEXIP_OWNER, "Pexip Infinity Management Node 11.0.0 (build 26850.0.0)"),
    ("ami-22aa6850", PEXIP_OWNER, "Pexip Infinity Conferencing Node 11.0.0 (build 26850.0.0)"),
    ("ami-11aa2300", PEXIP_OWNER, "Pexip Infinity Management Node 10.2.0 (build 23000.0.0)"),
    ("ami-22aa2300", PEXIP_OWNER, "Pexip Infinity Conferencing Node 10.2.0 (build 23000.0.0)"),
    ("ami-11aa7100", PEXIP_OWNER, "Pexip Infinity Management Node 11.1.0 (build 27100.0.0)"),
    ("ami-22aa7100", PEXIP_OWNER, "Pexip Infinity Conferencing Node 11.1.0 (build 27100.0.0)"),
    ("ami-0c1d8000361000001", PEXIP_OWNER, "Pexip Infinity Management Node 36.1.0 (build 80455.0.0)"),
    ("ami-0c1d8000361000002", PEXIP_OWNER, "Pexip Infinity Conferencing Node 36.1.0 (build 80455.0.0)"),
    ("ami-0badbadbadbad0001", "999988887777", "Pexip Infinity Management Node 11.0.0 (build 99999.0.0)"),
    ("ami-0badbadbadbad0002", "999988887777", "Pexip Infinity Conferencing Node 11.0.0 (build 99999.0.0)"),
    ("ami-0a1b2c3d4e5f60001", "137112412989", "amzn2-ami-hvm-2.0.20230221.0-x86_64-gp2"),
)
# the guide once calls a Conferencing Node a "Configuration Node"
_NAME = re.compile(
    r"^Pexip Infinity (?P<kind>Management|Conferencing|Configuration) Node "
    r"(?P<version>\d+(?:\.\d+)*) \(?build (?P<build>\d+(?:\.\d+)*)\)?$"
)


@dataclass(frozen=True)
class PexipImage:
    """What the name of one of Pexip's images says."""

    kind: str  # management or conferencing
    version: str
    build: str

    @property
    def full_version(self) -> str:
        """Version and build as a node reports them."""
        return f"{self.version} ({self.build})"


def load(backend: Any) -> None:
    """Publish the images in a region."""
    for image_id, owner, name in IMAGES:
        backend.amis[image_id] = Ami(
            backend,
            image_id,
            name=name,
            description=name,
            owner_id=owner,
            public=True,
            virtualization_type="hvm",
            architecture="x86_64",
            hypervisor="xen",
            root_device_type="ebs",
            root_device_name="/dev/sda1",
            image_location=f"{owner}/{name}",
            region_name="eu-west-1a",
        )


def pexip_image(owner: str, name: str) -> PexipImage | None:
    """Kind, version and build of an image; None for every image that is not Pexip's own, whatever it is called."""
    match = _NAME.match(name or "")
    if owner != PEXIP_OWNER or match is None:
        return None
    kind = "management" if match["kind"] == "Management" else "conferencing"
    return PexipImage(kind, match["version"], match["build"])
