"""Requests and answers of the management API (FACTS, "Requests and answers" and "Authentication")."""

from __future__ import annotations

import threading
from pathlib import Path
from threading import Barrier

import pytest
import requests
from pexip_lab.api.platform import Platform
from pexip_lab.api.testkit import INSTALLATION, PASSWORD, ROOT, Clock

pytest_plugins = ("pexip_lab.api.fixtures",)


@pytest.mark.parametrize("path", [ROOT, f"{ROOT}dns_server/", f"{ROOT}dns_server/schema/", "/api/admin/command/v1/"])
@pytest.mark.parametrize("auth", [None, ("admin", "wrong"), ("root", PASSWORD), ("admin", "")])
def test_without_the_web_users_credentials_401(api, path, auth):
    answer = requests.get(api.base + path, auth=auth, verify=str(api.certificate), timeout=30)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_basic_can_be_switched_off(api):
    assert api("PATCH", "authentication/1/", {"api_oauth2_disable_basic": True}).status_code == 202
    assert api("GET", "dns_server/").status_code == 401


def test_slash_is_mandatory(api):
    answer = api("GET", "dns_server")
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{ROOT}dns_server/")
    before = api.get("system_location/")
    # The classic trap: the redirected POST arrives as a GET, so nothing is created.
    answer = api("POST", "system_location", {"name": "London"}, allow_redirects=True)
    assert (answer.status_code, answer.json()) == (200, before)


def test_paging(api):
    for number in range(25):
        api.platform.create("dns_server", address=f"10.0.0.{number + 1}")
    first = api.get("dns_server/?description=")
    assert first["meta"] == {
        "limit": 20,
        "offset": 0,
        "total_count": 26,
        "previous": None,
        "next": f"{ROOT}dns_server/?description=&limit=20&offset=20",
    }
    second = api.get(first["meta"]["next"])
    assert second["meta"]["previous"] == f"{ROOT}dns_server/?description=&limit=20&offset=0"
    assert second["meta"]["next"] is None
    assert [len(page["objects"]) for page in (first, second)] == [20, 6]
    everything = api.get("dns_server/?limit=0")
    assert everything["objects"] == first["objects"] + second["objects"]
    assert everything["meta"]["limit"] == 10000
    assert api.get("dns_server/?limit=20000")["meta"]["limit"] == 10000
    for query in ("limit=x", "limit=-1", "offset=x"):
        assert api("GET", f"dns_server/?{query}").status_code == 400


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("name=London", ["London"]),
        ("name=london", []),
        ("name__exact=Oslo", ["Oslo"]),
        ("name__iexact=oslo", ["Oslo"]),
        ("name__contains=lo", ["Oslo"]),
        ("name__contains=LO", []),
        ("name__icontains=LO", ["London", "Oslo"]),
        ("name__startswith=L", ["London"]),
        ("name__startswith=l", []),
        ("name__istartswith=l", ["London"]),
        ("name__endswith=slo", ["Oslo"]),
        ("name__endswith=SLO", []),
        ("name__iendswith=SLO", ["Oslo"]),
        ("name__regex=^O.*o$", ["Oslo"]),
        ("name__iregex=^o", ["Oslo"]),
        ("name__in=Oslo,HQ", ["Oslo", "HQ"]),
        ("mtu__lt=1400", ["HQ"]),
        ("mtu__lte=1400", ["Oslo", "HQ"]),
        ("mtu__gt=1400", ["London"]),
        ("mtu__gte=1400", ["London", "Oslo"]),
        ("use_relay_candidates_only=True", ["HQ"]),
        ("use_relay_candidates_only=false", ["London", "Oslo"]),
        ("overflow_location1__name=Oslo", ["HQ"]),
        ("order_by=name", ["HQ", "London", "Oslo"]),
        ("order_by=-mtu", ["London", "Oslo", "HQ"]),
        ("no_such_field=1", ["London", "Oslo", "HQ"]),
    ],
)
def test_filters_and_order(api, query, names):
    api.platform.create("system_location", name="London", mtu=1500)
    oslo = api.platform.create("system_location", name="Oslo", mtu=1400)["resource_uri"]
    api.platform.create("system_location", name="HQ", mtu=1300, use_relay_candidates_only=True, overflow_location1=oslo)
    assert [found["name"] for found in api.objects(f"system_location/?{query}")] == names


