# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bursting page: sound HTML that loads nothing, says in text what it shows, and fits in a real browser."""

from __future__ import annotations

import html
import itertools
import json
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser

import pytest
from ansible_collections.pexip.infinity.plugins.filter.bursting_page import FilterModule
from ansible_collections.pexip.infinity.plugins.plugin_utils.bursting_page_style import DARK, LIGHT, MOODS
from ansible_collections.pexip.infinity.plugins.plugin_utils.markup import VOID, Markup, element, text
from ansible_collections.pexip.infinity.tests.unit.plugins.filter.bursting_states import (
    BUSY,
    EMPTY,
    FINDINGS,
    HOSTILE,
    HOSTILE_NAMES,
    QUIET,
    STATES,
    bursting,
    location,
    node,
)

page = FilterModule().filters()["bursting_page"]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


class Document(HTMLParser):
    """A document's elements in order, its text, and an error for a tag that does not match."""

    def __init__(self, source: str):
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        assert len({name for name, _value in attrs}) == len(attrs), f"an attribute of {tag} is given twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open.pop() == tag

    def handle_data(self, data):
        if not self._open or self._open[-1] != "style":
            self.text.append(data)

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


def read(state: str) -> Document:
    shown, findings = STATES[state]
    return Document(page(shown, findings=findings, generated="2026-11-23T09:12:45.123+00:00"))


