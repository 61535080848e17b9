# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading any resource."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.modules import pexip_resource_info
from ansible_collections.pexip.infinity.tests.unit.support import Memory, run_module, run_on


@pytest.fixture
def api(serve):
    servers = [
        {"address": f"10.0.{n // 250}.{n % 250}", "description": "odd" if n % 2 else "even"} for n in range(1500)
    ]
    proxies = [{"name": "p", "password": "hunter2", "nested": {"api_token": "hunter3", "plain": 1}}]
    schemas = {"dns_server": {"fields": {"address": {"type": "string"}, "description": {"type": "string"}}}}
    status = {"licensing": [{"port_count": 5}]}
    memory = Memory({"dns_server": servers, "sip_proxy": proxies}, hidden=(), status=status, schemas=schemas)
    return serve(memory)


def run(api, **options):
    return run_on(api, pexip_resource_info, **options)


@pytest.mark.parametrize(
    ("filters", "count", "requests"),
    [({}, 1500, 2), ({"description": "odd"}, 750, 2), ({"address": "10.0.0.7"}, 1, 2), ({"address": "nowhere"}, 0, 2)],
)
def test_every_page_is_read_by_the_filters(api, filters, count, requests):
    result = run(api, resource="dns_server", filters=filters)
    assert (len(result["resources"]), result["changed"], len(api.requests)) == (count, False, requests)


def test_secrets_are_left_out_at_any_depth(api):
    result = run(api, resource="sip_proxy")
    [proxy] = result["resources"]
    assert (proxy["name"], proxy["nested"]) == ("p", {"plain": 1})
    assert "hunter" not in result["stdout"]


def test_the_status_is_another_family(api):
    assert run(api, resource="licensing", family="status")["resources"] == [{"port_count": 5}]


@pytest.mark.parametrize(
    ("options", "words", "requests"),
    [
        ({"resource": "dns_sever"}, "there is no configuration resource 'dns_sever'. Existing: 'dns_server'", 2),
        (
            {"resource": "licence", "family": "status"},
            "there is no status resource 'licence'. Existing: 'licensing'",
            2,
        ),
        ({"resource": "../x"}, "not the name of an API resource", 0),
        ({"resource": "dns_server", "filters": {"limit": 5, "offset": 1}}, "limit, offset is no field", 0),
        ({"resource": "dns_server", "filters": {"address": None}}, "address has no value", 0),
        ({"resource": "licence", "filters": {"entitlement_id__exact": "AAAA"}}, "is secret", 0),
        # The platform ignores a filter by what it does not know, and would give everything.
        (
            {"resource": "dns_server", "filters": {"adress__startswith": "10."}},
            "filters: 'adress' is not a field of dns_server. Existing: 'address', 'description'.",
            1,
        ),
        # The API's framework takes some texts for others.
        (
            {"resource": "dns_server", "filters": {"description__exact": "None"}},
            "filters: description__exact: the platform takes 'None' for a boolean or null, not for a text; "
            "give description__regex: '^None$'",
            1,
        ),
        ({"resource": "dns_sever", "filters": {"address": "10."}}, "there is no configuration resource 'dns_sever'", 2),
        ({"resource": "dns_server", "family": "command"}, "family", 0),
    ],
)
def test_what_cannot_be_read_is_an_error(api, options, words, requests):
    result = run(api, **options)
    assert result["failed"]
    assert words in result["msg"]
    assert len(api.requests) == requests


def test_check_mode_reads_and_without_a_platform_finds_nothing(api):
    assert len(run(api, resource="sip_proxy", check=True)["resources"]) == 1
    assert run_module(pexip_resource_info, check=True, host="", resource="sip_proxy")["resources"] == []
