"""Conferencing Nodes, the Management Node and secrets (FACTS, from "Conferencing Node deployment" on; the guide)."""

from __future__ import annotations

import pytest
from pexip_lab import document, tls
from pexip_lab.api.platform import Refused
from pexip_lab.api.testkit import INSTALLATION, ROOT

pytest_plugins = ("pexip_lab.api.fixtures",)

STATUS = "/api/admin/status/v1/"
REPORT = {"version": "11.0.0", "vcpus": 8, "ram_mb": 15360, "instance_type": "c4.2xlarge"}


@pytest.fixture
def london(api):
    """A location with DNS and NTP servers."""
    return api.add("system_location", name="London", dns_servers=[f"{ROOT}dns_server/1/"])


def report(api, token: str, **given) -> bool:
    """What a Conferencing Node tells its Management Node; whether it is known there."""
    answer = api.platform.contact(
        **{"token": token, "address": "127.16.0.20", "boot_time": api.clock.now(), **REPORT, **given}
    )
    return answer == "ok"


def test_installation(api):
    node = api.get("management_vm/1/")
    for name in ("hostname", "domain", "address", "netmask", "gateway"):
        assert node[name] == INSTALLATION[name]
    assert node["primary"] is True
    assert [server["address"] for server in node["dns_servers"]] == INSTALLATION["dns_servers"]
    assert [server["address"] for server in node["ntp_servers"]] == INSTALLATION["ntp_servers"]
    assert [found["address"] for found in api.objects("ntp_server/")] == INSTALLATION["ntp_servers"]
    assert api.objects("system_location/") == []
    status = api.get(f"{STATUS}management_vm/1/")
    assert (status["sync_status"], status["version"], status["configuration_id"]) == ("SYNCED", "11.0.0", 1)
    assert api("DELETE", "management_vm/1/").status_code == 400
    assert api("DELETE", "management_vm/").status_code == 400
    with pytest.raises(RuntimeError):
        api.platform.install(**INSTALLATION)


def test_creation_gives_out_the_configuration_document_once(api, london):
    answer = api.node(london)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{ROOT}worker_vm/1/"
    assert answer.headers["Content-Type"].startswith("text/xml")
    made = document.parse(answer.content)
    assert (made.hostname, made.domain, made.address) == ("conf01", "example.com", "127.16.0.20")
    assert (made.netmask, made.gateway) == ("255.255.240.0", "127.16.0.1")
    assert made.management_address == INSTALLATION["address"]
    assert made.dns_servers == ("127.16.0.2",)
    assert b"Node-Password-1" not in answer.content
    found = api.get("worker_vm/1/")
    assert made.token not in str(found)
    for hidden in ("password", "deployment_type", "vm_cpu_count", "vm_system_memory"):
        assert hidden not in found


def test_other_kinds_of_deployment_are_refused(api, london):
    answer = api.node(london, deployment_type="AWS")
    assert (answer.status_code, list(answer.json()["worker_vm"])) == (400, ["deployment_type"])
    assert api.node(london, deployment_type="MANUAL-PROVISION-ONLY").status_code == 201


def test_the_api_accepts_a_node_without_a_password(api, london):
    body = {"name": "n", "hostname": "n", "domain": "d", "address": "10.0.0.9", "netmask": "255.0.0.0"}
    assert api("POST", "worker_vm/", body | {"gateway": "10.0.0.1", "system_location": london}).status_code == 201


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "conf01", "hostname": "other"}, "name"),
        ({"address": "127.16.0.20"}, "address"),
        ({"hostname": "conf01"}, "__all__"),
        ({"address": INSTALLATION["address"]}, "address"),
        ({"hostname": "MANAGER"}, "__all__"),
        ({"name": "x" * 33}, "name"),
        ({"hostname": "under_score"}, "hostname"),
        ({"domain": "two words"}, "domain"),
        ({"netmask": "255.0.255.0"}, "netmask"),
        ({"gateway": "127.17.0.1"}, "gateway"),
        ({"address": "127.16.0.300"}, "address"),
        ({"static_nat_address": "nowhere"}, "static_nat_address"),
        ({"snmp_authentication_password": "short"}, "snmp_authentication_password"),
    ],
)
def test_nodes_that_are_refused(api, london, given, field):
    assert api.node(london).status_code == 201
    answer = api.node(london, **{"name": "conf02", "address": "127.16.0.21"} | given)
    assert answer.status_code == 400
    assert list(answer.json()["worker_vm"]) == [field]
    assert len(api.objects("worker_vm/")) == 1


