# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host names, domains and network masks: examples, and the masks of every network."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.names import is_domain, is_hostname, is_netmask, quoted
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("text", ["a", "conf01", "CONF-01", "0", "a" * 63, "xn--bcher-kva"])
def test_a_host_name_is_a_domain_of_one_label(text):
    assert is_hostname(text)
    assert is_domain(text)
    assert is_domain(f"{text}.example.com")
    assert not is_hostname(f"{text}.example.com")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "-a",
        "a-",
        "a_b",
        "a" * 64,
        "bücher",
        "../a",
        "a/b",
        "a?b",
        "a%2fb",
        "a\n",
        "a\x00",
        "$(id)",
        "٣",
    ],
)
def test_what_is_no_host_name_is_no_domain(text):
    assert not is_hostname(text)
    assert not is_domain(text)
    assert not is_domain(f"{text}.example.com")


@given(st.integers(0, 32))
def test_masks_are_those_of_networks_with_room_for_two(length):
    mask = str(ipaddress.IPv4Network((0, length)).netmask)
    assert is_netmask(mask) == (1 <= length <= 30)


@given(st.integers(0, 2**32 - 1))
def test_other_addresses_are_no_masks(number):
    ones = f"{number:032b}".rstrip("0")
    assert is_netmask(str(ipaddress.IPv4Address(number))) == ("0" not in ones and 1 <= len(ones) <= 30)


@pytest.mark.parametrize("text", ["", "20", "/20", "255.255.255", "255.255.240.0 ", "::", "0.0.0.255", "255.0.255.0"])
def test_what_is_no_mask(text):
    assert not is_netmask(text)


def test_a_quotation_has_an_end():
    assert quoted("a\x07") == repr("a\x07")
    assert quoted("x" * 1000) == "'" + "x" * 199 + "…"
