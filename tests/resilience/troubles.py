# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can befall a whole playbook run: faults of AWS, of the management API, of SSH and of nodes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

# A wait that is in vain need not be long.
SHORT = {
    "management_node_launch_timeout": 20,
    "management_node_install_timeout": 20,
    "conferencing_node_launch_timeout": 20,
    "conferencing_node_bootstrap_timeout": 20,
    "conferencing_node_contact_timeout": 20,
    "cloud_bursting_stop_timeout": 20,
    "node_maintenance_instance_timeout": 20,
    "node_maintenance_contact_timeout": 20,
    "node_removal_instance_timeout": 20,
}
DEPLOY, ONBOARD, BURST = "deploy_management", "onboard_nodes", "enable_bursting"
STOP, START, REMOVE = "stop_nodes", "start_nodes", "remove_nodes"
LAUNCHING = (DEPLOY, ONBOARD, BURST)
EVERYWHERE = (*LAUNCHING, STOP, START, REMOVE)


@dataclass(frozen=True)
class Trouble:
    """A fault for a run.

    :param options: the fault's kind and options
    :param cause: what an error says of it
    :param scenarios: where it can strike
    :param hopeless: the instance that it strikes never comes up: its error names it, and a person replaces it, as the error
        says. Waits are short then.
    """

    name: str
    options: dict[str, Any]
    cause: str
    scenarios: tuple[str, ...] = EVERYWHERE
    hopeless: bool = False
    variables: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name


def _aws(name: str, kind: str, cause: str, scenarios: tuple[str, ...] = LAUNCHING, **options: Any) -> Trouble:
    hopeless = kind in ("stuck-pending", "no-boot")
    return Trouble(
        f"AWS: {name}", {"kind": kind, "on": "aws", **options}, cause, scenarios, hopeless, SHORT if hopeless else {}
    )


def _api(
    name: str,
    kind: str,
    cause: str,
    scenarios: tuple[str, ...] = EVERYWHERE,
    variables: dict[str, Any] | None = None,
    **options: Any,
) -> Trouble:
    return Trouble(f"API: {name}", {"kind": kind, "on": "api", **options}, cause, scenarios, variables=variables or {})


def _ssh(name: str, kind: str, cause: str, **options: Any) -> Trouble:
    variables = {} if cause == "never" else SHORT
    return Trouble(f"SSH: {name}", {"kind": kind, "on": "ssh", **options}, cause, (DEPLOY,), variables=variables)


def _node(name: str, kind: str, cause: str, **options: Any) -> Trouble:
    return Trouble(f"node: {name}", {"kind": kind, "on": "node", **options}, cause, (ONBOARD, BURST), variables=SHORT)