def test_what_was_decided_at_creation_stays(api, london):
    api.node(london)
    changes = {
        "address": "127.16.0.99",
        "netmask": "255.255.0.0",
        "gateway": "127.16.0.2",
        "hostname": "other",
        "domain": "example.org",
        "ipv6_address": "fd00::1",
        "ipv6_gateway": "fd00::2",
    }
    before = api.get("worker_vm/1/")
    for field, value in changes.items():
        answer = api("PATCH", "worker_vm/1/", {field: value})
        assert answer.status_code == 400
        assert list(answer.json()["worker_vm"]) == [field]
    assert api("PATCH", "worker_vm/1/", {name: before[name] for name in changes}).status_code == 202
    assert api.get("worker_vm/1/") == before


def test_empty_values_clear(api, london):
    api.node(london, static_nat_address="203.0.113.7", description="x")
    assert api("PATCH", "worker_vm/1/", {"static_nat_address": "", "description": ""}).status_code == 202
    found = api.get("worker_vm/1/")
    assert (found["static_nat_address"], found["description"]) == (None, "")


def test_status_of_a_node(api, london):
    made = document.parse(api.node(london, maintenance_mode=True).content)
    never = api.get(f"{STATUS}worker_vm/1/")
    assert (never["configuration_id"], never["name"], never["system_location"]) == (1, "conf01", "London")
    assert (never["last_updated"], never["last_attempted_contact"]) == (None, None)
    assert never["sync_status"] != "SYNCED"
    assert never["maintenance_mode"] is True

    assert report(api, made.token) is True
    found = api.get(f"{STATUS}worker_vm/1/")
    assert found["sync_status"] == "SYNCED"
    assert found["last_updated"] == "2016-05-01T10:00:00.123456"
    assert (found["version"], found["cpu_count"], found["total_ram"]) == ("11.0.0", 8, 15360)
    assert (found["max_hd_calls"], found["max_sd_calls"], found["max_audio_calls"]) == (15, 34, 175)
    location = api.objects(f"{STATUS}system_location/")[0]
    assert (location["name"], location["max_hd_calls"]) == ("London", 15)
    assert api.get(f"{STATUS}worker_vm/1/statistics/") == {"media_load": 0.0}

    # A change has to reach the node, which then reports in again.
    assert api("PATCH", "worker_vm/1/", {"maintenance_mode": False}).status_code == 202
    changed = api.get(f"{STATUS}worker_vm/1/")
    assert (changed["sync_status"], changed["last_updated"]) == ("SYNCING", found["last_updated"])
    api.clock.advance(minutes=1)
    assert report(api, made.token) is True
    synced = api.get(f"{STATUS}worker_vm/1/")
    assert (synced["sync_status"], synced["last_updated"]) == ("SYNCED", "2016-05-01T10:01:00.123456")
    # So does a change of its location, and of the global settings.
    for path, change in ((london, {"mtu": 1400}), ("global/1/", {"enable_ssh": False})):
        assert api("PATCH", path, change).status_code == 202
        assert api.get(f"{STATUS}worker_vm/1/")["sync_status"] == "SYNCING"
        assert report(api, made.token) is True
        assert api.get(f"{STATUS}worker_vm/1/")["sync_status"] == "SYNCED"


def test_a_change_does_not_put_a_node_in_contact(api, london):
    api.node(london)
    api("PATCH", "worker_vm/1/", {"description": "x"})
    found = api.get(f"{STATUS}worker_vm/1/")
    assert found["last_updated"] is None
    assert found["sync_status"] != "SYNCED"


