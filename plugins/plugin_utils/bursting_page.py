# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page Status > Cloud Bursting as one HTML file that needs nothing else (guide, "Viewing cloud bursting status").

Every picture says in text what it shows, and no state is told by its colour alone.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_page_findings import finding_list
from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_page_parts import (
    hatch,
    icon,
    issue_list,
    location_card,
    node_rack,
    node_table,
    section,
    tile,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_page_style import FAVICON_COLOURS, STYLE
from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_words import (
    NEAR,
    REACHED,
    RUNNING,
    STARTING,
    node_state,
    overflow_state,
    worst,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.markup import Markup, element

OFF, QUIET, AILING, BURSTING = "off", "quiet", "ailing", "bursting"
MOODS = {  # the headline, for the state of the whole
    OFF: "Bursting is off",
    QUIET: "All quiet",
    AILING: "Needs attention",
    BURSTING: "Overflow nodes are on",
    NEAR: "Approaching threshold",
    REACHED: "Bursting threshold reached",
}


def mood(bursting: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] | None = None) -> str:
    """The state of the whole: that of the location nearest to its threshold, else whether overflow nodes are on.

    Nothing is called quiet that has an issue, or an error of the doctor's that is left.
    """
    if not bursting.get("enabled"):
        return OFF
    state = worst(bursting.get("locations") or [])
    if state in (NEAR, REACHED):
        return state
    on = any(node_state(node) in (RUNNING, STARTING) for node in bursting.get("nodes") or [])
    if on:
        return BURSTING
    wrong = bursting.get("issues") or any(f["severity"] == "error" and not f.get("repaired") for f in findings or [])
    return AILING if wrong else QUIET


def page(
    bursting: Mapping[str, Any],
    findings: Sequence[Mapping[str, Any]] | None = None,
    generated: str = "",
    title: str = "",
    refresh: int = 0,
) -> str:
    """The document.

    :param bursting: as pexip_bursting_info returns it
    :param findings: the doctor's, None where it was not asked
    :param generated: when the platform was asked, ISO 8601
    :param refresh: seconds after which a browser loads the file again; 0 for never
    """
    feeling = mood(bursting, findings)
    name = title or "Cloud bursting"
    body = element(
        "body",
        hatch(),
        _header(bursting, feeling, name, generated, refresh),
        _main(bursting, findings),
        class_=f"mood-{_slug(feeling)}",
    )
    head = _head(f"{MOODS[feeling]} · {name} · {bursting.get('management_node') or ''}".rstrip(" ·"), feeling, refresh)
    return "<!DOCTYPE html>\n" + element("html", head, body, lang="en") + "\n"


def _slug(feeling: str) -> str:
    return {NEAR: "near", REACHED: "reached"}.get(feeling, feeling)


def _head(title: str, feeling: str, refresh: int) -> Markup:
    picture = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="7" fill="{FAVICON_COLOURS[_slug(feeling)]}"/></svg>'
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element(
            "meta",
            http_equiv="Content-Security-Policy",
            content="default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ),
        element("meta", http_equiv="refresh", content=refresh) if refresh else None,
        element("title", title),
        element("link", rel="icon", href="data:image/svg+xml," + urllib.parse.quote(picture)),
        element("style", Markup(STYLE)),
    )


def _header(bursting: Mapping[str, Any], feeling: str, name: str, generated: str, refresh: int) -> Markup:
    facts = [
        f"Management Node {bursting['management_node']}" if bursting.get("management_node") else None,
        f"bursting threshold {bursting['threshold']}" if bursting.get("threshold") is not None else None,
        f"minimum lifetime {bursting['min_lifetime']} minutes" if bursting.get("min_lifetime") is not None else None,
    ]
    when = [
        element("span", "as of ", element("time", _moment(generated), datetime=generated)) if generated else None,
        element("span", f"refreshes every {refresh} seconds", class_="noprint") if refresh else None,
    ]
    return element(
        "header",
        element(
            "div",
            element("div", element("p", name, class_="eyebrow"), element("h1", icon(_slug(feeling)), MOODS[feeling])),
            element("p", [element("span", fact) for fact in facts if fact], class_="facts"),
            element("p", [part for part in when if part], class_="facts when"),
            class_="wrap",
        ),
        _cloud(),
    )


def _moment(generated: str) -> str:
    """An ISO 8601 time as people read it: to the second, with a space."""
    day, _t, clock = generated.partition("T")
    zone = " UTC" if clock.endswith(("Z", "+00:00")) else ""
    return f"{day} {clock[:8]}{zone}".strip()


def _cloud() -> Markup:
    """Decoration."""
    shape = "M60 150a50 50 0 0 1 8-99 72 72 0 0 1 138-14 58 58 0 0 1 88 62 28 28 0 0 1-6 51z"
    return element("svg", element("path", d=shape), class_="cloud", viewBox="0 0 330 160", aria_hidden="true")


def _main(bursting: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] | None) -> Markup:
    locations, overflow = (list(bursting.get(key) or []) for key in ("locations", "overflow_locations"))
    nodes, issues = list(bursting.get("nodes") or []), list(bursting.get("issues") or [])
    threshold = int(bursting.get("threshold") or 0)
    # The platform lists an overflow location only while it is active.
    targets = [row["overflow_location"] for row in locations if row.get("overflow_location")]
    homes = list(dict.fromkeys([*(row["name"] for row in overflow), *targets]))
    by_name = {row["name"]: {**row, "state": overflow_state(row, threshold)} for row in overflow}
    return element(
        "main",
        element("div", _tiles(locations, overflow, nodes, issues, findings), class_="tiles")
        if locations or nodes
        else None,
        section("Issues", "What the platform itself says is wrong.", issue_list(issues)) if issues else None,
        section(
            "Primary locations",
            "The hatched part of a bar is the bursting threshold: when calls reach it, an overflow node starts.",
            element("div", [location_card(row, threshold) for row in locations], class_="cards"),
        )
        if locations
        else section("Primary locations", None, _empty(bursting)),
        section(
            "Overflow locations",
            "The platform starts and stops their nodes by itself.",
            element(
                "div",
                [_overflow_card(by_name.get(name, {"name": name}), threshold, nodes) for name in homes],
                class_="cards",
            ),
        )
        if homes
        else None,
        section("Cloud overflow nodes", None, node_table(nodes, int(bursting.get("min_lifetime") or 0)))
        if nodes
        else None,
        section("Findings", "What the comparison of AWS with the platform says.", finding_list(findings))
        if findings is not None
        else None,
        class_="wrap",
    )