@pytest.mark.parametrize("query", ["name__like=x", "order_by=nothing", "mtu=many", "id__in=a,b"])
def test_wrong_queries_are_refused(api, query):
    answer = api("GET", f"system_location/?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_secrets_are_no_filters(api):
    assert api("GET", "worker_vm/?password=x").status_code == 400
    assert api("GET", "global/?aws_secret_key__startswith=a").status_code == 400


@pytest.mark.parametrize("key", ["999", "abc", "0"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_objects_are_404(api, method, key):
    assert api(method, f"system_location/{key}/", {}).status_code == 404


def test_unknown_resources_are_404(api):
    assert api("GET", "no_such_thing/").status_code == 404
    assert api("GET", "/api/admin/no_such_family/v1/").status_code == 404


def test_bodies_that_are_no_json(api):
    assert api("POST", "dns_server/", data="{", headers={"Content-Type": "application/json"}).status_code == 400
    assert api("POST", "dns_server/", data="<a/>", headers={"Content-Type": "application/xml"}).status_code == 415


def test_read_only_fields_are_ignored(api):
    uri = api.add("dns_server", id=77, resource_uri="/x/")
    assert uri != f"{ROOT}dns_server/77/"
    assert api("PATCH", uri, {"id": 78, "no_such_field": 1}).status_code == 202
    assert api.get(uri)["resource_uri"] == uri


def test_names_and_addresses_are_unique(api):
    api.add("system_location", name="London")
    answer = api("POST", "system_location/", {"name": "London"})
    assert answer.status_code == 400
    assert answer.json() == {"system_location": {"name": ["System location with this Name already exists."]}}
    # The installation made a server with this address.
    answer = api("POST", "dns_server/", {"address": INSTALLATION["dns_servers"][0]})
    assert (answer.status_code, list(answer.json()["dns_server"])) == (400, ["address"])
    answer = api("POST", "ntp_server/", {"address": INSTALLATION["ntp_servers"][1]})
    assert (answer.status_code, list(answer.json()["ntp_server"])) == (400, ["address"])
    # Renaming to a name in use is refused too, and to its own name is not.
    oslo = api.add("system_location", name="Oslo")
    assert api("PATCH", oslo, {"name": "London"}).status_code == 400
    assert api("PATCH", oslo, {"name": "Oslo"}).status_code == 202


def test_references_are_uris(api):
    london = api.add("system_location", name="London")
    oslo = api.add("system_location", name="Oslo", overflow_location1=london)
    assert api.get(oslo)["overflow_location1"] == london
    for wrong, status in (
        (1, 400),
        (f"{ROOT}system_location/99/", 400),
        ("London", 404),
        (f"{ROOT}dns_server/1/", 404),
    ):
        assert api("PATCH", oslo, {"overflow_location1": wrong}).status_code == status, wrong
    assert api.get(oslo)["overflow_location1"] == london
    assert api("PATCH", oslo, {"overflow_location1": None}).status_code == 202
    assert api.get(oslo)["overflow_location1"] is None


def test_nested_references_are_written_as_uris_and_read_as_objects(api):
    servers = [api.add("dns_server", address=f"10.0.0.{number}") for number in (1, 2, 3)]
    london = api.add("system_location", name="London", dns_servers=servers[:2], client_turn_servers=[])
    assert [s["address"] for s in api.get(london)["dns_servers"]] == ["10.0.0.1", "10.0.0.2"]
    assert api.objects("system_location/?name=London")[0]["dns_servers"][0]["resource_uri"] == servers[0]
    # A list replaces, and one that is not named stays.
    assert api("PATCH", london, {"dns_servers": servers[2:]}).status_code == 202
    assert api("PATCH", london, {"description": "x"}).status_code == 202
    assert [s["address"] for s in api.get(london)["dns_servers"]] == ["10.0.0.3"]
    assert api("PATCH", london, {"dns_servers": []}).status_code == 202
    assert api.get(london)["dns_servers"] == []
    turn = api.add("turn_server")
    assert api("PATCH", london, {"client_turn_servers": [turn]}).status_code == 202
    assert api.get(london)["client_turn_servers"] == [turn]


def test_both_sides_of_a_relation(api):
    vmr = api.add("conference", name="Meet", aliases=[{"alias": "meet"}, {"alias": "meet@example.com"}])
    aliases = api.get(vmr)["aliases"]
    assert [(a["alias"], a["conference"]) for a in aliases] == [("meet", vmr), ("meet@example.com", vmr)]
    assert api("PATCH", vmr, {"aliases": [aliases[1]["resource_uri"]]}).status_code == 202
    assert [a["alias"] for a in api.objects("conference_alias/")] == ["meet@example.com"]
    theme = api.add("ivr_theme")
    assert api("PATCH", vmr, {"ivr_theme": theme}).status_code == 202
    assert api.get(theme)["conference"] == [vmr]
    assert api.get(vmr)["ivr_theme"]["resource_uri"] == theme
    assert api("DELETE", vmr).status_code == 204
    assert api.objects("conference_alias/") == []
    duplicate = api("POST", "conference/", {"name": "Other", "aliases": [{"alias": ""}]})
    assert duplicate.status_code == 400
    assert api.objects("conference/") == []


def test_put(api):
    london = api.add("system_location", name="London", description="old", dns_servers=[f"{ROOT}dns_server/1/"])
    assert api("PUT", london, {"name": "City"}).status_code == 204
    found = api.get(london)
    assert (found["name"], found["dns_servers"]) == ("City", [])
    answer = api("PUT", "system_location/77/", {"name": "New"})
    assert (answer.status_code, answer.headers["Location"]) == (201, f"{ROOT}system_location/77/")


def test_put_and_delete_on_lists_are_destructive(api):
    api.add("system_location", name="London")
    answer = api("PUT", "system_location/", {"objects": [{"name": "A"}, {"name": "B"}]})
    assert answer.status_code == 204
    assert [found["name"] for found in api.objects("system_location/")] == ["A", "B"]
    # A failure leaves everything as it was.
    assert api("PUT", "system_location/", {"objects": [{"name": "C"}, {"name": ""}]}).status_code == 400
    assert [found["name"] for found in api.objects("system_location/")] == ["A", "B"]
    assert api("DELETE", "system_location/").status_code == 204
    assert api.objects("system_location/") == []


def test_bulk_patch(api):
    london, oslo = (api.add("system_location", name=name) for name in ("London", "Oslo"))
    servers = [f"{ROOT}dns_server/1/"]
    body = {
        "objects": [{"resource_uri": london, "description": "changed", "dns_servers": servers}, {"name": "HQ"}],
        "deleted_objects": [oslo],
    }
    assert api("PATCH", "system_location/", body).status_code == 202
    found = {item["name"]: item for item in api.objects("system_location/")}
    assert set(found) == {"London", "HQ"}
    assert (found["London"]["description"], found["London"]["mtu"]) == ("changed", 1500)
    assert len(found["London"]["dns_servers"]) == 1
    # All or nothing.
    body = {"objects": [{"resource_uri": london, "description": "again"}, {"name": "HQ"}]}
    assert api("PATCH", "system_location/", body).status_code == 400
    assert api.get(london)["description"] == "changed"
    assert api("PATCH", "system_location/", {"nothing": []}).status_code == 400


def test_deletion_of_what_is_referred_to(api):
    london = api.add("system_location", name="London")
    oslo = api.add("system_location", name="Oslo", overflow_location1=london, dns_servers=[f"{ROOT}dns_server/1/"])
    assert api("DELETE", london).status_code == 204
    assert api.get(oslo)["overflow_location1"] is None
    assert api("DELETE", "dns_server/1/").status_code == 204
    assert api.get(oslo)["dns_servers"] == []
    api.node(oslo)
    for path in (oslo, "system_location/"):
        answer = api("DELETE", path)
        assert answer.status_code == 400
        assert "WorkerVm.system_location" in answer.json()["error"]
    assert api.get(oslo)["name"] == "Oslo"


def test_rate_limit(api):
    api.platform.rate_limit.requests = 3
    assert [api("GET", "dns_server/").status_code for _request in range(5)] == [200, 200, 200, 429, 429]
    answer = api("GET", "/api/admin/status/v1/worker_vm/")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    api.platform.rate_limit.seconds = 0
    assert api("GET", "dns_server/").status_code == 200


def test_a_thousand_requests_a_minute_by_default(api):
    limit = api.platform.rate_limit
    assert [limit.admit() for _request in range(1000)] == [0] * 1000
    assert 1 <= limit.admit() <= 60


def test_requests_are_counted(api):
    del api.counted[:]
    api("GET", "dns_server/?limit=1")
    api("POST", "dns_server/", {})
    api("GET", "worker_vm/schema/")
    api("GET", "/api/admin/status/v1/worker_vm/7/")
    api("GET", ROOT)
    api("POST", "/api/admin/command/v1/platform/start_cloudnode/", {})
    api("GET", "/elsewhere/")
    assert api.counted == [
        ("GET", "dns_server", 200),
        ("POST", "dns_server", 400),
        ("GET", "schema", 200),
        ("GET", "status/worker_vm", 404),
        ("GET", "index", 200),
        ("POST", "command/platform/start_cloudnode", 400),
        ("GET", "other", 404),
    ]


def test_middleware_goes_around_the_api(api):
    def broken(application):
        def serve(environ, start_response):
            if environ["PATH_INFO"].endswith("/dns_server/"):
                start_response("503 Service Unavailable", [("Content-Length", "0")])
                return []
            return application(environ, start_response)

        return serve

    api.platform.add_middleware(broken)
    assert api("GET", "dns_server/").status_code == 503
    assert api("GET", "ntp_server/").status_code == 200


def test_platforms_side_by_side(api, tmp_path):
    other = Platform(tmp_path / "other", Clock())
    other.install(**INSTALLATION | {"hostname": "second"})
    api.add("system_location", name="London")
    assert other.rows("system_location") == []
    assert [row["hostname"] for row in other.rows("management_vm")] == ["second"]
    assert api.get("management_vm/1/")["hostname"] == "manager"
    other.close()
    # The same directory is the same Management Node.
    again = Platform(tmp_path / "other", Clock())
    assert again.installed
    again.close()


def test_a_closed_platform_leaves_no_file_open_in_any_thread(api, tmp_path):
    other = Platform(tmp_path / "other", Clock())
    other.install(**INSTALLATION)
    threads = Barrier(3)

    def read() -> None:
        assert other.installed
        threads.wait(timeout=10)  # read
        threads.wait(timeout=10)  # closed

    readers = [threading.Thread(target=read) for _reader in range(2)]
    for reader in readers:
        reader.start()
    threads.wait(timeout=10)
    other.close()
    opened = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    threads.wait(timeout=10)
    for reader in readers:
        reader.join()
    assert [name for name in opened if name.startswith(str(tmp_path / "other"))] == []


def test_many_threads(api):
    failures = []

    def work(number: int) -> None:
        for turn in range(5):
            session = requests.Session()
            answer = session.post(
                f"{api.base}{ROOT}system_location/",
                json={"name": f"Location {number}-{turn}"},
                auth=("admin", PASSWORD),
                verify=str(api.certificate),
                timeout=60,
            )
            if answer.status_code != 201:
                failures.append(answer.text)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert api.get("system_location/")["meta"]["total_count"] == 30


@pytest.mark.parametrize("name", ["conference/lock", "participant/mute", "platform/start_cloudnode"])
def test_commands_on_what_does_not_exist(api, name):
    path = f"/api/admin/command/v1/{name}/"
    (parameter,) = api.get(f"{path}schema/")["fields"]
    answer = api("POST", path, {})
    assert answer.status_code == 400
    assert answer.json() == {name.split("/")[1]: {parameter: ["This field is required."]}}
    answer = api("POST", path, {parameter: "nobody"})
    assert answer.status_code == 400
    assert "nobody" in answer.json()["error"]
    assert api("POST", path, {parameter: 5}).status_code == 400


def test_a_registered_command_is_carried_out(api):
    api.platform.commands["platform/snapshot"] = lambda data: {"limit": data["limit"]}
    answer = api("POST", "/api/admin/command/v1/platform/snapshot/", {"limit": 3})
    assert (answer.status_code, answer.json()) == (202, {"status": "success", "limit": 3})
    answer = api("POST", "/api/admin/command/v1/platform/backup_create/", {"passphrase": "x"})
    assert answer.status_code == 501
    assert "platform/backup_create" in answer.json()["error"]
