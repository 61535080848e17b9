# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Registering a node, through pexip_node itself: whatever was interrupted before, the next run repairs it."""

from __future__ import annotations

import os
import stat

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils import registration
from ansible_collections.pexip.infinity.plugins.modules import pexip_node
from ansible_collections.pexip.infinity.tests.unit.support import (
    CUT,
    RESET,
    TRUNCATED,
    Fault,
    Memory,
    Reply,
    run_module,
    run_on,
)

ADDRESS = "172.31.1.10"
NODE_PASSWORD = "node-Secret#7"
DEFAULTS = {field.name: [] if field.is_list else field.default for field in pexip_node.NODE.fields if field.readable}
OPTIONS = {
    "name": "conf01",
    "hostname": "conf01",
    "domain": "example.com",
    "address": ADDRESS,
    "subnet": "172.31.0.0/20",
    "system_location": "London",
    "node_password": NODE_PASSWORD,
}
STORED = {
    **DEFAULTS,
    "name": "conf01",
    "hostname": "conf01",
    "domain": "example.com",
    "address": ADDRESS,
    "netmask": "255.255.240.0",
    "gateway": "172.31.0.1",
    "system_location": "/api/admin/configuration/v1/system_location/1/",
    "id": 40,
}


@pytest.fixture(autouse=True)
def _quick(no_pauses):
    """Nothing here waits."""


@pytest.fixture
def memory():
    """A platform with two locations and no node."""
    made = Memory(
        {"system_location": [{"name": "London"}, {"name": "Oslo"}], "worker_vm": []},
        status={"worker_vm": [], "conference_shard": []},
        defaults={"worker_vm": DEFAULTS},
        documents=("worker_vm",),
        hidden=("password", "vm_cpu_count", "vm_system_memory"),
    )
    return made


@pytest.fixture
def api(serve, memory):
    return serve(memory)


@pytest.fixture
def listener(serve):
    """A new instance's upload listener."""
    return serve(lambda request: Reply(200, "Configuration accepted"))


def run(api, listener=None, **options):
    """One look of pexip_node."""
    bootstrap = {"bootstrap": {"host": "127.0.0.1", "port": listener.port}} if listener else {}
    return run_on(api, pexip_node, **{**OPTIONS, **bootstrap, **options})


def registered(memory, last_updated=None, **fields):
    """Puts the node there, in contact or never in contact."""
    node = memory.add("worker_vm", {**STORED, **fields})
    row = {"configuration_id": node["id"], "name": "conf01", "sync_status": "SYNCED" if last_updated else "OUT_OF_SYNC"}
    memory.status["worker_vm"] = [{**row, "last_updated": last_updated}]
    return node


def uploads(listener):
    return [request.body.decode() for request in listener.requests]


def documents(memory):
    """The document of the node that is registered now."""
    return [memory.document.format(name="conf01", key=node["id"]) for node in memory.of("worker_vm")]


# The five states


def test_a_new_node_is_registered_and_its_document_uploaded(api, memory, listener):
    result = run(api, listener)
    assert (result["changed"], result["complete"], result["node"]["name"]) == (True, True, "conf01")
    assert uploads(listener) == documents(memory)
    [stored] = memory.of("worker_vm")
    assert (stored["netmask"], stored["gateway"], stored["password"]) == ("255.255.240.0", "172.31.0.1", NODE_PASSWORD)
    assert api.writes == ["POST worker_vm/"]


def test_a_new_node_waits_for_its_listener_before_anything_is_registered(api, listener):
    listener.stop()
    result = run(api, listener)
    assert (result["changed"], result["complete"]) == (False, False)
    assert f"conf01' at 127.0.0.1:{listener.port}" in result["waiting_for"]
    assert "8443" not in result["remedy"]
    assert result["progress"]
    assert api.writes == []


def test_a_node_in_contact_is_compared_and_nothing_is_uploaded(api, memory, listener):
    registered(memory, "2026-11-23T10:00:00")
    result = run(api, listener)
    assert (result["changed"], result["complete"], result["node"]["system_location"]) == (False, True, "London")
    assert api.lines == ["GET worker_vm/", "GET worker_vm/", "GET system_location/"]
    result = run(api, listener, description="new")
    assert (result["changed"], result["node"]["description"]) == (True, "new")
    assert api.writes == ["PATCH worker_vm/40/"]
    assert uploads(listener) == []


