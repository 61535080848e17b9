# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Netmask, gateway and reserved addresses: the guide's example, and properties of every AWS subnet."""

from __future__ import annotations

import ipaddress

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.addressing import (
    address_problem,
    gateway,
    netmask,
    network_problem,
    parse_subnet,
    reserved,
)
from hypothesis import given
from hypothesis import strategies as st

SUBNET = "172.31.0.0/20"


@st.composite
def subnets(draw):
    """Any subnet that AWS allows."""
    return ipaddress.IPv4Network((draw(st.integers(0, 2**32 - 1)), draw(st.integers(16, 28))), strict=False)


def test_the_guides_example():
    assert netmask(SUBNET) == "255.255.240.0"
    assert gateway(SUBNET) == "172.31.0.1"
    assert reserved(SUBNET) == ["172.31.0.0", "172.31.0.1", "172.31.0.2", "172.31.0.3", "172.31.15.255"]


@pytest.mark.parametrize(
    ("subnet", "words"),
    [
        ("172.31.0.1/20", "did you mean 172.31.0.0/20"),
        ("172.31.0.0", "from /16 to /28"),
        ("10.0.0.0/8", "from /16 to /28"),
        ("172.31.0.0/29", "from /16 to /28"),
        ("2001:db8::/64", "not an IPv4 network"),
        ("172.31.0.0/20 ", "not an IPv4 network"),
        ("London", "'London'"),
        ("", "''"),
    ],
)
def test_what_is_no_subnet_is_refused_with_a_remedy(subnet, words):
    with pytest.raises(ValueError, match=words):
        parse_subnet(subnet)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("172.31.0.4", None),
        ("172.31.15.254", None),
        ("172.31.0.3", "reserved by AWS"),
        ("172.31.15.255", "reserved by AWS"),
        ("172.31.16.4", "outside the subnet 172.31.0.0/20 (172.31.0.4 to 172.31.15.254 can be used)"),
        ("conf01", "not an IPv4 address"),
        ("::1", "not an IPv4 address"),
    ],
)
def test_an_address_has_to_be_usable_in_its_subnet(address, words):
    problem = address_problem(address, SUBNET)
    assert problem is None if words is None else words in problem


@pytest.mark.parametrize(
    ("address", "mask", "way", "words"),
    [
        ("172.31.0.4", "255.255.240.0", "172.31.0.1", None),
        ("172.31.0.4", "255.255.240.0", "172.31.16.1", "gateway 172.31.16.1 is outside the network 172.31.0.0/20"),
        ("172.31.0.4", "255.255.240.0", "172.31.0.4", "gateway 172.31.0.4 is the address itself"),
        ("172.31.0.0", "255.255.240.0", "172.31.0.1", "address 172.31.0.0 is that of the network"),
        ("172.31.15.255", "255.255.240.0", "172.31.0.1", "use 172.31.0.1 to 172.31.15.254"),
        ("2001:db8::4", "255.255.240.0", "172.31.0.1", "address '2001:db8::4' is not an IPv4 address"),
        ("172.31.0.4", "255.255.240.0", "0.0.0.0", "gateway 0.0.0.0 is not one that a machine can have"),
        ("224.0.0.4", "255.255.240.0", "224.0.0.1", "address 224.0.0.4 is not one that a machine can have"),
    ],
)
def test_address_mask_and_gateway_have_to_fit_together(address, mask, way, words):
    problem = network_problem(address, mask, way)
    assert problem is None if words is None else words in problem


@given(subnets(), st.data())
def test_exactly_the_addresses_that_aws_leaves_can_be_used(network, data):
    address = network[data.draw(st.integers(0, network.num_addresses - 1))]
    usable = int(address) - int(network[0]) >= 4 and address != network[-1]
    assert (address_problem(str(address), str(network)) is None) == usable


@given(subnets(), st.ip_addresses(v=4))
def test_an_address_elsewhere_is_always_refused(network, address):
    assert (address in network) or "outside" in address_problem(str(address), str(network))


@given(subnets())
def test_mask_and_gateway_describe_the_subnet_itself(network):
    assert ipaddress.ip_interface(f"{gateway(str(network))}/{netmask(str(network))}").network == network
