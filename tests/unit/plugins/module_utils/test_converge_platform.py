# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a platform and carrying plans out, against a small management API on a real socket."""

from __future__ import annotations

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.converge import Platform, converge
from ansible_collections.pexip.infinity.plugins.module_utils.resource import Field, Resource
from ansible_collections.pexip.infinity.tests.unit.support import (
    CUT,
    RESET,
    TRUNCATED,
    Fault,
    Memory,
    Reply,
)

LOCATION = Resource(
    "system_location",
    identity=("name",),
    title="system location",
    fields=[
        Field("name", required=True),
        Field("description", default=""),
        Field("mtu", "int", default=1500),
        Field("dns_servers", many="dns_server"),
        Field("overflow_location1", ref="system_location", nullable=True),
        Field("password", secret=True, readable=False),
    ],
)
DEFAULTS = {"description": "", "mtu": 1500, "dns_servers": [], "overflow_location1": None}
LICENCE = Resource("licence", ("entitlement_id",), [Field("entitlement_id", required=True, secret=True)])
KEY = "AAAA-BBBB-CCCC"


@pytest.fixture
def memory():
    """Two locations and three DNS servers, two of which have the same name."""
    made = Memory(defaults={"system_location": DEFAULTS}, nested={("system_location", "dns_servers"): "dns_server"})
    servers = [made.add("dns_server", {"address": address}) for address in ("8.8.8.8", "9.9.9.9", "9.9.9.9")]
    uris = [server["resource_uri"] for server in servers]
    made.add("system_location", {**DEFAULTS, "name": "London", "dns_servers": uris[:1]})
    made.add("system_location", {**DEFAULTS, "name": "Oslo", "description": "fjord"})
    return made


@pytest.fixture
def api(serve, memory):
    """The server in front of it."""
    return serve(memory)


def bring(api, name, desired, *, resource=LOCATION, check=False, identity=None, **options):
    """One convergence of a location by its name."""
    platform = Platform(api.client(), check=check)
    wish = None if desired is None else {"name": name, **desired}
    return platform, converge(platform, resource, identity or {"name": name}, wish, **options)


def refusal(api, *args, **options):
    """The error of a convergence that changes nothing."""
    with pytest.raises(PexipError) as caught:
        bring(api, *args, **options)
    assert api.writes == []
    return str(caught.value)


# References


def test_what_get_nests_is_resolved_without_a_request(api):
    _platform, result = bring(api, "London", {"dns_servers": ["8.8.8.8"], "mtu": 1500})
    assert not result.changed
    assert api.lines == ["GET system_location/"]
    assert api.requests[0].query == {"limit": "1000", "name": "London"}


@pytest.mark.parametrize("written", ["8.8.8.8", "1", 1, "/api/admin/configuration/v1/dns_server/1/"])
def test_a_reference_is_a_name_an_id_or_a_uri(api, memory, written):
    platform, result = bring(api, "Oslo", {"dns_servers": [written]})
    assert api.requests[-2].json == {"dns_servers": ["/api/admin/configuration/v1/dns_server/1/"]}
    assert platform.present(LOCATION, result.current)["dns_servers"] == ["8.8.8.8"]


def test_a_name_wins_over_an_id(api, memory):
    memory.add("system_location", {**DEFAULTS, "name": "4", "id": 9})
    bring(api, "Oslo", {"overflow_location1": "4"})
    assert memory.tables["system_location"][5]["overflow_location1"].endswith("/9/")


def test_a_name_wins_over_the_id_of_the_present_one(api, memory):
    memory.add("dns_server", {"address": "1"})
    bring(api, "London", {"dns_servers": ["1"]})
    assert memory.tables["system_location"][4]["dns_servers"] == ["/api/admin/configuration/v1/dns_server/6/"]


def test_references_to_the_same_resource_share_one_reading(api):
    bring(api, "Oslo", {"overflow_location1": "London"}, check=True)
    assert api.lines == ["GET system_location/"]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("8.8.8.9", ["dns_servers: there is no dns_server '8.8.8.9'", "Existing: '8.8.8.8'"]),
        ("9.9.9.9", ["2 objects of dns_server are called '9.9.9.9'", "give the id: 2, 3"]),
        ("/api/admin/configuration/v1/ntp_server/1/", ["is not a dns_server"]),
        ("", ["there is no dns_server ''"]),
    ],
)
def test_a_reference_to_nothing_or_to_several_is_an_error_that_changes_nothing(api, written, words):
    message = refusal(api, "Oslo", {"mtu": 1000, "dns_servers": [written]})
    assert [word for word in words if word not in message] == []
    assert message.startswith(f"{LOCATION.label({'name': 'Oslo'})}: dns_servers: ")


