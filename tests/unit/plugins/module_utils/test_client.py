# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP client against real TLS servers: trust, retries, lost answers, paging, errors."""

from __future__ import annotations

import base64
import contextlib
import re
import socket
import threading
import time
from email.utils import formatdate
from urllib.parse import unquote

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils import client as client_module
from ansible_collections.pexip.infinity.plugins.module_utils.client import (
    Client,
    Connection,
    PexipError,
    is_uri,
    normalise_fingerprint,
    peer_fingerprint,
    resource_path,
    server_message,
)
from ansible_collections.pexip.infinity.tests.unit.support import (
    CUT,
    PASSWORD,
    RESET,
    TRUNCATED,
    Memory,
    Reply,
    free_port,
)
from hypothesis import given
from hypothesis import strategies as st

LIST = resource_path("worker_vm")
NODE = resource_path("worker_vm", 5)
OK = Reply(body={"id": 5})


def call(client, method, **body):
    """One request by the client's own verbs."""
    return (
        {"GET": client.get, "DELETE": client.delete}[method](NODE)
        if method in ("GET", "DELETE")
        else (client.patch(NODE, body) if method == "PATCH" else client.post(LIST, body))
    )


def failure(client, method="GET", **body):
    """The error that one request ends with."""
    with pytest.raises(PexipError) as caught:
        call(client, method, **body)
    return caught.value


# Trust


@pytest.mark.parametrize("bundle", ["/dev/null", "wrong authority"])
@pytest.mark.parametrize("trust", ["ca_path", "tls_fingerprint", "validate_certs"])
def test_the_environments_bundle_overrides_no_trust_of_ours(serve, ca_file, tmp_path, monkeypatch, bundle, trust):
    if bundle != "/dev/null":
        import trustme

        bundle = str(tmp_path / "other.pem")
        trustme.CA().cert_pem.write_to_path(bundle)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    monkeypatch.setenv("CURL_CA_BUNDLE", bundle)
    server = serve(lambda request: OK)
    options = {"ca_path": ca_file, "tls_fingerprint": server.fingerprint, "validate_certs": False}
    assert Client(server.connection(**{trust: options[trust]})).get(NODE) == {"id": 5}


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_without_a_trust_of_ours_the_bundles_of_other_tools_are_not_looked_at(serve, ca_file, monkeypatch, variable):
    server = serve(lambda request: OK)
    monkeypatch.setenv(variable, ca_file)
    assert "not trusted" in str(failure(Client(server.connection())))
    assert server.requests == []


def test_without_a_trust_of_ours_the_controllers_own_authorities_are_trusted(serve, ca_file, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)  # where OpenSSL has the system's authorities
    assert Client(serve(lambda request: OK).connection()).get(NODE) == {"id": 5}


def test_a_controller_without_authorities_trusts_those_that_come_with_requests(monkeypatch, tmp_path):
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(variable, str(tmp_path / "nothing"))
    _session, verify = client_module.open_session(validate_certs=True, ca_path=None, tls_fingerprint=None)
    assert verify == client_module.requests.certs.where()


def test_an_untrusted_certificate_is_an_error_that_gives_its_fingerprint_and_sends_nothing(serve):
    server = serve(lambda request: OK)
    error = failure(Client(server.connection()))
    assert server.fingerprint in str(error)
    assert "not trusted" in str(error)
    assert server.requests == []


def test_a_wrong_pin_is_an_error_that_names_both_fingerprints_and_sends_nothing(serve, ca_file):
    server = serve(lambda request: OK)
    error = failure(Client(server.connection(tls_fingerprint="AB:" * 31 + "AB", ca_path=ca_file)))
    assert "ab" * 32 in str(error)
    assert server.fingerprint in str(error)
    assert server.requests == []


def test_a_certificate_for_another_name_is_refused_and_its_pin_is_not(serve, ca_file):
    server = serve(lambda request: OK, names=("manager.example.com",))
    assert server.fingerprint in str(failure(Client(server.connection(ca_path=ca_file))))
    assert Client(server.connection(tls_fingerprint=server.fingerprint)).get(NODE) == {"id": 5}


