# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of the bursting page: tiles, location cards with their load bars, racks and the table of overflow nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_words import (
    NEAR,
    OK,
    REACHED,
    RUNNING,
    STARTING,
    STATES,
    STOPPED,
    STOPPING,
    duration,
    node_name,
    node_state,
    notes,
    percent,
    share,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.markup import Markup, element

CELLS = 60  # up to so many HD connections each has a cell of its own in the bar
STATE_CLASS = {OK: "ok", NEAR: "near", REACHED: "reached"}

# Drawn in a square of 24: a shape of its own for each state, so that colour is never all that tells.
ICONS = {
    "off": "M12 3v8M6.3 6.3a8 8 0 1 0 11.4 0",
    "quiet": "M4 12.5l5 5L20 6.5",
    "ok": "M4 12.5l5 5L20 6.5",
    "bursting": "M12 20V5M5 12l7-7 7 7",
    "near": "M12 4L2.5 20.5h19zM12 10v5M12 17.8v.2",
    "ailing": "M12 4v10M12 19.3v.2",
    "reached": "M13.5 2L4 14h7l-1.5 8L20 10h-7.5z",
    "error": "M6 6l12 12M18 6L6 18",
    "warning": "M12 4L2.5 20.5h19zM12 10v5M12 17.8v.2",
    "information": "M12 10v8M12 6v.2",
    "arrow": "M4 12h15M13 6l6 6-6 6",
}

RESTING = {STOPPED: "M15 24h10", STOPPING: "M20 16v15M14 25l6 6 6-6"}


def known(prefix: str, state: str) -> str:
    """The class of a node's state; EC2 may know more states than this page."""
    return f"{prefix}-{state if state in STATES.values() else 'other'}"


def icon(name: str) -> Markup:
    """A picture that goes with its word."""
    return element(
        "svg", element("path", d=ICONS[name]), class_=f"icon icon-{name}", viewBox="0 0 24 24", aria_hidden="true"
    )


def section(title: str, explanation: str | None, *content: Any) -> Markup:
    """A part of the page under its heading."""
    key = title.lower().replace(" ", "-")
    heading = [element("h2", title, id=key), element("p", explanation, class_="lead") if explanation else None]
    return element("section", heading, content, aria_labelledby=key)


def tile(label: str, figure: int, beside: str, alert: bool = False) -> Markup:
    """A large figure with what it counts."""
    parts = [element("p", label, class_="label"), element("p", element("strong", figure), " ", element("span", beside))]
    return element("div", parts, class_="tile alert" if alert else "tile")


def chip(state: str, kind: str) -> Markup:
    """A state as a word with its picture."""
    return element("span", icon(kind), state, class_=f"chip chip-{kind}")


def load_bar(free: int, most: int, threshold: int, state: str) -> Markup:
    """Used HD connections from the left, the threshold hatched at the right; a text says the same."""
    if not most:
        return element("p", "no capacity: no node is running", class_="nobar")
    used = max(0, most - free)
    label = f"{used} of {most} HD connections in use, {free} free; the bursting threshold is {threshold}"
    kind = STATE_CLASS.get(state, "ok")
    mark = share(most - threshold, most)
    cells = [
        element("line", x1=f"{share(n, most):.3f}%", x2=f"{share(n, most):.3f}%", y1="0", y2="100%", class_="cell")
        for n in range(1, most)
        if most <= CELLS
    ]
    return element(
        "svg",
        element("rect", width="100%", height="100%", class_="track"),
        element("rect", x=f"{mark:.3f}%", width=f"{100 - mark:.3f}%", height="100%", class_="reserve"),
        element("rect", width=f"{share(used, most):.3f}%", height="100%", class_=f"used used-{kind}"),
        cells,
        element("line", x1=f"{mark:.3f}%", x2=f"{mark:.3f}%", y1="0", y2="100%", class_="mark")
        if 0 < mark < 100
        else None,
        class_="bar",
        role="img",
        aria_label=label,
    )


def hatch() -> Markup:
    """The pattern of all load bars; once on a page."""
    lines = element("path", d="M-2 2l4-4M0 8l8-8M6 10l4-4")
    pattern = element("pattern", lines, id="hatch", width="8", height="8", patternUnits="userSpaceOnUse")
    return element("svg", element("defs", pattern), class_="hidden", width="0", height="0", aria_hidden="true")