def test_a_node_never_in_contact_with_a_waiting_listener_is_registered_anew(api, memory, listener):
    registered(memory, description="kept", media_priority_weight=7, snmp_mode="STANDARD")
    result = run(api, listener, snmp_mode="DISABLED")
    assert (result["changed"], result["complete"]) == (True, True)
    assert api.writes == ["DELETE worker_vm/40/", "POST worker_vm/"]
    [stored] = memory.of("worker_vm")
    assert stored["id"] != 40
    assert (stored["description"], stored["media_priority_weight"], stored["snmp_mode"]) == ("kept", 7, "DISABLED")
    assert uploads(listener) == documents(memory)


def test_a_registration_whose_document_another_run_hands_over_is_left_to_it(api, memory, listener, monkeypatch):
    monkeypatch.setattr(registration, "HANDING_OVER", 60.0)
    monkeypatch.setattr(registration.time, "sleep", lambda _seconds: listener.stop())  # it has taken its document
    registered(memory)
    result = run(api, listener)
    assert (result["changed"], result["complete"]) == (False, False)
    assert "conf01: another run has registered it" in result["progress"][0]
    assert api.writes == []


def test_a_registration_that_another_run_has_made_anew_is_left_to_it(api, memory, listener, monkeypatch):
    def made_anew(_seconds):
        memory.tables["worker_vm"].clear()
        registered(memory, id=41)

    monkeypatch.setattr(registration, "HANDING_OVER", 0.05)
    monkeypatch.setattr(registration.time, "sleep", made_anew)
    registered(memory)
    result = run(api, listener)
    assert (result["changed"], result["complete"], api.writes) == (False, False, [])


def test_a_document_that_another_run_writes_is_not_lost(api, memory, tmp_path, monkeypatch):
    document = tmp_path / "pexip-conf01.example.com.xml"
    monkeypatch.setattr(registration, "HANDING_OVER", 60.0)
    monkeypatch.setattr(registration.time, "sleep", lambda _seconds: document.write_text("<document/>"))
    registered(memory)
    assert not run(api, config_path=str(tmp_path))["complete"]
    assert run(api, config_path=str(tmp_path))["complete"]
    assert api.writes == []


@pytest.mark.parametrize(
    ("stored", "given", "warned"), [("", None, False), ("hash", None, True), ("hash", "snmp-Secret#8", False)]
)
def test_what_a_new_registration_cannot_take_over_is_warned_of(api, memory, listener, stored, given, warned):
    registered(memory, snmp_authentication_password=stored)
    result = run(api, listener, **({"snmp_authentication_password": given} if given else {}))
    assert ("snmp_authentication_password" in str(result.get("warnings"))) is warned


def test_without_a_place_the_listener_is_the_nodes_own(api):
    result = run(api, address="127.31.1.10", subnet="127.31.0.0/20", bootstrap={})
    assert "at 127.31.1.10:8443" in result["waiting_for"]


def test_a_node_never_in_contact_without_a_listener_is_waited_for(api, memory, listener):
    registered(memory)
    listener.stop()
    result = run(api, listener, description="later")
    assert (result["changed"], result["complete"]) == (False, False)
    assert "report in for the first time" in result["waiting_for"]
    assert "last updated never" in result["progress"][0]
    assert f"replace the instance that has the address {ADDRESS}" in result["remedy"]
    assert api.writes == []


def test_a_refused_upload_takes_the_registration_back(api, memory, listener):
    listener.answer = lambda request: Reply(400, "Configuration refused: not for this address")
    result = run(api, listener)
    assert result["failed"]
    assert "Configuration refused: not for this address (400)" in result["msg"]
    assert "taken back" in result["msg"]
    assert memory.of("worker_vm") == []