def forward(target: int) -> int:
    """Starts an HTTP proxy that tunnels one connection to a port of this machine; returns the proxy's port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):  # the other direction ended the tunnel
            while data := source.recv(65536):
                sink.sendall(data)

    def run() -> None:
        with listener, listener.accept()[0] as inner, socket.create_connection(("127.0.0.1", target)) as outer:
            inner.recv(65536)
            inner.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=pump, args=(outer, inner), daemon=True).start()
            pump(inner, outer)

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1]


def test_the_pin_holds_behind_a_proxy(serve, monkeypatch):
    server = serve(lambda request: OK)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{forward(server.port)}")
    assert Client(server.connection(tls_fingerprint=server.fingerprint)).get(NODE) == {"id": 5}
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{forward(server.port)}")
    failure(Client(server.connection(tls_fingerprint="ab" * 32)))
    assert len(server.requests) == 1


def test_the_fingerprint_of_a_listener_is_read_without_trusting_it(serve):
    server = serve()
    assert peer_fingerprint("127.0.0.1", server.port, 5) == server.fingerprint


@pytest.mark.parametrize("written", ["AB" * 32, ":".join(["ab"] * 32), "SHA256:" + "ab" * 32, " sha-256:" + "ab" * 32])
def test_a_fingerprint_has_one_form(written):
    assert normalise_fingerprint(written) == "ab" * 32


@pytest.mark.parametrize("written", ["", "ab" * 31, "ab" * 33, "zz" * 32, "sha1:" + "ab" * 32])
def test_what_is_no_fingerprint_is_refused(written):
    with pytest.raises(ValueError, match="64 hexadecimal digits"):
        normalise_fingerprint(written)


# Authentication


def test_the_credentials_go_as_basic_authentication_in_utf_8(serve):
    server = serve(lambda request: OK)
    server.client(username="zoë", password="pässword:€").get(NODE)
    scheme, token = server.requests[0].headers["Authorization"].split(" ", maxsplit=1)
    assert scheme == "Basic"
    assert base64.b64decode(token).decode() == "zoë:pässword:€"


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, "", ["'operator'", "401", "password"]),
        (401, {"message": "account locked"}, ["401", "account locked"]),
        (403, {"error": "no permission"}, ["'operator'", "403", "no permission", "DELETE"]),
    ],
)
def test_refused_credentials_and_permissions_are_said_once(serve, status, body, words):
    server = serve(lambda request: Reply(status, body))
    error = failure(server.client(username="operator"), "DELETE")
    assert error.status == status
    assert [word for word in words if word not in str(error)] == []
    assert len(server.requests) == 1


# Retries

BUSY = [Reply(502), Reply(503), Reply(504), Reply(429), RESET, CUT, TRUNCATED]


@pytest.mark.parametrize("fault", BUSY, ids=str)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_what_is_safe_to_repeat_is_repeated(serve, method, fault):
    server, sleeps = serve(lambda request: OK), []
    server.script = [fault, fault]
    call(server.client(sleeps), method, mtu=1)
    assert [request.method for request in server.requests] == [method] * 3
    assert [round(pause * 2) / 2 for pause in sleeps] == [0.5, 1.0]


@pytest.mark.parametrize("fault", [Reply(500), Reply(400), Reply(404), Reply(302)], ids=str)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE", "POST"])
def test_what_would_not_change_is_not_repeated(serve, method, fault):
    server = serve(lambda request: fault)
    error = failure(server.client(), method)
    assert error.status == fault.status
    assert error.lost == (method == "POST" and fault.status == 500)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [fault for fault in BUSY if fault != Reply(429)], ids=str)
def test_a_post_without_a_proper_answer_is_lost_and_not_repeated(serve, fault):
    server = serve(lambda request: Reply(201))
    server.script = [fault]
    error = failure(server.client(), "POST", name="x")
    assert error.lost
    assert len(server.requests) == 1


def test_a_post_that_the_rate_limit_refused_is_repeated(serve):
    server = serve(lambda request: Reply(201, "<x/>", {"Location": "https://manager/api/admin/configuration/v1/a/7/"}))
    server.script = [Reply(429)]
    answer = server.client().post(LIST, {"name": "x"})
    assert (answer.status, answer.location, answer.text) == (201, "/api/admin/configuration/v1/a/7/", "<x/>")
    assert server.lines == ["POST worker_vm/"] * 2


def test_a_post_that_reached_nobody_is_repeated(serve):
    port, started = free_port(), []
    connection = Connection("127.0.0.1", port, password="x", validate_certs=False, timeout=5)

    def hang_up(server):
        accepted, _address = server.accept()
        accepted.close()

    def start(pause):
        started.append(pause)
        if len(started) == 2:
            late = socket.create_server(("127.0.0.1", port))
            threading.Thread(target=hang_up, args=(late,), daemon=True).start()

    error = failure(Client(connection, sleep=start), "POST")
    assert len(started) >= 2  # two refused connections were tried again
    assert error.lost or "no connection" in str(error)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_handshake_that_breaks_is_repeated(serve, method):
    server = serve(lambda request: OK)
    server.refused_handshakes = 2
    call(server.client(), method)
    assert len(server.requests) == 1


def test_a_slow_answer_ends_by_the_time_out_and_is_lost_for_a_post(serve):
    release = threading.Event()
    server = serve(lambda request: release.wait(10) and OK)
    try:
        client = Client(server.connection(validate_certs=False, timeout=0.2), attempts=1)
        assert failure(client, "POST").lost
        assert not failure(client, "GET").lost
    finally:
        release.set()


def test_the_back_off_grows_and_ends(serve):
    server, sleeps = serve(lambda request: Reply(503, {"error": "starting"})), []
    error = failure(server.client(sleeps))
    assert "starting (503)" in str(error)
    assert len(server.requests) == client_module.ATTEMPTS
    for pause, least in zip(sleeps, (0.5, 1, 2, 4), strict=True):
        assert least <= pause <= least * 1.25


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("3", 3, 3.75),
        ("100000", 60, 75),
        (lambda: formatdate(time.time() + 7, usegmt=True), 5, 8.75),
        (lambda: formatdate(time.time() - 100, usegmt=True), 0.5, 0.625),
        ("0", 0.5, 0.625),
        ("soon", 0.5, 0.625),
        ("²", 0.5, 0.625),
    ],
    ids=["seconds", "too many seconds", "a date to come", "a date gone by", "zero", "a word", "no number"],
)
def test_retry_after_is_honoured_and_capped(serve, value, least, most):
    server, sleeps = serve(lambda request: OK), []
    server.script = [Reply(429, headers={"Retry-After": value() if callable(value) else value})]
    server.client(sleeps).get(NODE)
    assert least <= sleeps[0] <= most


def test_a_rate_limit_that_stays_says_so(serve):
    server = serve(lambda request: Reply(429, "slow down"))
    error = failure(server.client(), "POST")
    assert "slow down" in str(error)
    assert not error.lost


def test_a_repeated_delete_that_finds_nothing_succeeded(serve):
    server = serve(lambda request: Reply(404))
    server.script = [CUT]
    assert server.client().delete(NODE) is False
    assert failure(server.client(), "DELETE").status == 404


def test_one_connection_carries_all_requests(serve):
    server = serve(lambda request: OK)
    client = server.client()
    for _attempt in range(3):
        client.get(NODE)
    assert server.connections == 1


# Nobody there


def test_a_refused_connection_names_the_place_and_what_to_check():
    port, sleeps = free_port(), []
    error = failure(Client(Connection("127.0.0.1", port, password="x"), sleep=sleeps.append), "POST")
    assert f"127.0.0.1:{port}" in str(error)
    assert "security group" in str(error)
    assert "object at 0x" not in str(error)
    assert not error.lost
    assert len(sleeps) == client_module.ATTEMPTS - 1


def test_an_unknown_host_is_an_error_without_a_pool_of_objects():
    error = failure(Client(Connection("manager.invalid", password="x"), sleep=lambda pause: None))
    assert "manager.invalid:443" in str(error)
    assert "HTTPSConnection" not in str(error)


@pytest.mark.parametrize("host", ["manager:443", "a..b", "mana ger", "ü" * 70])
def test_what_is_no_host_is_an_error_of_ours(host):
    error = failure(Client(Connection(host, password="x", validate_certs=False), sleep=lambda pause: None))
    assert host in str(error)


# Lists


@pytest.mark.parametrize("count", [0, 1, 1000, 1001, 2500])
def test_a_list_is_read_to_its_end_in_large_pages(serve, count):
    server = serve(Memory({"dns_server": [{"address": f"10.0.{n // 250}.{n % 250}"} for n in range(count)]}))
    found = server.client().list(resource_path("dns_server"))
    assert [item["id"] for item in found] == list(range(1, count + 1))
    assert len(server.requests) == max(1, -(-count // client_module.PAGE_SIZE))
    assert {request.query["limit"] for request in server.requests} == {str(client_module.PAGE_SIZE)}


def test_filters_go_with_every_page(serve):
    server = serve(lambda request: Reply(body={"objects": [request.query], "meta": {"next": None}}))
    server.script = [Reply(body={"objects": [], "meta": {"next": f"{LIST}?limit=9&name=a%26b&offset=9"}})]
    [query] = server.client().list(LIST, {"name": "a&b=c"})
    assert server.requests[0].query == {"limit": "1000", "name": "a&b=c"}
    assert query == {"limit": "9", "name": "a&b", "offset": "9"}


@pytest.mark.parametrize(
    "following", ["https://evil.example/x?a", "/api/admin/configuration/v1/global/?offset=1", "@evil.example/", LIST]
)
def test_a_next_page_elsewhere_is_refused(serve, following):
    server = serve(lambda request: Reply(body={"objects": [], "meta": {"next": following}}))
    with pytest.raises(PexipError, match="outside this list"):
        server.client().list(LIST)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ('{"name": "burst", "aws_secret_key": "planted', "breaks off or is garbled"),
        ("<html>A shop</html>", "It begins: .*A shop"),
    ],
)
def test_what_a_broken_object_holds_is_not_shown(serve, body, shown):
    error = str(failure(serve(lambda request: Reply(body=body)).client()))
    assert re.search(shown, error) and "planted" not in error


@pytest.mark.parametrize("body", ["", "<html>A shop</html>", "[]", "3", '{"id": ', {"objects": {}}, {"objects": []}])
def test_what_is_no_list_of_the_api_is_an_error(serve, body):
    server = serve(lambda request: Reply(body=body))
    with pytest.raises(PexipError, match="management API"):
        server.client().list(LIST)


# Paths and texts


@pytest.mark.parametrize("key", ["../worker_vm", "a?b=c", "a#b", "%2f", "a/b", "Zürich ☃", " ", "..%2f..", "a\nb"])
def test_a_key_stays_one_segment_of_the_path_on_the_wire(serve, key):
    server = serve(lambda request: OK)
    server.client().get(resource_path("worker_vm", key))
    head, tail = server.requests[0].target[: len(LIST)], server.requests[0].target[len(LIST) :]
    assert head == LIST
    assert tail.endswith("/")
    assert tail.count("/") == 1
    assert unquote(tail[:-1]) == key


@pytest.mark.parametrize("key", ["", ".", ".."])
def test_a_key_that_names_no_object_is_refused(key):
    with pytest.raises(ValueError, match="does not name an object"):
        resource_path("worker_vm", key)


@pytest.mark.parametrize("name", ["", "Worker", "a/b", "../x", "a?b", "worker_vm/5", "a%2fb", "zürich", "a\n", "a b"])
def test_what_is_no_resource_is_refused(name):
    with pytest.raises(ValueError, match="not the name of an API resource"):
        resource_path(name)


def test_commands_and_families_have_their_paths():
    path = resource_path("platform__start_cloudnode", family="command")
    assert path == "/api/admin/command/v1/platform/start_cloudnode/"
    with pytest.raises(ValueError, match="family"):
        resource_path("x", family="../configuration")


@given(st.text(min_size=1).filter(lambda key: key not in (".", "..")))
def test_an_objects_path_is_always_the_uri_of_one_object(key):
    assert is_uri(resource_path("worker_vm", key.encode("utf-8", "replace").decode()))


NO_OBJECT = [LIST, LIST + "5", LIST + "./", LIST + "../", LIST + "%2e/", LIST + "%2E./", LIST + "5/6/", LIST + "5/?x"]


@pytest.mark.parametrize("path", [*NO_OBJECT, LIST + "/", "", NODE + "\n", "/api/admin/configuration/v1//5/"])
def test_a_list_is_never_changed_or_deleted(serve, path):
    server = serve(lambda request: OK)
    for write in (server.client().delete, lambda uri: server.client().patch(uri, {})):
        with pytest.raises(ValueError, match="not the URI of one object"):
            write(path)
    assert server.requests == []


def test_texts_are_utf_8_whatever_the_content_type_leaves_open(serve):
    server = serve(lambda request: Reply(201, "<a>Zürich</a>", {"Content-Type": "text/xml"}))
    assert server.client().post(LIST, {}).text == "<a>Zürich</a>"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"name": ["is taken", "is odd"]}', "name: is taken; name: is odd"),
        ('{"worker_vm": {"name": ["is taken"], "__all__": ["no"]}}', "name: is taken; no"),
        ('{"error": "broken"}', "broken"),
        ('{"error_message": "broken", "traceback": "File x"}', "broken"),
        ('{"message": {"detail": "broken"}}', "broken"),
        ('{"details": ["a", {"mtu": 5}]}', "a; mtu: 5"),
        ('"plain"', "plain"),
        ("<html><style>b {}</style><body><h1>Bad\n gateway</h1></body></html>", "Bad gateway"),
        ("words", "words"),
        ("", "no message"),
        ("{}", "no message"),
        ('{"name": []}', "no message"),
        ("null", "no message"),
    ],
)
def test_the_servers_words_are_found_in_every_shape(body, message):
    assert server_message(body) == message


def test_the_servers_words_are_bounded():
    assert len(server_message("x" * 10_000)) == client_module.MESSAGE_LIMIT


@pytest.mark.parametrize("reply", [Reply(400, {"mtu": ["too small"]}), Reply(500, "oops"), Reply(302), CUT, Reply(403)])
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_an_error_names_the_request_and_holds_no_secret(serve, method, reply):
    server = serve(lambda request: Reply(404))
    server.script = [reply] * client_module.ATTEMPTS
    error = failure(server.client(), method, secret="hidden-Secret#2")
    token = base64.b64encode(f"admin:{PASSWORD}".encode()).decode()
    for text in (str(error), repr(error), repr(vars(error)), repr(server.connection())):
        assert not [secret for secret in (PASSWORD, token, "hidden-Secret#2", "Basic") if secret in text]
    assert error.method == method
    assert method in str(error)
    assert error.path in str(error)