def location_card(location: Mapping[str, Any], threshold: int, rack: Markup | None = None) -> Markup:
    """A primary location, or with a rack of nodes an overflow location."""
    free, most = int(location.get("free_hd_calls") or 0), int(location.get("max_hd_calls") or 0)
    state = location.get("state") or OK
    kind = STATE_CLASS.get(state, "ok")
    load, target = location.get("media_load"), location.get("overflow_location")
    figure = element("p", element("strong", free), f" of {most} HD connections free", class_="figure") if most else None
    beside = [
        element("span", f"media load {percent(load)}") if load is not None else None,
        element("span", f"{most - free} in use, threshold {threshold}") if most else None,
    ]
    return element(
        "article",
        element(
            "div",
            element("h3", location["name"]),
            chip(state, kind) if rack is None or state != OK else None,
            class_="cardhead",
        ),
        element("p", icon("arrow"), element("span", "overflows to "), element("b", target), class_="target")
        if target
        else None,
        figure,
        load_bar(free, most, threshold, state),
        element("p", [part for part in beside if part], class_="beside") if any(beside) else None,
        rack,
        class_=f"card card-{kind}",
    )


def node_rack(nodes: list[dict[str, Any]]) -> Markup:
    """The nodes of an overflow location as tiles that fill with their load; nothing where there is none."""
    return element("ul", [_slot(node) for node in nodes], class_="rack") if nodes else Markup("")


def _slot(node: Mapping[str, Any]) -> Markup:
    state, load = node_state(node), node.get("media_load") or 0
    height = share(load, 100) * 0.36 if state == RUNNING else 0
    picture = element(
        "svg",
        element("rect", x="4", y="3", width="32", height="42", rx="7", class_="case"),
        element("rect", x="6", y=f"{43 - height:.2f}", width="28", height=f"{height:.2f}", rx="4", class_="level")
        if height
        else None,
        element("path", d="M24 12L14 26h6l-3 11 10-14h-6z", class_="bolt") if state == STARTING else None,
        element("path", d=RESTING[state], class_="rest") if state in RESTING else None,
        element("circle", cx="20", cy="11", r="3", class_="lamp") if state == RUNNING else None,
        class_=f"slot {known('slot', state)}",
        viewBox="0 0 40 48",
        aria_hidden="true",
    )
    name = node_name(node)
    said = [state, percent(load)] if state == RUNNING else [state]
    return element(
        "li",
        picture,
        element("span", name, class_="slotname", title=name),
        [element("span", words, class_="soft") for words in said],
    )


COLUMNS = ("Node", "State", "Running for", "Media load", "HD connections", "Address", "Instance")


def node_table(nodes: list[dict[str, Any]], lifetime: int) -> Markup:
    """The cloud overflow nodes. On a narrow screen each row becomes a card; the roles keep it a table for screen readers."""
    head = element("tr", [element("th", title, scope="col", role="columnheader") for title in COLUMNS], role="row")
    rows = [_row(node, lifetime) for node in nodes]
    table = element(
        "table",
        element("caption", "Cloud overflow nodes with state, running time and load", class_="hidden"),
        element("thead", head, role="rowgroup"),
        element("tbody", rows, role="rowgroup"),
        role="table",
    )
    return element("div", table, class_="card tablecard")


def _row(node: Mapping[str, Any], lifetime: int) -> Markup:
    state = node_state(node)
    minutes = node.get("running_minutes")
    place = node.get("location")
    age = None
    if minutes is not None:
        note = f"of at least {lifetime} min" if minutes < lifetime else "stops when idle"
        age = [duration(minutes), _gauge(share(minutes, lifetime), "age"), element("span", note, class_="soft small")]
    load = node.get("media_load") if state == RUNNING else None
    values = (
        [
            element("span", state, class_=f"state {known('state', state)}"),
            [element("span", said, class_="flag") for said in notes(node)],
        ],
        age,
        [percent(load), _gauge(share(load, 100), "load")] if load is not None else None,
        node.get("max_hd_calls"),
        element("span", node.get("address"), class_="mono") if node.get("address") else None,
        element("span", node.get("instance_id"), class_="mono") if node.get("instance_id") else None,
    )
    first = [element("b", node_name(node)), element("span", place, class_="soft small") if place else None]
    cells = [element("th", first, scope="row", role="rowheader")]
    for title, value in zip(COLUMNS[1:], values, strict=True):
        none = value is None or value == ""
        shown = element("span", "–", class_="soft") if none else value
        cells.append(
            element("td", element("div", shown), role="cell", data_label=title, class_="none" if none else None)
        )
    return element("tr", cells, role="row")


def _gauge(value: float, kind: str) -> Markup:
    """A thin bar beside a figure that says the same."""
    bars = [
        element("rect", width="100%", height="100%", class_="track"),
        element("rect", width=f"{value:.2f}%", height="100%", class_=kind),
    ]
    return element("svg", bars, class_="gauge", aria_hidden="true")


def issue_list(issues: list[str]) -> Markup:
    """What the platform says, in its own words."""
    return element("ul", [element("li", icon("warning"), element("span", issue)) for issue in issues], class_="issues")