def test_only_the_registered_node_is_known(api, london):
    made = document.parse(api.node(london).content)
    assert report(api, "wrong") is False
    assert report(api, made.token, address="127.16.0.21") is False
    assert api("DELETE", "worker_vm/1/").status_code == 204
    assert report(api, made.token) is False
    assert api("GET", f"{STATUS}worker_vm/1/").status_code == 404
    again = document.parse(api.node(london).content)
    assert again.token != made.token
    assert report(api, made.token) is False
    assert report(api, again.token) is True


def test_hashed_secrets(api, london):
    api.node(london, snmp_authentication_password="Snmp-Secret-1", snmp_community="public2")
    first = api.get("worker_vm/1/")
    assert first["snmp_authentication_password"]
    assert "Snmp-Secret-1" not in str(first)
    assert first["snmp_community"] == "public2"
    api("PATCH", "worker_vm/1/", {"description": "x"})
    assert api.get("worker_vm/1/")["snmp_authentication_password"] == first["snmp_authentication_password"]
    api("PATCH", "worker_vm/1/", {"snmp_authentication_password": "Snmp-Secret-1"})
    assert api.get("worker_vm/1/")["snmp_authentication_password"] != first["snmp_authentication_password"]
    api("PATCH", "worker_vm/1/", {"snmp_authentication_password": ""})
    assert api.get("worker_vm/1/")["snmp_authentication_password"] == ""


def test_absent_secrets_are_kept(api):
    assert api("PATCH", "global/1/", {"aws_access_key": "AKIA1", "aws_secret_key": "s3cret"}).status_code == 202
    assert api("PATCH", "global/1/", {"bursting_enabled": True}).status_code == 202
    found = api.get("global/1/")
    assert (found["aws_access_key"], found["bursting_enabled"]) == ("AKIA1", True)
    assert "aws_secret_key" not in found
    from pexip_lab.api import models

    with api.platform.using():
        assert models.model("configuration", "global").objects.get().aws_secret_key == "s3cret"


def test_the_private_key_of_an_oauth2_client_comes_once(api):
    answer = api("POST", "oauth2_client/", {"client_name": "awx", "role": f"{ROOT}role/1/"})
    assert answer.status_code == 201
    made = answer.json()
    assert "PRIVATE KEY" in made["private_key_jwt"]
    assert answer.headers["Location"] == f"{ROOT}oauth2_client/{made['client_id']}/"
    found = api.get(answer.headers["Location"])
    assert (found["client_name"], found["role"]) == ("awx", f"{ROOT}role/1/")
    assert "private_key_jwt" not in found


def test_licences_are_known_by_their_key_without_spaces(api):
    uri = api.add("licence", entitlement_id="1234 5678 9abc")
    assert api.get(uri)["entitlement_id"] == "123456789abc"
    assert api.objects("licence/")[0]["fulfillment_id"] == uri.split("/")[-2]
    assert api("POST", "licence/", {"entitlement_id": "123456789abc"}).status_code == 400


def test_certificates_are_read(api, london, tmp_path):
    certificate, key = tls.make_certificate(tmp_path, ["conf01.example.com"], ["127.16.0.20"])
    uri = api.add("tls_certificate", certificate=certificate.read_text(), private_key=key.read_text())
    api.node(london, tls_certificate=uri)
    found = api.get(uri)
    assert found["subject_name"] == "CN=conf01.example.com"
    assert found["subject_alt_names"] == "conf01.example.com, 127.16.0.20"
    assert found["nodes"] == [f"{ROOT}worker_vm/1/"]
    assert found["private_key_passphrase"] == ""
    assert "private_key" not in found
    assert api("POST", "tls_certificate/", {"certificate": "x", "private_key": "y"}).status_code == 400