def test_in_check_mode_what_does_not_exist_yet_is_a_warning_and_stays_a_name(api):
    platform, result = bring(api, "Rome", {"overflow_location1": "Paris", "dns_servers": ["8.8.8.8"]}, check=True)
    shown = platform.present(LOCATION, result.current)
    assert (shown["overflow_location1"], shown["dns_servers"], shown["id"], shown["mtu"]) == (
        "Paris",
        ["8.8.8.8"],
        None,
        1500,
    )
    assert "'Rome': overflow_location1: there is no system_location 'Paris'" in platform.warnings[0]
    assert "'London'" in platform.warnings[0]
    assert api.writes == []


def test_without_a_platform_everything_is_new():
    platform = Platform(None, check=True)
    result = converge(platform, LOCATION, {"name": "Rome"}, {"name": "Rome", "dns_servers": ["8.8.8.8"]})
    assert result.plan.action == "create"
    assert "None exists." in platform.warnings[0]
    singleton = Resource("global", (), [Field("mtu", "int", default=5)], singleton=True)
    assert not converge(platform, singleton, {}, {"mtu": 5}).changed
    assert converge(platform, singleton, {}, {"mtu": 6}).changed


# Create, change, delete: in check mode the same plan, and no write


@pytest.mark.parametrize(
    ("name", "desired", "action", "writes"),
    [
        ("London", {"mtu": 1500}, "none", []),
        ("London", {"mtu": 1000}, "update", ["PATCH system_location/4/"]),
        ("London", None, "delete", ["DELETE system_location/4/"]),
        ("Rome", {"mtu": 1000}, "create", ["POST system_location/"]),
        ("Rome", None, "none", []),
    ],
)
def test_check_mode_foretells_and_writes_nothing(api, memory, name, desired, action, writes):
    _platform, foretold = bring(api, name, desired, check=True)
    assert (foretold.plan.action, foretold.changed, api.writes) == (action, action != "none", [])
    _platform, done = bring(api, name, desired)
    assert (done.plan, api.writes) == (foretold.plan, writes)
    own = {"id": None, "resource_uri": None}
    assert (done.current and {**done.current, **own}) == (foretold.current and {**foretold.current, **own})
    _platform, again = bring(api, name, desired)
    assert (again.changed, api.writes) == (False, writes)


def test_a_singleton_costs_one_request(serve):
    api = serve(Memory({"global": [{"id": 1, "mtu": 5}]}))
    resource = Resource("global", (), [Field("mtu", "int")], singleton=True)
    assert not converge(Platform(api.client()), resource, {}, {"mtu": 5}).changed
    assert api.lines == ["GET global/1/"]
    assert converge(Platform(api.client()), resource, {}, {"mtu": 6}).current["mtu"] == 6


def test_several_objects_of_one_identity_are_an_error(api, memory):
    memory.add("system_location", {**DEFAULTS, "name": "London", "id": 77})
    message = refusal(api, "London", {"mtu": 1})
    assert "2 objects are system location 'London': ids 4, 77" in message


def test_a_secret_identity_is_never_in_a_url(serve):
    memory = Memory({"licence": [{"entitlement_id": "AAAABBBBCCCC"}, {"entitlement_id": "X"}]}, unique="entitlement_id")
    memory.tables["licence"][1]["entitlement_id"] = KEY.replace("-", " ")
    api = serve(memory)
    for key in ("AAAABBBBCCCC", "AAAA BBBB CCCC"):
        result = converge(Platform(api.client()), LICENCE, {"entitlement_id": key}, {})
        assert not result.changed
    created = converge(Platform(api.client()), LICENCE, {"entitlement_id": KEY}, {"entitlement_id": KEY})
    assert created.plan.action == "create"
    assert not [request.target for request in api.requests if "AAAA" in request.target]


@pytest.mark.parametrize(
    ("field", "shown", "identity"),
    [
        (Field("f", ref="dns_server"), {"resource_uri": "/x/1/", "id": 1}, "/x/1/"),
        (Field("f", ref="dns_server"), "/x/1/", "/x/1/"),
        (Field("f", ip=True), "2001:db8::1", "2001:db8::1"),
        (Field("f", "int"), 5, 5),
        (Field("f", "bool"), True, True),
    ],
)
def test_an_object_is_found_by_any_kind_of_identity(serve, field, shown, identity):
    api = serve(Memory({"thing": [{"f": shown}, {"f": None}]}))
    found = Platform(api.client()).find(Resource("thing", ("f",), [field]), {"f": identity})
    assert found["id"] == 1


@pytest.mark.parametrize("name", ["true", "False", "None", "nil"])
def test_a_name_that_a_filter_takes_for_something_else_is_no_filter(serve, name):
    api = serve(Memory({"thing": [{"name": "x"}, {"name": name}]}))
    found = Platform(api.client()).find(Resource("thing", ("name",), [Field("name")]), {"name": name})
    assert found["id"] == 2
    assert [request.query.get("name") for request in api.requests] == [None]


