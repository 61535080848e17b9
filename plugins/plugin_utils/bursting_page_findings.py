# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The doctor's findings on the bursting page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_page_parts import chip, icon
from ansible_collections.pexip.infinity.plugins.plugin_utils.markup import Markup, element


def finding_list(findings: Sequence[Mapping[str, Any]]) -> Markup:
    """The findings, each with what it is, what to do, where the guide speaks of it and what mends it."""
    if not findings:
        return element("p", icon("quiet"), "Nothing is wrong: AWS and the platform agree.", class_="well")
    return element("div", [_finding(found) for found in findings], class_="findings")


def _finding(found: Mapping[str, Any]) -> Markup:
    repaired = found.get("repaired")
    severity = found["severity"]
    chips = [chip("mended", "ok") if repaired else chip(severity, severity)]
    mends = [
        element("span", "guide: ", element("q", found["guide"])) if found.get("guide") else None,
        element("span", "mended by ", element("code", f"ansible-playbook {found['playbook']}"))
        if found.get("playbook") and not repaired
        else None,
        element(
            "span",
            "or by ",
            element("code", "check_bursting"),
            " with ",
            element("code", "bursting_report_repair: true"),
        )
        if found.get("repair") and not repaired
        else None,
    ]
    return element(
        "article",
        element("div", element("h3", found["object"]), element("code", found["code"]), chips, class_="cardhead"),
        # Its heading has named the object already.
        element("p", found["message"].removeprefix(f"{found['object']}: ")),
        element("p", [part for part in mends if part], class_="beside"),
        class_=f"card finding finding-{'ok' if repaired else severity}",
    )
