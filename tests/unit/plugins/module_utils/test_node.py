# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node's upload listener, its configuration document and its contact."""

from __future__ import annotations

import os
import stat
import threading

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.client import PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.node import (
    DocumentPlace,
    Listener,
    contact_line,
    document_name,
    in_contact,
    write_document,
)
from ansible_collections.pexip.infinity.tests.unit.support import CUT, RESET, TRUNCATED, Fault, Reply, free_port

DOCUMENT = "<configuration>Zürich</configuration>"


class UploadForm:
    """Takes one document, as a node's listener does."""

    def __init__(self):
        self.taken = []

    def __call__(self, request):
        if self.taken:
            return Reply(409, "Configuration refused: already configured")
        self.taken.append(request.body)
        return Reply(200, "Configuration accepted")


@pytest.fixture
def form():
    return UploadForm()


@pytest.fixture
def node(serve, form):
    return serve(form)


def listener(server, **options):
    return Listener("127.0.0.1", server.port, **options)


def failure(server, **options):
    """The error of an upload."""
    with pytest.raises(PexipError) as caught:
        listener(server, **options).upload(DOCUMENT, sleep=lambda pause: None)
    return caught.value


def refused(server, **options):
    """What the error of an upload that was certainly not taken says."""
    error = failure(server, **options)
    assert not error.lost
    return str(error)


def test_a_listener_waits_or_does_not(node):
    assert listener(node).waiting()
    assert listener(node, tls_fingerprint=node.fingerprint).waiting()
    node.stop()
    assert not listener(node).waiting()


def test_a_listener_with_another_certificate_than_the_pinned_one_is_an_error(node, form):
    with pytest.raises(PexipError, match=node.fingerprint):
        listener(node, tls_fingerprint="ab" * 32).waiting()
    refused(node, tls_fingerprint="ab" * 32)
    assert form.taken == []


def test_a_document_arrives_whole_once_and_without_credentials(node, form, tmp_path, monkeypatch):
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    (tmp_path / "netrc").write_text("default login someone password else\n")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    listener(node, tls_fingerprint=node.fingerprint).upload(DOCUMENT)
    assert form.taken == [DOCUMENT.encode()]
    assert node.requests[0].line == "POST /configuration/bootstrap"
    assert node.requests[0].headers["Content-Type"] == "text/xml"
    assert "Authorization" not in node.requests[0].headers


@pytest.mark.parametrize("status", [400, 403, 409, 415])
def test_a_refusal_is_final_and_in_the_listeners_words(node, status):
    node.answer = lambda request: Reply(status, "Configuration refused: not for this address")
    assert f"Configuration refused: not for this address ({status})" in refused(node)
    assert len(node.requests) == 1


@pytest.mark.parametrize("kind", [CUT, RESET, TRUNCATED, Reply(503)], ids=str)
@pytest.mark.parametrize("acted", [True, False])
def test_an_upload_whose_answer_was_lost_is_sent_again_and_taken_once(node, form, kind, acted):
    node.faults = [Fault(kind, acted=acted)]
    listener(node).upload(DOCUMENT, sleep=lambda pause: None)
    assert form.taken == [DOCUMENT.encode()]
    assert len(node.requests) == 2


@pytest.mark.parametrize("how", [CUT, RESET, "silence"])
def test_an_upload_that_never_gets_an_answer_may_have_been_taken(node, form, how, monkeypatch):
    silent = threading.Event()
    if how == "silence":
        monkeypatch.setattr("ansible_collections.pexip.infinity.plugins.module_utils.node.UPLOAD_TIMEOUT", 0.1)
        node.answer = lambda request: Reply(200) if silent.wait(5) else Reply(500)
    else:
        node.faults = [Fault(how, acted=True) for _attempt in range(3)]
    error = failure(node)
    silent.set()
    assert error.lost
    assert "may have taken the configuration document" in str(error)
    assert "did not answer" in str(error)
    assert len(node.requests) == 3


def test_a_listener_that_goes_away_after_the_upload_took_it(node, form):
    node.faults = [Fault(CUT, acted=True)]
    listener(node).upload(DOCUMENT, sleep=lambda pause: node.stop())
    assert form.taken == [DOCUMENT.encode()]