def test_a_registration_that_cannot_be_taken_back_says_so(api, memory, listener):
    listener.answer = lambda request: Reply(400, "no")
    api.faults = [Fault(Reply(400, "in use"), "DELETE")]
    result = run(api, listener)
    assert result["failed"]
    assert [word for word in ("no (400)", "could not be taken back", "in use") if word not in result["msg"]] == []


# Lost answers


PAGES = [
    Reply(201, "<!doctype html>\n<html><head><meta charset='utf-8'></head></html>"),
    Reply(201, '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>'),
]


@pytest.mark.parametrize("kind", [CUT, RESET, TRUNCATED, Reply(503), *PAGES], ids=str)
def test_a_creation_whose_answer_was_lost_is_made_anew_for_its_document_is_gone(api, memory, listener, kind):
    api.faults = [Fault(kind, "POST", acted=True)]
    result = run(api, listener)
    assert (result["changed"], result["complete"]) == (True, True)
    assert [line.split()[0] for line in api.writes] == ["POST", "DELETE", "POST"]
    assert uploads(listener) == documents(memory)
    assert len(documents(memory)) == 1


@pytest.mark.parametrize("fault", [Fault(CUT, "POST", acted=True), None], ids=["lost", "no document"])
def test_a_platform_that_never_gives_a_document_is_left_as_it_was(api, memory, listener, fault):
    if fault:
        api.faults = [fault, Fault(CUT, "POST", acted=True)]
    else:
        memory.document = '{{"id": 1}}'
    result = run(api, listener)
    assert result["failed"]
    assert "without giving its configuration document" in result["msg"]
    assert memory.of("worker_vm") == []
    assert uploads(listener) == []


@pytest.mark.parametrize("acted", [True, False])
def test_an_upload_whose_answer_was_lost_is_sent_again(api, memory, listener, acted):
    listener.faults = [Fault(CUT, acted=acted)]
    assert run(api, listener)["complete"]
    assert uploads(listener) == documents(memory) * 2
    assert api.writes == ["POST worker_vm/"]


def test_a_registration_stays_where_nobody_knows_whether_its_document_was_taken(api, memory, listener):
    listener.faults = [Fault(CUT) for _attempt in range(3)]
    result = run(api, listener)
    assert result["failed"]
    said = (
        "may have taken",
        "stays registered",
        "run this again",
        f"replace the instance that has the address {ADDRESS}",
    )
    assert [word for word in said if word not in result["msg"]] == []
    assert api.writes == ["POST worker_vm/"]
    [node] = memory.of("worker_vm")
    memory.status["worker_vm"] = [{"configuration_id": node["id"], "name": "conf01", "last_updated": None}]
    # It was not: the listener still waits, and gets a document of its own.
    assert run(api, listener)["complete"]
    assert api.writes[1:] == [f"DELETE worker_vm/{node['id']}/", "POST worker_vm/"]
    assert uploads(listener)[-1:] == documents(memory)


# Check mode


@pytest.mark.parametrize("state", ["new", "new, listener down", "in contact", "lost document", "rebooting"])
def test_check_mode_foretells_uploads_nothing_and_never_waits(api, memory, listener, state):
    if not state.startswith("new"):
        registered(memory, "2026-11-23T10:00:00" if state == "in contact" else None)
    if state in ("rebooting", "new, listener down"):
        listener.stop()
    result = run(api, listener, check=True, diff=True, description="new")
    assert (result["changed"], result["complete"], result["node"]["description"]) == (True, True, "new")
    assert result["diff"]["after"]["description"] == "new"
    assert (api.writes, uploads(listener)) == ([], [])
    assert (result["node"]["id"] is None) == (state not in ("in contact", "rebooting"))


def test_without_a_platform_check_mode_foretells_a_creation(listener):
    options = {**OPTIONS, "bootstrap": {"port": listener.port}}
    result = run_module(pexip_node, check=True, host="", **options)
    assert (result["changed"], result["node"]["id"]) == (True, None)
    assert "London" in str(result["warnings"])
    assert uploads(listener) == []


# Live calls


