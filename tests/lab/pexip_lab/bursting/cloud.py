"""EC2, as the user whose access key is in the global settings may use it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ..network import REGION

TAG = "pexip-cloud"
#: By this the lab tells the platform's own requests from those of others.
USER_AGENT = "pexip-infinity"
STATES = ["pending", "running", "stopping", "stopped"]
_UNAUTHORIZED = ("UnauthorizedOperation", "AccessDenied")


class CloudRefused(Exception):
    """AWS did not do it; the text is a status issue."""


@dataclass(frozen=True)
class Instance:
    """A tagged instance."""

    id: str
    name: str
    address: str
    state: str
    launched: datetime


class Cloud:
    """A client that signs in anew when the access key has changed."""

    def __init__(self, endpoint: str):
        self._endpoint = endpoint
        self._session = boto3.session.Session()  # the default one must not be shared between threads
        self._keys: tuple[str | None, str | None] = (None, None)
        self._client: Any = None

    def sign_in(self, access_key: str | None, secret_key: str | None) -> None:
        """Use this access key from now on.

        Raises:
            CloudRefused: there is none.
        """
        if not (access_key and secret_key):
            raise CloudRefused("No AWS access key ID and AWS secret access key are configured.")
        if self._keys != (access_key, secret_key):
            self._client = self._session.client(
                "ec2",
                endpoint_url=self._endpoint,
                region_name=REGION,
                aws_access_key_id=access_key,
                aws_secret_access_key=secret_key,
                config=Config(proxies={}, user_agent=USER_AGENT, retries={"max_attempts": 0}),
            )
            self._keys = (access_key, secret_key)

    def instances(self, hostname: str) -> list[Instance]:
        """The instances that carry the platform's tag, by name.

        Raises:
            CloudRefused: AWS does not say.
        """
        filters = [
            {"Name": f"tag:{TAG}", "Values": [hostname]},
            {"Name": "instance-state-name", "Values": STATES},
        ]
        with _asking(REGION):
            pages = list(self._client.get_paginator("describe_instances").paginate(Filters=filters))
        found = [
            _instance(item)
            for page in pages
            for reservation in page["Reservations"]
            for item in reservation["Instances"]
        ]
        return sorted(found, key=lambda instance: (instance.name, instance.id))

    def start(self, instance_id: str) -> bool:
        """Start an instance.

        Returns:
            Whether it was stopped.

        Raises:
            CloudRefused: AWS does not do it.
        """
        with _asking(instance_id):
            (change,) = self._client.start_instances(InstanceIds=[instance_id])["StartingInstances"]
        return change["PreviousState"]["Name"] == "stopped"

    def stop(self, instance_id: str) -> None:
        """Stop an instance.

        Raises:
            CloudRefused: AWS does not do it.
        """
        with _asking(instance_id):
            self._client.stop_instances(InstanceIds=[instance_id])


def _instance(item: dict[str, Any]) -> Instance:
    tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", ())}
    return Instance(
        id=item["InstanceId"],
        name=tags.get("Name", ""),
        address=item.get("PrivateIpAddress", ""),
        state=item["State"]["Name"],
        launched=item["LaunchTime"],
    )


@contextlib.contextmanager
def _asking(about: str) -> Iterator[None]:
    """Say it in the guide's words (Troubleshooting) when the block is not allowed what it asks of AWS.

    Args:
        about: an instance's id, or the region's name.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] in _UNAUTHORIZED:
            text = f"Not authorized to perform an operation on {about}. Check the policy created for the AWS user."
        else:
            text = f"AWS refused an operation on {about}: {error.response['Error']['Message']}"
        raise CloudRefused(text) from None
