# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the doctor of cloud bursting can find: the codes, which never change their meaning, and a finding's form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ERROR, WARNING, INFORMATION = "error", "warning", "information"
SEVERITIES = (ERROR, WARNING, INFORMATION)
LOGS = "the administrator log says more: its messages about bursting have the log module Name administrator.apps.cloudbursting"

# Sections of the deployment guide.
SETTING_UP = "Setting up your bursting nodes in AWS and enabling bursting in Pexip Infinity"
POLICY = "Configuring an AWS user and policy for controlling overflow nodes"
STATUS = "Viewing cloud bursting status"
GUIDELINES = "Deployment guidelines and additional information"
STARTING = "Manually starting an overflow node"
HOW_IT_WORKS = "How it works"
LIMITATIONS = "Limitations"
NOT_SHOWN = "No AWS nodes appear in the Cloud overflow nodes area of the Status > Cloud Bursting page"
NO_NODE = "Instance found but no corresponding Conferencing Node"
CONNECTIVITY = "Connectivity errors in the administrator log"
NOT_AUTHORIZED = "Not authorized to perform an operation"
ADDRESSES = "IP addressing"
STOPPING = "Temporarily removing (stopping) a Conferencing Node instance"
RESTARTING = "Reinstating (restarting) a stopped Conferencing Node instance"
DEPLOYING = "Deploying a Conferencing Node in AWS"

ENABLE, CONVERT, ONBOARD, DEPLOY, START, REFRESH = (
    f"pexip.infinity.{name}"
    for name in (
        "enable_bursting",
        "convert_nodes",
        "onboard_nodes",
        "deploy_management",
        "start_nodes",
        "refresh_static_nat",
    )
)


@dataclass(frozen=True)
class Code:
    """One kind of finding: its usual severity, the guide's section, the playbook that mends it, and what it means."""

    severity: str
    guide: str
    playbook: str | None
    meaning: str


CODES = {
    "not-enabled": Code(ERROR, SETTING_UP, ENABLE, "bursting is off, or set up for another cloud"),
    "credentials-refused": Code(ERROR, POLICY, ENABLE, "the platform holds no access key that the account accepts"),
    "policy-missing": Code(ERROR, POLICY, ENABLE, "the platform's user has no policy, and the account none for it"),
    "policy-detached": Code(ERROR, POLICY, ENABLE, "the policy exists and is not attached to the platform's user"),
    "policy-host-name": Code(ERROR, POLICY, ENABLE, "the policy names another host name"),
    "policy-actions": Code(ERROR, POLICY, ENABLE, "the policy allows too few actions, or denies them"),
    "policy-broad": Code(WARNING, POLICY, ENABLE, "the policy lets the platform start and stop any instance"),
    "policy-unread": Code(WARNING, POLICY, None, "user and policies could not be read"),
    "not-authorized": Code(
        ERROR, NOT_AUTHORIZED, ENABLE, "AWS refuses the platform, and no error in its policies says why"
    ),
    "not-listed": Code(ERROR, NOT_SHOWN, ENABLE, "an overflow node is tagged, and the platform does not list it"),
    "duplicate-host-name": Code(ERROR, POLICY, None, "two platforms of the account share one host name"),
    "tag-missing": Code(ERROR, NOT_SHOWN, ENABLE, "an overflow node's instance has no tag pexip-cloud"),
    "tag-wrong": Code(
        ERROR, NOT_SHOWN, ENABLE, "an overflow node's tag pexip-cloud has another value than the host name"
    ),
    "tag-stray": Code(ERROR, GUIDELINES, CONVERT, "an instance that is always on carries the tag pexip-cloud"),
    "instance-without-node": Code(WARNING, NO_NODE, ONBOARD, "a tagged instance has no Conferencing Node"),
    "node-without-instance": Code(ERROR, SETTING_UP, ONBOARD, "an overflow node has no instance"),
    "region-differs": Code(ERROR, LIMITATIONS, None, "an instance is in another region than the platform"),
    "version-differs": Code(ERROR, DEPLOYING, None, "an overflow node has another version than the Management Node"),
    "location-wrong": Code(ERROR, SETTING_UP, CONVERT, "a node is not in the location that its group asks for"),
    "location-mixed": Code(WARNING, GUIDELINES, CONVERT, "always-on and overflow nodes share a location"),
    "location-servers": Code(ERROR, SETTING_UP, DEPLOY, "an overflow location has no DNS or NTP servers"),
    "overflow-location-missing": Code(
        ERROR, SETTING_UP, ENABLE, "a location has no primary overflow location, or another"
    ),
    "overflow-location-secondary-only": Code(
        ERROR, SETTING_UP, ENABLE, "a bursting location is only a secondary overflow location, which never bursts"
    ),
    "many-overflow-nodes": Code(
        WARNING, GUIDELINES, ENABLE, "a conference may need more than three overflow nodes, and there is one location"
    ),
    "distributed-database": Code(
        ERROR, SETTING_UP, ENABLE, "the distributed database is on for a node that is often off"
    ),
    "static-nat-stale": Code(ERROR, RESTARTING, REFRESH, "the static NAT address is not the instance's public address"),
    "maintenance": Code(WARNING, STOPPING, None, "an overflow node is in maintenance mode and takes no conference"),
    "node-silent": Code(ERROR, CONNECTIVITY, None, "an overflow node runs and does not report in"),
    "idle-overrun": Code(WARNING, GUIDELINES, None, "an overflow node runs idle past its minimum lifetime"),
    "overflow-exhausted": Code(WARNING, HOW_IT_WORKS, ENABLE, "the threshold is reached and no node is left to start"),
    "no-media-load": Code(INFORMATION, GUIDELINES, None, "the threshold is reached without media load: nothing starts"),
    "threshold-unadvised": Code(WARNING, STARTING, ENABLE, "the bursting threshold is outside the advised range"),
    "licences-few": Code(WARNING, GUIDELINES, DEPLOY, "fewer licences than the nodes have capacity"),
    "platform-issue": Code(WARNING, STATUS, None, "the platform names an issue that the doctor does not know"),
    "transient": Code(INFORMATION, CONNECTIVITY, None, "something is starting, stopping or being deployed"),
}


def finding(
    code: str,
    object: str,
    message: str,
    *,
    severity: str | None = None,
    playbook: str | None = None,
    mend: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One finding.

    :param object: the name of what is wrong: an instance's or node's, a location's, a setting's
    :param message: a sentence that names object, field, value and remedy
    :param severity: where it is not the code's usual one; likewise ``playbook``
    :param mend: what mends it without risk: ``kind`` (tag, untag, node, location), ``name`` and ``settings``
    """
    known = CODES[code]
    return {
        "code": code,
        "severity": severity or known.severity,
        "object": object,
        "message": message,
        "guide": known.guide,
        "playbook": playbook or known.playbook,
        "repair": mend is not None,
        "mend": dict(mend) if mend else None,
    }
