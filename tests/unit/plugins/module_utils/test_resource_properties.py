# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Properties of what a field refuses: exactly what its bounds say, by name, and no secret in the refusal."""

from __future__ import annotations

from urllib.parse import unquote

from ansible_collections.pexip.infinity.plugins.module_utils.client import is_uri, resource_path
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field
from hypothesis import given
from hypothesis import strategies as st

printable = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-60, 60))
def test_a_number_is_taken_exactly_within_its_bounds(low, high, value):
    problem = Field("n", "int", minimum=low, maximum=high).problem(value)
    assert (problem is None) == (low <= value <= high)
    assert problem is None or str(value) in problem


@given(printable.filter(bool), st.integers(0, 40), st.integers(0, 40))
def test_a_text_is_taken_exactly_within_its_length(text, shortest, longest):
    problem = Field("t", min_length=shortest, max_length=longest).problem(text)
    # A bound of zero is none.
    assert (problem is None) == (shortest <= len(text) <= (longest or len(text)))


@given(st.text(max_size=60).filter(lambda text: len(text) > 8), st.integers(1, 8))
def test_a_refusal_of_a_secret_tells_only_its_length(text, longest):
    problem = Field("password", secret=True, max_length=longest).problem(text)
    assert f"{len(text)} characters" in problem
    assert text not in problem
    assert len(problem) < 200


@given(st.text(min_size=1), st.integers(0, 40))
def test_a_refusal_ends_however_long_the_value_is(text, times):
    problem = Field("t", max_length=1).problem(text * 3 * (times + 1))
    assert problem is not None
    assert len(problem) < 400
    assert problem.startswith("t: ")


@given(st.text(min_size=1) | st.integers(1))
def test_any_key_makes_the_uri_of_one_object_or_an_error(key):
    """Never that of the whole list, and never another resource's."""
    try:
        uri = resource_path("thing", key)
    except (ValueError, UnicodeEncodeError):
        return
    assert is_uri(uri)
    segment = uri.removeprefix("/api/admin/configuration/v1/thing/").removesuffix("/")
    assert not set("/?# ") & set(segment)
    assert unquote(segment) == str(key)