@pytest.mark.parametrize("state", STATES)
def test_it_is_sound_html(state):
    document = read(state)
    (root,) = document.all("html")
    assert root == {"lang": "en"}
    assert [len(document.all(tag)) for tag in ("head", "title", "body", "header", "main", "h1")] == [1] * 6
    ids = [attributes["id"] for _tag, attributes in document.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    levels = [int(tag[1]) for tag, _attributes in document.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.parametrize("state", STATES)
def test_it_loads_nothing(state):
    document = read(state)
    names = {tag for tag, _attributes in document.elements}
    assert not names & {"script", "img", "iframe", "object", "embed", "image", "use", "form", "a"}
    for tag, attributes in document.elements:
        assert not {"src", "srcset", "style", "onload", "onclick"} & set(attributes)
        assert tag == "link" or "href" not in attributes
    (link,) = document.all("link")
    assert link["href"].startswith("data:")
    shown, findings = STATES[state]
    source = page(shown, findings=findings)
    assert re.findall(r"url\((?!#)|@import|https?://(?!www\.w3\.org/2000/svg)", source) == []
    policy = next(m["content"] for m in document.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize("state", STATES)
def test_it_says_in_text_what_it_shows(state):
    document = read(state)
    ids = {attributes["id"] for _tag, attributes in document.elements if "id" in attributes}
    for section in document.all("section"):
        assert section["aria-labelledby"] in ids
    for picture in document.all("svg"):
        assert picture.get("aria-hidden") == "true" or (picture["role"] == "img" and picture["aria-label"])
    assert len(document.all("caption")) == len(document.all("table"))
    assert {header.get("scope") for header in document.all("th")} <= {"row", "col"}
    for cell in document.all("td"):
        assert cell["data-label"] and cell["role"] == "cell"
    assert any(meta.get("name") == "viewport" for meta in document.all("meta"))


def test_everything_is_escaped():
    document = read("hostile")
    assert Counter(document.said.split()).total() > 50 and HOSTILE in document.said
    assert "b" not in {attributes.get("class") for attributes in document.all("b")}
    assert [b for b in document.all("b") if b] == []
    source = page(HOSTILE_NAMES, findings=FINDINGS, generated=HOSTILE, title=HOSTILE)
    assert "<script" not in source and "alert(1)</" not in source.replace("&lt;/", "")
    assert HOSTILE in Document(source).said


@pytest.mark.parametrize(
    ("shown", "headline"),
    [
        (QUIET, "All quiet"),
        (BUSY, "Bursting threshold reached"),
        (EMPTY, "Bursting is off"),
        (bursting(locations=[location("London", 7, 40)]), "Approaching threshold"),
        (bursting(locations=[location("London", 30, 40)], issues=["Not authorized"]), "Needs attention"),
        (bursting(locations=[location("London", 30, 40)], nodes=[node("burst01", "pending")]), "Overflow nodes are on"),
    ],
)
def test_the_headline_and_the_browsers_tab_say_how_it_is(shown, headline):
    document = Document(page(shown, title="Acme video"))
    said = document.said
    assert f"{headline} · Acme video · manager" in said
    assert said.count(headline) >= 2


def test_bars_say_their_figures():
    labels = [picture["aria-label"] for picture in read("busy").all("svg") if picture.get("role") == "img"]
    assert labels == [
        "38 of 40 HD connections in use, 2 free; the bursting threshold is 5",
        "8 of 15 HD connections in use, 7 free; the bursting threshold is 5",
        "5 of 15 HD connections in use, 10 free; the bursting threshold is 5",
    ]


def test_the_figures_and_the_words_of_the_status_page():
    said = read("busy").said
    for words in (
        "Free HD connections 9 of 55",
        "Overflow nodes running 1 of 5, 2 starting",
        "bursting threshold reached",
        "approaching threshold",
        "overflows to AWS burst",
        "media load 95 %",
        "maintenance mode",
        "stopping",
        "23 min",
        "of at least 50 min",
        "as of 2026-11-23 09:12:45 UTC",
        "minimum lifetime 50 minutes",
    ):
        assert words in said


def test_findings_are_shown_when_there_are_any_and_when_there_are_none():
    assert "Findings" not in read("quiet").said
    assert "Nothing is wrong" in read("well").said
    said = read("long names").said
    for words in ("Errors 1 and 1 warning", "tag-missing", "mended", "ansible-playbook pexip.infinity.enable_bursting"):
        assert words in said
    assert said.count("bursting_report_repair: true") == 3  # what is mended is not offered again


def test_a_quiet_platform_with_errors_is_not_called_well():
    def headline(findings: list) -> str:
        return re.search(r"<title>(.*?) ·", page(QUIET, findings=findings))[1]

    error, warning, mended = FINDINGS[1], FINDINGS[2], FINDINGS[0]
    assert headline([error]) == "Needs attention"
    assert headline([warning, mended]) == "All quiet"


def test_a_finding_does_not_repeat_its_object():
    found = {**FINDINGS[1], "object": "burst03", "message": "burst03: instance i-1 has no tag"}
    said = Document(page(QUIET, findings=[found])).said
    assert "burst03 tag-missing error instance i-1 has no tag" in said


def test_an_overflow_location_without_nodes_is_not_called_ok():
    source = page(bursting(locations=[location("London", 4, 40)]))
    assert "no capacity: no node is running" in source and "chip-ok" not in source


def test_an_empty_platform_says_what_to_do():
    assert "ansible-playbook pexip.infinity.enable_bursting" in read("empty").said
    assert "No location overflows to bursting nodes" in read("no locations").said


def test_it_refreshes_only_when_asked():
    def seconds(source: str) -> list:
        return [m["content"] for m in Document(source).all("meta") if m.get("http-equiv") == "refresh"]

    assert seconds(page(QUIET)) == []
    assert seconds(page(QUIET, refresh=15)) == ["15"]
    assert "refreshes every 15 seconds" in Document(page(QUIET, refresh=15)).said


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_contrasts(palette):
    """WCAG 2.2, AA: 4.5 for text, 3 for shapes."""
    texts = [(ink, ground) for ink in ("ink", "soft", "ok", "near", "reached", "accent") for ground in ("card", "page")]
    texts += [("ok", "tint-ok"), ("near", "tint-near"), ("reached", "tint-reached"), ("accent", "tint-info")]
    texts += [("ink", "track"), ("soft", "track")]
    assert [pair for pair in texts if contrast(palette[pair[0]], palette[pair[1]]) < 4.5] == []
    shapes = [(fill, ground) for fill in ("fill-ok", "fill-near", "fill-reached") for ground in ("track", "card")]
    assert [pair for pair in shapes if contrast(palette[pair[0]], palette[pair[1]]) < 3] == []


def test_the_band_at_the_top_is_dark_enough_for_white():
    assert [name for name, ends in MOODS.items() if min(contrast("#ffffff", end) for end in ends) < 4.5] == []


def test_elements():
    assert element("p", "<", Markup("<b></b>"), None, ["a", 1], class_="x y", data_z='"', hidden=True, title=None) == (
        '<p class="x y" data-z="&quot;" hidden>&lt;<b></b>a1</p>'
    )
    assert element("meta", charset="utf-8") == '<meta charset="utf-8">'
    assert text(0) == "0" and text(False) == ""


# In a real browser

PROBE = """<!DOCTYPE html><title>probe</title><body style="margin:0"></body><script>
const pages = %s, widths = %s, seen = {};
let waiting = 0;
for (const [name, source] of Object.entries(pages)) for (const width of widths) {
  const frame = document.createElement("iframe");
  frame.style.cssText = `width:${width}px;height:900px;border:0`;
  waiting += 1;
  frame.onload = () => {
    const root = frame.contentDocument;
    const wide = [...root.querySelectorAll("main *, header .wrap *")].filter(
      one => !one.closest(width > 760 ? ".hidden, .tablecard" : ".hidden, thead") &&
      one.getBoundingClientRect().right > width + 1);
    (seen[name] ||= []).push({width, needed: root.documentElement.scrollWidth, wide: wide.map(one => one.outerHTML.slice(0, 80)),
      elements: root.querySelectorAll("*").length, ground: getComputedStyle(root.body).backgroundColor,
      bars: [...root.querySelectorAll(".bar")].map(one => one.getBoundingClientRect().width)});
    if (--waiting === 0) { document.title = "done"; document.body.textContent = JSON.stringify(seen); }
  };
  frame.srcdoc = source;
  document.body.append(frame);
}
</script>"""


def browse(directory, states: list[str], widths: list[int], dark: bool = False) -> dict:
    """What a browser makes of some states at some widths, in CSS pixels."""
    pages = {state: page(STATES[state][0], findings=STATES[state][1]) for state in states}
    probe = directory / f"probe-{dark}.html"
    probe.write_text(PROBE % (json.dumps(pages).replace("</", "<\\/"), widths))
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    flags += f"--disable-component-update --disable-sync --blink-settings=preferredColorScheme={0 if dark else 1} "
    flags += f"--user-data-dir={directory / f'profile-{dark}'} --virtual-time-budget=20000 --dump-dom"
    done = subprocess.run(
        [CHROMIUM, *flags.split(), probe.as_uri()], capture_output=True, text=True, timeout=120, check=True
    )
    body = re.search(r"<body[^>]*>(.*?)</body>", done.stdout, re.DOTALL)
    return {"pages": pages, "seen": json.loads(html.unescape(body[1]))}


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_repairs_nothing_and_nothing_sticks_out_at_any_width(tmp_path):
    widths = [320, 390, 1400]
    light = browse(tmp_path, ["busy", "many", "long names", "hostile", "empty"], widths)
    for state, views in light["seen"].items():
        written = len(Document(light["pages"][state]).elements)
        assert sorted(view["width"] for view in views) == widths
        for view in views:
            assert view["needed"] <= view["width"] and view["wide"] == [], (state, view)
            assert view["elements"] == written, state
            assert all(width > 100 for width in view["bars"])
            assert view["ground"] == "rgb(242, 245, 251)"


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_a_browser_that_prefers_dark_gets_it(tmp_path):
    ((view,),) = browse(tmp_path, ["empty"], [390], dark=True)["seen"].values()
    assert view["ground"] == "rgb(13, 18, 32)"
