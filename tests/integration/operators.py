# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""IAM users who run playbooks with the policies of docs/iam, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pexip_lab.client import Lab

IAM = Path(__file__).parents[2] / "docs/iam"
ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def policy(playbook: str, without: str | None = None) -> dict[str, Any]:
    """The policy document of a playbook, on request without one of its actions.

    Where none is left it allows what everybody may do: IAM takes no policy without a statement.
    """
    document = json.loads((IAM / f"{playbook}.json").read_text())
    for statement in document["Statement"]:
        statement["Action"] = [action for action in statement["Action"] if action != without]
    left = [statement for statement in document["Statement"] if statement["Action"]]
    return {**document, "Statement": left or [{"Effect": "Allow", "Action": "sts:GetCallerIdentity", "Resource": "*"}]}


def operator(lab: Lab, name: str, document: dict[str, Any]) -> dict[str, str]:
    """Makes a user with that policy; the environment that a run of hers has."""
    iam = lab.iam()
    iam.create_user(UserName=name)
    made = iam.create_policy(PolicyName=f"of-{name}", PolicyDocument=json.dumps(document))["Policy"]
    iam.attach_user_policy(UserName=name, PolicyArn=made["Arn"])
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def asked(lab: Lab, user: dict[str, str]) -> list[list[str]]:
    """What she has asked AWS for: actions, kinds of resources, and for tags what made the resource."""
    return lab.aws_asked().get(user["AWS_ACCESS_KEY_ID"], [])
