# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""offered_instance_types against moto: order, zone, region, an error that says what was tried."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleLookupError
from ansible_collections.pexip.infinity.plugins.lookup.offered_instance_types import LookupModule
from moto.server import ThreadedMotoServer


@pytest.fixture(scope="module")
def endpoint():
    """moto over a real socket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def lookup(monkeypatch, endpoint):
    """The lookup, asking moto."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    return lambda *types, **options: LookupModule().run(list(types), variables={}, **options)


def test_the_order_of_preference_is_kept(lookup):
    assert lookup("m4.large", "no.such", "m3.large", region="eu-west-1") == ["m4.large", "m3.large"]


def test_a_zone_narrows_the_question(lookup):
    assert lookup("m4.large", region="eu-west-1", zone="eu-west-1a") == ["m4.large"]
    assert lookup("m4.large", region="eu-west-1", zone="eu-west-1z") == []


def test_of_none_none_is_offered_and_ec2_is_not_asked(lookup, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nobody is there
    assert lookup(region="eu-west-1") == []


def test_an_error_says_what_was_tried(lookup):
    with pytest.raises(AnsibleLookupError, match="Failed to ask EC2 which instance types it offers"):
        lookup("m4.large", region="not a region")
