# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor of cloud bursting: one pure function over what AWS, the platform and the inventory say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils import (
    doctor_access,
    doctor_capacity,
    doctor_instances,
    doctor_nodes,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_case import Case
from ansible_collections.pexip.infinity.plugins.plugin_utils.doctor_findings import CODES, SEVERITIES

CHECKS = (*doctor_access.CHECKS, *doctor_instances.CHECKS, *doctor_nodes.CHECKS, *doctor_capacity.CHECKS)


def examine(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every finding (see doctor_findings.finding), the worst first, then in the order of the codes, then by object."""
    case = Case(facts)
    order = list(CODES)
    found = {(f["code"], f["object"], f["message"]): f for check in CHECKS for f in check(case)}
    return sorted(found.values(), key=lambda f: (SEVERITIES.index(f["severity"]), order.index(f["code"]), f["object"]))