@pytest.mark.parametrize(
    ("method", "name", "desired"),
    [
        ("GET", "London", {"mtu": 1000}),
        ("PATCH", "London", {"mtu": 1000}),
        ("DELETE", "London", None),
        ("POST", "Rome", {"mtu": 1000}),
    ],
)
def test_a_failing_request_names_the_object_the_place_and_the_servers_words(api, memory, method, name, desired):
    api.faults = [Fault(Reply(500, "oops"), method) for _attempt in range(3)]
    with pytest.raises(PexipError) as caught:
        bring(api, name, desired)
    message = str(caught.value)
    assert message.startswith(f"system location '{name}': {method} /api/admin/")
    assert message.endswith(f" at 127.0.0.1:{api.port}: oops (500)")


# Lost answers

LOST = [CUT, RESET, TRUNCATED, Reply(500, "oops"), Reply(503), Reply(504)]


@pytest.mark.parametrize("kind", LOST, ids=str)
def test_a_creation_whose_answer_was_lost_is_found_and_adopted(api, memory, kind):
    api.faults = [Fault(kind, "POST", acted=True)]
    _platform, result = bring(api, "Rome", {"mtu": 1000, "dns_servers": ["8.8.8.8"], "password": "p"})
    assert (result.plan.action, result.current["name"], result.text or None) == ("create", "Rome", None)
    assert api.writes == ["POST system_location/"]
    assert [item["name"] for item in memory.of("system_location")].count("Rome") == 1


@pytest.mark.parametrize("kind", LOST, ids=str)
def test_a_creation_that_never_happened_is_made_again(api, memory, kind):
    api.faults = [Fault(kind, "POST"), Fault(kind, "POST")]
    _platform, result = bring(api, "Rome", {"mtu": 1000})
    assert result.text == ""
    assert api.writes == ["POST system_location/"] * 3
    assert [item["name"] for item in memory.of("system_location")].count("Rome") == 1


def test_a_creation_that_happened_beside_ours_is_put_right(api, memory):
    beside = {**DEFAULTS, "name": "Rome", "mtu": 1500}
    api.faults = [Fault(CUT, "POST", then=lambda: memory.add("system_location", beside))]
    _platform, result = bring(api, "Rome", {"mtu": 1000})
    assert (result.changed, result.current["mtu"]) == (True, 1000)
    assert api.writes == ["POST system_location/", "PATCH system_location/6/"]


def test_a_creation_that_took_effect_late_is_found_when_its_repetition_is_refused(api, memory):
    """Our POST is lost and not there when looked up; then it is, so our second one is refused."""
    lookups = []

    def answer(request):
        reply = memory(request)
        if request.line == "GET system_location/":
            lookups.append(request)
            if len(lookups) == 2:
                memory.add("system_location", {**DEFAULTS, "name": "Rome", "mtu": 1000})
        return reply

    api.answer, api.faults = answer, [Fault(CUT, "POST")]
    _platform, result = bring(api, "Rome", {"mtu": 1000})
    assert result.current["name"] == "Rome"
    assert api.writes == ["POST system_location/"] * 2
    assert [item["name"] for item in memory.of("system_location")].count("Rome") == 1


def test_a_creation_that_stays_without_an_answer_is_an_error_in_the_end(api, memory):
    api.faults = [Fault(Reply(503, {"error": "database locked"}), "POST") for _request in range(9)]
    with pytest.raises(PexipError, match="database locked"):
        bring(api, "Rome", {"mtu": 1000})
    assert len(api.writes) == 3


def test_a_refused_creation_is_not_looked_up(api):
    api.faults = [Fault(Reply(400, {"mtu": ["too small"]}), "POST")]
    with pytest.raises(PexipError, match="mtu: too small"):
        bring(api, "Rome", {"mtu": 1})
    assert api.lines == ["GET system_location/", "POST system_location/"]


def test_a_creation_without_a_location_is_looked_up(api, memory):
    api.answer = lambda request: Reply(201, memory(request).body) if request.method == "POST" else memory(request)
    _platform, result = bring(api, "Rome", {"mtu": 1000})
    assert result.current["name"] == "Rome"
    api.answer = lambda request: Reply(201) if request.method == "POST" else memory(request)
    with pytest.raises(PexipError, match="answered with status 201, yet it does not exist"):
        bring(api, "Bern", {"mtu": 1000})


@pytest.mark.parametrize(("desired", "write"), [({"mtu": 9}, "PATCH"), (None, "DELETE")])
def test_a_change_or_deletion_whose_answer_was_lost_is_repeated(api, memory, desired, write):
    api.faults = [Fault(CUT, write, acted=True), Fault(RESET, write)]
    _platform, result = bring(api, "Oslo", desired)
    assert result.changed
    assert [line.split()[0] for line in api.writes] == [write] * 3
    assert [item.get("mtu") for item in memory.of("system_location")] == [1500] + ([9] if desired else [])