@pytest.fixture
def busy(memory):
    """The node carries a conference, named by the node's name, and another one by its address."""
    registered(memory, "2026-11-23T10:00:00")
    memory.status["conference_shard"] = [{"node": "conf01"}, {"node": ADDRESS}, {"node": "conf011"}]


DROPPING = [
    ({"system_location": "Oslo"}, "system_location"),
    ({"node_type": "PROXYING"}, "node_type"),
    ({"state": "absent"}, "deleting it"),
]


@pytest.mark.parametrize(("change", "words"), DROPPING)
def test_what_drops_calls_is_refused_warned_of_or_forced(api, busy, change, words):
    refused = run(api, **change)
    assert refused["failed"]
    assert "carries 2 conferences" in refused["msg"]
    assert words in refused["msg"]
    assert "force: true" in refused["msg"]
    warned = run(api, check=True, **change)
    assert warned["changed"]
    assert "carries 2 conferences" in str(warned["warnings"])
    assert api.writes == []
    assert run(api, force=True, **change)["changed"]
    assert len(api.writes) == 1


def test_what_drops_no_calls_is_not_held_up(api, busy):
    result = run(api, description="new")
    assert result["changed"]
    assert "warnings" not in result
    assert not [line for line in api.lines if "conference_shard" in line]


def test_a_free_node_is_moved_and_deleted(api, memory, busy):
    memory.status["conference_shard"] = []
    assert run(api, system_location="Oslo")["changed"]
    assert run(api, state="absent")["node"] is None
    assert not run(api, state="absent")["changed"]
    assert api.writes == ["PATCH worker_vm/40/", "DELETE worker_vm/40/"]


# The document in a file


def test_the_document_is_written_for_its_owner_alone(api, memory, tmp_path):
    result = run(api, config_path=str(tmp_path))
    assert result["config_file"] == str(tmp_path / "pexip-conf01.example.com.xml")
    assert stat.S_IMODE(os.stat(result["config_file"]).st_mode) == 0o600
    assert [(tmp_path / "pexip-conf01.example.com.xml").read_text(encoding="utf-8")] == documents(memory)
    assert "config_file" not in run(api, config_path=str(tmp_path))


@pytest.mark.parametrize("place", ["missing", "file"])
def test_a_directory_that_is_none_is_refused_before_anything_is_registered(api, tmp_path, place):
    (tmp_path / "file").write_text("")
    result = run(api, config_path=str(tmp_path / place))
    assert result["failed"]
    assert "is not a directory that can be written to" in result["msg"]
    assert api.requests == []


def test_a_document_that_cannot_be_written_takes_the_registration_back(api, memory, tmp_path):
    (tmp_path / "pexip-conf01.example.com.xml").mkdir()
    result = run(api, config_path=str(tmp_path))
    assert result["failed"]
    assert "cannot be written" in result["msg"]
    assert memory.of("worker_vm") == []
    assert [path.name for path in tmp_path.iterdir()] == ["pexip-conf01.example.com.xml"]


LOST_FILES = {
    "gone": {},
    "an older one": {"pexip-conf01.example.com.xml": "<old/>", ".pexip-conf01.example.com.xml.pending": ""},
}


@pytest.mark.parametrize("files", LOST_FILES.values(), ids=LOST_FILES.keys())
def test_a_lost_document_is_had_anew_while_the_node_was_never_in_contact(api, memory, tmp_path, files):
    registered(memory, description="kept")
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    foretold = run(api, check=True, config_path=str(tmp_path))
    assert (foretold["changed"], foretold["node"]["id"]) == (True, None)
    assert (api.writes, {path.name for path in tmp_path.iterdir()}) == ([], set(files))
    result = run(api, config_path=str(tmp_path))
    assert result["changed"]
    assert "conf01' is registered anew" in str(result["warnings"])
    assert api.writes == ["DELETE worker_vm/40/", "POST worker_vm/"]
    [stored] = memory.of("worker_vm")
    assert stored["description"] == "kept"
    assert [path.name for path in tmp_path.iterdir()] == ["pexip-conf01.example.com.xml"]
    assert [(tmp_path / "pexip-conf01.example.com.xml").read_text(encoding="utf-8")] == documents(memory)
    memory.status["worker_vm"][0]["configuration_id"] = stored["id"]
    assert not run(api, config_path=str(tmp_path))["changed"]