def _overflow_card(location: Mapping[str, Any], threshold: int, nodes: list[dict]) -> Markup:
    return location_card(
        location, threshold, node_rack([node for node in nodes if node.get("location") == location["name"]])
    )


def _tiles(
    locations: list[dict],
    overflow: list[dict],
    nodes: list[dict],
    issues: list[str],
    findings: Sequence[Mapping[str, Any]] | None,
) -> list[Markup]:
    """The figures of the whole."""
    free, most = (sum(row.get(key) or 0 for row in locations) for key in ("free_hd_calls", "max_hd_calls"))
    extra, size = (sum(row.get(key) or 0 for row in overflow) for key in ("free_hd_calls", "max_hd_calls"))
    states = [node_state(node) for node in nodes]
    starting = states.count(STARTING)
    shown = [
        tile("Free HD connections", free, f"of {most} in primary locations"),
        tile("Free overflow connections", extra, f"of {size} on running nodes"),
        tile(
            "Overflow nodes running",
            states.count(RUNNING),
            f"of {len(nodes)}" + (f", {starting} starting" if starting else ""),
        ),
    ]
    if findings is None:
        shown.append(tile("Issues", len(issues), "reported by the platform", alert=bool(issues)))
    else:
        open_ = [f for f in findings if not f.get("repaired")]
        errors, warnings = (sum(f["severity"] == severity for f in open_) for severity in ("error", "warning"))
        shown.append(
            tile("Errors", errors, f"and {warnings} warning{'' if warnings == 1 else 's'}", alert=bool(errors))
        )
    return shown


def _empty(bursting: Mapping[str, Any]) -> Markup:
    """What to do when there is nothing to show."""
    if not bursting.get("enabled"):
        message = "Bursting is not enabled on this platform, so it monitors no location. The playbook that sets it up:"
    else:
        message = "No location overflows to bursting nodes: no primary overflow location holds a tagged node. This sets it up:"
    command = element("code", "ansible-playbook pexip.infinity.enable_bursting")
    return element("div", element("p", message), element("p", command), class_="empty")
