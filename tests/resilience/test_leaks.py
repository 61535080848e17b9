# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The search for secrets finds what is there, however it is written, and nothing else."""

from __future__ import annotations

import base64
import html
import json
import shlex
import textwrap
from urllib.parse import quote, quote_plus, urlencode
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.pexip.infinity.tests.resilience.leaks import Search

SECRET = """Planted-é "double' & <less> 100% \\\\n {#"""
KEY = """-----BEGIN PRIVATE KEY-----
PlantedLineOfAKey111111111111111
PlantedLineOfAKey222222222222222
-----END PRIVATE KEY-----
"""

WRITTEN = {
    "as it is": SECRET,
    "JSON": json.dumps(SECRET),
    "JSON in UTF-8": json.dumps(SECRET, ensure_ascii=False),
    "JSON in JSON": json.dumps(json.dumps(SECRET)),
    "JSON in UTF-8 in JSON": json.dumps(json.dumps(SECRET, ensure_ascii=False)),
    "JSON in Python": repr(json.dumps({"password": SECRET})),
    "repr": repr({"password": SECRET}),
    "YAML": yaml.safe_dump({"password": SECRET}, allow_unicode=True),
    "YAML in one line": yaml.safe_dump({"password": SECRET}, allow_unicode=True, default_style="'", width=1000),
    "shell": shlex.quote(SECRET),
    "URL": quote(SECRET, safe=""),
    "path": quote(SECRET),
    "query": urlencode({"password": SECRET}),
    "form": quote_plus(SECRET),
    "HTML": html.escape(SECRET),
    "XML": ElementTree.tostring(ElementTree.Element("node", password=SECRET), encoding="unicode"),
    "hex": SECRET.encode().hex(),
    "folded": textwrap.fill(f"An error about a password that is {SECRET} and long", 20),
    "base64, folded": base64.encodebytes(f"{'x' * 100}{SECRET}{'y' * 100}".encode()).decode(),
    "JSON in base64": base64.b64encode(json.dumps({"some": "thing", "password": SECRET}).encode()).decode(),
    **{
        f"base64 at {offset}": encode(f"{'x' * offset}{SECRET}{'y' * behind}".encode()).decode()
        for offset in range(4)
        for behind in range(3)
        for encode in (base64.b64encode, base64.urlsafe_b64encode)
    },
}


@pytest.mark.quick
@pytest.mark.parametrize("how", WRITTEN)
def test_a_secret_is_found_however_it_is_written(how):
    assert Search({"it": SECRET}).text(f"before {WRITTEN[how]} behind".encode(), "here") == ["it in here"]


@pytest.mark.quick
def test_a_line_of_a_key_is_enough_and_its_frame_is_not():
    search = Search({"key": KEY})
    lines = KEY.splitlines()
    assert [search.text(line.encode(), "here") for line in lines] == [[], ["key in here"], ["key in here"], []]
    assert search.text(json.dumps({"key": KEY}).encode(), "here") == ["key in here"]


@pytest.mark.quick
def test_nothing_else_is_found():
    assert Search({"it": SECRET, "key": KEY}).text(f"{SECRET[1:]} {SECRET[:-1]} ********".encode(), "here") == []


@pytest.mark.quick
def test_files_are_searched_with_their_names(tmp_path):
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"\0\xff" + SECRET.encode())
    (tmp_path / "deep" / "Planted-name").touch()
    search = Search({"it": SECRET, "name": "Planted-name"})
    assert search.files(tmp_path) == ["name in deep/Planted-name", "it in deep/er/file"]