@pytest.mark.parametrize("files", LOST_FILES.values(), ids=LOST_FILES.keys())
def test_a_node_that_was_in_contact_is_never_registered_anew_for_a_file(api, memory, tmp_path, files):
    registered(memory, "2026-11-23T10:00:00")
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    result = run(api, config_path=str(tmp_path))
    assert (result["changed"], result["node"]["id"]) == (False, 40)
    assert "config_file" not in result
    assert api.writes == []


def test_a_document_that_lies_there_needs_no_look_at_the_status(api, memory, tmp_path):
    registered(memory)
    (tmp_path / "pexip-conf01.example.com.xml").write_text("<document/>")
    assert not run(api, config_path=str(tmp_path))["changed"]
    assert api.lines == ["GET worker_vm/", "GET system_location/"]


def test_a_new_registration_needs_the_nodes_password(api, memory, tmp_path):
    registered(memory)
    result = run(api, config_path=str(tmp_path), node_password=None)
    assert result["failed"]
    assert "its configuration document is lost; to register it anew give node_password" in result["msg"]
    assert api.writes == []


@pytest.mark.parametrize("old", [None, "<another's/>"])
def test_a_refused_registration_leaves_the_directory_as_it_was(api, tmp_path, old):
    path = tmp_path / "pexip-conf01.example.com.xml"
    if old:
        path.write_text(old)
    api.faults = [Fault(Reply(400, "no licence"), "POST")]
    assert "no licence" in run(api, config_path=str(tmp_path))["msg"]
    assert [file.read_text() for file in tmp_path.iterdir()] == ([old] if old else [])


# Bad input, before anything is asked


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"address": "172.31.16.10"}, "outside the subnet"),
        ({"address": "172.31.0.2"}, "reserved by AWS"),
        ({"subnet": "172.31.0.1/20"}, "did you mean"),
        ({"netmask": "255.255.255.0"}, "mutually exclusive"),
        ({"bootstrap": {}, "config_path": "/"}, "mutually exclusive"),
        ({"bootstrap": {"tls_fingerprint": "abc"}}, "bootstrap.tls_fingerprint: a TLS fingerprint is"),
        ({"bootstrap": {"port": 70000}}, "bootstrap.port: 70000"),
        ({"bootstrap": {"host": "https://x/"}}, "bootstrap.host: 'https://x/'"),
        ({"bootstrap": {"host": "a..b"}}, "bootstrap.host: 'a..b'"),
        ({"name": "x" * 33}, "33 characters long"),
        ({"node_password": "p" * 251}, "node_password: the value of 251 characters"),
        ({"transcoding": True}, "transcoding"),
    ],
)
def test_bad_input_is_refused_before_any_request(api, options, words):
    result = run(api, **options)
    assert result["failed"]
    assert words in result["msg"]
    assert api.requests == []


def test_a_creation_needs_a_way_to_deliver_the_document(api):
    result = run(api)
    assert result["failed"]
    assert "give bootstrap" in result["msg"]
    assert api.writes == []


def test_an_immutable_difference_names_both_values(api, memory):
    registered(memory, "2026-11-23T10:00:00")
    result = run(api, address="172.31.1.11")
    assert result["failed"]
    assert "address is '172.31.1.10' and cannot become '172.31.1.11'" in result["msg"]
    assert api.writes == []


@pytest.mark.parametrize("field", ["ipv6_address", "ipv6_gateway"])
def test_an_ipv6_address_is_the_same_however_it_is_written(api, memory, field):
    registered(memory, "2026-11-23T10:00:00", **{field: "2001:db8::1"})
    assert not run(api, **{field: "2001:DB8:0::1"})["changed"]
    result = run(api, **{field: "2001:db8::2"})
    assert f"{field} is '2001:db8::1' and cannot become '2001:db8::2'" in result["msg"]
    assert "is not an IP address" in run(api, **{field: "2001:db8::zz"})["msg"]
    assert api.writes == []