def test_ssh_keys_from_both_sides(api, london):
    key = api.add("ssh_authorized_key")
    api.node(london, ssh_authorized_keys=[key])
    assert api.get(key)["nodes"] == [f"{ROOT}worker_vm/1/"]
    assert api("PATCH", key, {"nodes": [f"{ROOT}management_vm/1/"]}).status_code == 202
    assert api.get("worker_vm/1/")["ssh_authorized_keys"] == []
    assert api.get("management_vm/1/")["ssh_authorized_keys"] == [key]


def test_files_come_as_forms(api):
    uri = api.add("media_library_entry", name="Music", media_file=("waiting.mp4", b"12345", "video/mp4"))
    found = api.get(uri)
    assert (found["file_name"], found["media_size"], found["media_format"]) == ("waiting.mp4", 5, "mp4")
    assert "media_file" not in found
    answer = api("PATCH", uri, data={"name": "Other"}, files={"media_file": ("b.mp4", b"1")})
    assert answer.status_code == 202
    assert (api.get(uri)["name"], api.get(uri)["media_size"]) == ("Other", 1)
    answer = api("POST", "media_library_entry/", {"name": "Text", "media_file": "content"})
    assert (answer.status_code, "media_file" in answer.text) == (400, True)


def test_excluded_range(api):
    field = "eject_last_participant_backstop_timeout"
    for value, status in ((0, 202), (1, 400), (59, 400), (60, 202), (86400, 202), (86401, 400)):
        assert api("PATCH", "global/1/", {field: value}).status_code == status, value


def test_lists_of_plain_objects(api):
    codecs = [{"value": "H264_H_0"}]
    assert api("PATCH", "global/1/", {"disabled_codecs": codecs}).status_code == 202
    assert api.get("global/1/")["disabled_codecs"] == codecs
    assert api("PATCH", "global/1/", {"disabled_codecs": []}).status_code == 202
    for wrong in (["H264_H_0"], [{"name": "H264_H_0"}], "H264_H_0"):
        answer = api("PATCH", "global/1/", {"disabled_codecs": wrong})
        assert answer.status_code == 400, wrong
    assert api.get("global/1/")["disabled_codecs"] == []


def test_media_streams_of_a_participant(api):
    from pexip_lab.api import models

    with api.platform.using():
        person = models.model("status", "participant").objects.create(display_name="Alice")
        models.model("status", "participant__media_stream").objects.create(owner=person.pk, type="audio")
        models.model("status", "participant__media_stream").objects.create(owner="other", type="video")
    streams = api.get(f"{STATUS}participant/{person.pk}/media_stream/")
    assert [stream["type"] for stream in streams["objects"]] == ["audio"]
    assert streams["meta"]["total_count"] == 1
    assert api("GET", f"{STATUS}participant/nobody/media_stream/").status_code == 404
    assert api("POST", f"{STATUS}participant/{person.pk}/media_stream/", {}).status_code == 405


def test_a_gateway_token_is_emptied_not_deleted(api):
    assert api("PATCH", "gms_gateway_token/1/", {"certificate": "c", "private_key": "k"}).status_code == 202
    assert api("DELETE", "gms_gateway_token/1/").status_code == 204
    assert api.get("gms_gateway_token/1/")["id"] == 1


def test_seeds_are_validated_as_requests_are(api):
    made = api.platform.create("system_location", name="London")
    node = {"hostname": "c", "domain": "d", "address": "10.0.0.2", "netmask": "255.0.0.0", "gateway": "10.0.0.1"}
    found = api.platform.create("worker_vm", name="c", system_location=made["resource_uri"], **node)
    assert document.parse(found.pop("document").encode()).hostname == "c"
    assert found == api.get("worker_vm/1/")
    assert api.platform.rows("worker_vm", name="c") == [found]
    assert api.platform.rows("worker_vm", family="status")[0]["configuration_id"] == 1
    with pytest.raises(Refused, match="already exists"):
        api.platform.create("system_location", name="London")
    with pytest.raises(Refused, match="system_location"):
        api.platform.create("worker_vm", name="d", **node)