def test_a_listener_that_was_never_reached_took_nothing(node, form):
    node.stop()
    assert "did not take the configuration document" in refused(node)


def test_a_listener_that_was_never_reached_and_holds_anothers_document_refuses(serve, form):
    form.taken.append(b"another's")
    nobody = free_port()
    pauses = []

    def start(pause):
        pauses.append(pause)
        object.__setattr__(place, "port", serve(form).port)  # it comes up between two attempts

    place = Listener("127.0.0.1", nobody)
    with pytest.raises(PexipError, match="already configured"):
        place.upload(DOCUMENT, sleep=start)
    assert len(pauses) == 1


def test_a_listener_that_never_answers_properly_is_an_error(node):
    node.answer = lambda request: Reply(500, "<h1>Oops</h1>")
    assert "Oops (500)" in refused(node)
    assert len(node.requests) == 3


def test_a_document_is_written_whole_for_its_owner_alone(tmp_path):
    usual = os.umask(0)
    try:
        path = write_document(str(tmp_path), document_name("conf01", "example.com"), DOCUMENT)
    finally:
        os.umask(usual)
    assert path == str(tmp_path / "pexip-conf01.example.com.xml")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert (tmp_path / "pexip-conf01.example.com.xml").read_text(encoding="utf-8") == DOCUMENT
    assert os.listdir(tmp_path) == ["pexip-conf01.example.com.xml"]


def test_a_document_that_cannot_be_written_leaves_no_trace(tmp_path):
    (tmp_path / "a.xml").mkdir()
    with pytest.raises(PexipError, match="config_path: .*a.xml cannot be written"):
        write_document(str(tmp_path), "a.xml", DOCUMENT)
    assert os.listdir(tmp_path) == ["a.xml"]
    with pytest.raises(PexipError, match="No such file or directory"):
        write_document(str(tmp_path / "missing"), "a.xml", DOCUMENT)


def test_a_document_that_was_expected_and_never_came_is_lost(tmp_path):
    place = DocumentPlace(str(tmp_path), "a.xml")
    assert place.lost()  # nothing was ever written there
    place.expect()
    assert place.write(DOCUMENT) == str(tmp_path / "a.xml")
    assert not place.lost()
    place.expect()
    assert place.lost()  # the run ended before the new one was written; what lies there is an older one
    place.give_up()
    assert not place.lost()
    assert os.listdir(tmp_path) == ["a.xml"]
    assert "cannot be written" in str(
        pytest.raises(PexipError, DocumentPlace(str(tmp_path / "b"), "a.xml").expect).value
    )


T1, T2 = "2026-11-23T10:00:00.500000", "2026-11-23T10:00:01"


@pytest.mark.parametrize(
    ("status", "since", "there"),
    [
        ({"sync_status": "SYNCED", "last_updated": T1}, None, True),
        ({"sync_status": "SYNCED", "last_updated": T2}, T1, True),
        ({"sync_status": "SYNCED", "last_updated": T1}, T1, False),
        ({"sync_status": "SYNCED", "last_updated": T1}, T2, False),
        ({"sync_status": "SYNCED", "last_updated": None}, None, False),
        ({"sync_status": "SYNCING", "last_updated": T2}, T1, False),
        ({"sync_status": "SYNCED", "last_updated": "2026-11-23T10:00:00.5Z"}, "2026-11-23T10:00:00Z", True),
        ({"sync_status": "SYNCED", "last_updated": "2026-11-23T11:00:00+02:00"}, "2026-11-23T10:00:00", False),
        (None, None, False),
        ({}, None, False),
    ],
)
def test_contact_is_synced_and_newer_than_before(status, since, there):
    assert in_contact(status, since) is there


def test_what_a_node_last_reported_is_said_in_words():
    assert contact_line("a", {"sync_status": "SYNCING", "last_updated": T2}) == f"a: last updated {T2}, SYNCING"
    assert contact_line("a", {"sync_status": "", "last_updated": None}) == "a: last updated never, no sync status"
    assert contact_line("a", None) == "a: not registered"