UNREACHABLE = "Connection refused|no connection to|broke before|does not answer|TLS with|in vain|20 seconds"
THROTTLED = "RequestLimitExceeded|Throttling"
ALL = [
    _aws("throttles now and then", "throttle", THROTTLED, EVERYWHERE, probability=0.2, seed=1),
    _aws("throttles launches", "throttle", THROTTLED, method="RunInstances"),
    _aws("no capacity", "capacity", "InsufficientInstanceCapacity", method="RunInstances"),
    _aws("type not supported", "unsupported", r"not supported in your requested Availability Zone"),
    _aws("stays pending", "stuck-pending", "pending"),
    _aws("never boots", "no-boot", "time-out 20|in vain|did not report in"),
    _aws("terminates what was launched", "terminate", "terminated|gave up|shutting-down", method="RunInstances"),
    _aws("terminates it later", "terminate", "terminated|gave up|gone|in vain", method="RunInstances", seconds=60),
    _aws("fails for a moment", "status", "never", EVERYWHERE, status=503, nth=5, times=2),
    _aws("fails to launch", "status", "InternalError|internal error", status=500, method="RunInstances"),
    _aws("fails after the launch", "status", "never", status=500, method="RunInstances", when="after", nth=1),
    _aws("loses the answer to a launch", "reset", "never", method="RunInstances", when="after", nth=1),
    _aws("loses every answer to a launch", "reset", "onnection", method="RunInstances", when="after"),
    _aws("loses the answer to a key", "reset", "never", (BURST,), method="CreateAccessKey", when="after", nth=1),
    _aws("loses every key", "reset", "onnection|LimitExceeded", (BURST,), method="CreateAccessKey", when="after"),
    _aws("loses the answer to an address", "reset", "never", (ONBOARD,), method="AllocateAddress", when="after", nth=1),
    _aws("loses every address", "reset", "onnection", (ONBOARD,), method="AllocateAddress", when="after"),
    _aws("fails to associate", "status", "nternal", (ONBOARD,), status=500, method="AssociateAddress"),
    _aws("is out of reach", "refuse", "onnect|EndpointConnectionError", EVERYWHERE),
    _aws("has no capacity for a start", "capacity", "InsufficientInstanceCapacity", (START,), method="StartInstances"),
    _aws("loses the answer to a start", "reset", "never", (START,), method="StartInstances", when="after", nth=1),
    _aws("takes the key no more at a start", "unauthorized", "AuthFailure", (START,), method="StartInstances"),
    _aws("loses the answer to a stop", "reset", "never", (STOP,), method="StopInstances", when="after", nth=1),
    _aws("takes the key no more at a stop", "unauthorized", "AuthFailure", (STOP,), method="StopInstances"),
    _aws(
        "loses the answer to a removal", "reset", "never", (REMOVE,), method="TerminateInstances", when="after", nth=1
    ),
    _aws("loses every answer to a removal", "reset", "onnection", (REMOVE,), method="TerminateInstances", when="after"),
    _aws(
        "takes the key no more at a release",
        "unauthorized",
        "AuthFailure",
        (REMOVE,),
        method="ReleaseAddress",
    ),
    _api("fails to create", "status", r"\(500\)", LAUNCHING, status=500, match="configuration", method="POST"),
    _api(
        "loses the answer to a creation",
        "reset",
        "never",
        LAUNCHING,
        match="configuration",
        method="POST",
        when="after",
        nth=1,
    ),
    _api(
        "loses every answer",
        "reset",
        "broke before|without giving its configuration document",
        LAUNCHING,
        match="configuration",
        method="POST",
        when="after",
    ),
    _api("fails to change", "status", r"\(500\)", (STOP, START), status=500, method="PATCH"),
    _api("loses the answer to a change", "reset", "never", (STOP, START), method="PATCH", when="after", nth=1),
    _api("fails to delete", "status", r"\(500\)", (REMOVE,), status=500, method="DELETE"),
    _api("loses the answer to a deletion", "reset", "never", (REMOVE,), method="DELETE", when="after", nth=1),
    _api("answers late", "delay", "timed out", probability=0.1, seed=1, seconds=3),
    _api("sends one byte after the other", "slow", "never", nth=3, times=1, seconds=2),
    _api("takes no connection", "refuse", UNREACHABLE, variables=SHORT),
    _api("drops connections", "abort", UNREACHABLE, variables=SHORT),
    _api("shows an expired certificate", "expired-certificate", "certificate", variables=SHORT),
    _api("is busy now and then", "status", r"\(503\)", status=503, probability=0.2, seed=1),
    _api("limits the rate", "status", r"\(429\)", status=429, retry_after=1, probability=0.2, seed=1),
    _api(
        "cuts answers short",
        "truncate",
        "broke before|without giving its configuration document",
        probability=0.2,
        seed=1,
    ),
    _api(
        "answers nonsense",
        "garbage",
        "not a JSON object|without giving its configuration document",
        probability=0.2,
        seed=1,
    ),
    _api("does not take the password any more", "unauthorized", r"\(401\)", nth=6),
    _ssh("drops once in the wizard", "drop", "never", match="^Hostname", times=1),
    _ssh("drops after the last answer", "drop", "never", match="^Send deployment", when="after", times=1),
    _ssh("drops each time", "drop", "host name|Hostname|in vain|20 seconds", match="^Hostname"),
    _ssh("shows another host key", "host-key", "host key", nth=2),
    _node("refuses its document", "status", r"\(500\)", status=500),
    _node("takes its document and says nothing", "reset", "never", when="after", nth=1),
    _node("does not report in", "silent", "did not report in|to be in contact"),
]
