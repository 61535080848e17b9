# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a Management Node: options, the API's answer, and what the end of a session means.

The API is a small HTTPS server on this machine, the SSH side a transcript.
"""

import hashlib
import http.server
import importlib.util
import json
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import trustme
import yaml
from ansible_collections.pexip.infinity.plugins.module_utils.client import Connection, PexipError
from ansible_collections.pexip.infinity.plugins.module_utils.installation import Task, look, option_problems
from ansible_collections.pexip.infinity.plugins.module_utils.installation_dialogue import Answers
from ansible_collections.pexip.infinity.plugins.module_utils.ssh_channel import InstallationError, Login

HERE = Path(__file__).parent
_spec = importlib.util.spec_from_file_location("wizard_double", HERE / "wizard_double.py")
wizard_double = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(wizard_double)

OPTIONS = {
    "username": "operator",
    "password": "web Secret$2",
    "admin_password": "unix-Secret#1",
    "hostname": "manager",
    "domain": "example.com",
    "dns_servers": ["172.31.0.2", "172.31.0.3"],
    "ntp_servers": ["172.31.0.4", "ntp.example.com"],
    "ssh_port": 22,
    "ssh_user": "admin",
}


def test_good_options():
    assert option_problems(OPTIONS) == []
    network = {"address": "172.31.0.10", "netmask": "255.255.240.0", "gateway": "172.31.0.1"}
    assert (
        option_problems({**OPTIONS, **network, "incident_reporting": True, "contact_email_address": "ops@example.com"})
        == []
    )


def test_servers_may_be_left_to_the_wizards_defaults():
    assert option_problems({**OPTIONS, "dns_servers": None, "ntp_servers": None}) == []


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"hostname": "manager.example.com"}, "hostname"),
        ({"hostname": "-manager"}, "hostname"),
        ({"hostname": "m" * 64}, "hostname"),
        ({"hostname": "mm"}, "hostname"),
        ({"hostname": "manager\n"}, "hostname"),
        ({"domain": "example..com"}, "domain"),
        ({"domain": ""}, "domain"),
        ({"dns_servers": []}, "dns_servers"),
        ({"dns_servers": ["dns.example.com"]}, "dns_servers"),
        ({"ntp_servers": []}, "ntp_servers"),
        ({"ntp_servers": ["ntp server"]}, "ntp_servers"),
        ({"address": "172.31.0.300"}, "address"),
        ({"address": "::1"}, "address"),
        ({"netmask": "255.0.255.0"}, "netmask"),
        ({"netmask": "20"}, "netmask"),
        ({"gateway": "gw"}, "gateway"),
        ({"address": "172.31.0.10", "netmask": "255.255.255.0", "gateway": "172.31.1.1"}, "outside"),
        ({"password": "a\nb"}, "password"),
        ({"password": None}, "password"),
        ({"admin_password": "a\x1bb"}, "admin_password"),
        ({"admin_password": ""}, "admin_password"),
        ({"username": "a\rb"}, "username"),
        ({"contact_email_address": "ops"}, "contact_email_address"),
        ({"incident_reporting": True}, "contact_email_address"),
        ({"ssh_port": 0}, "ssh_port"),
        ({"ssh_user": "-l"}, "ssh_user"),
        ({"ssh_extra_args": ["-oStrictHostKeyChecking=no"]}, "host_key_checking"),
        ({"known_hosts": 'a"b'}, "known_hosts"),
    ],
)
def test_bad_options_are_named(change, word):
    problems = option_problems({**OPTIONS, **change})
    assert len(problems) == 1
    assert word in problems[0]
    assert "a\x1bb" not in problems[0]


MACHINE = {
    "id": 1,
    "hostname": "manager",
    "domain": "example.com",
    "address": "172.31.0.10",
    "netmask": "255.255.240.0",
    "gateway": "172.31.0.1",
    "primary": True,
}
STATUS = {"configuration_id": 1, "version": "11.0.0 (26902.0.0)"}


class Api(http.server.ThreadingHTTPServer):
    """A management API of two resources. `status` other than 200 answers everything with it."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.requests = []
        certificate = trustme.CA().issue_cert("127.0.0.1")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        self.fingerprint = hashlib.sha256(
            ssl.PEM_cert_to_DER_cert(certificate.cert_chain_pems[0].bytes().decode())
        ).hexdigest()
        self.socket = context.wrap_socket(self.socket, server_side=True)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        objects = [STATUS] if "/status/" in self.path else [MACHINE]
        body = json.dumps({"meta": {"next": None}, "objects": objects}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args):
        pass


@pytest.fixture
def api():
    server = Api()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def task():
    """A task whose API port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    answers = Answers(
        "manager",
        "example.com",
        OPTIONS["dns_servers"],
        OPTIONS["ntp_servers"],
        "operator",
        "web Secret$2",
        "unix-Secret#1",
    )
    return Task(Connection("127.0.0.1", port, "operator", "web Secret$2"), Login("172.31.0.10"), answers)


def at(task, api, **connection):
    return replace(task, connection=replace(task.connection, port=api.server_address[1], **connection))


class Machine:
    """Opens sessions that play transcripts, one after another, and counts them."""

    def __init__(self, *sessions):
        self.sessions = list(sessions)
        self.opened = 0
        self.typed = []

    def __call__(self, _command):
        channel = wizard_double.FakeSsh(self.sessions[self.opened], 1000)
        self.opened += 1
        self.typed.append(channel.typed)
        return channel


NOBODY = Machine()
FIRST, WIZARD = yaml.safe_load((HERE / "transcripts" / "guide.yml").read_text())["sessions"]
WIZARD = [step for step in WIZARD if "pause" not in step]
REFUSED = [{"say": "ssh: connect to host 172.31.0.10 port 22: Connection refused\r\n", "exit": 255}]
SHELL = [{"say": "admin@manager:~$ "}]


def test_an_installed_platform_needs_nothing(task, api):
    found = look(replace(at(task, api), tls_pin="first_use"), open_channel=NOBODY)
    result = found.result()
    assert (result["complete"], result["changed"]) == (True, False)
    assert result["installation"] == {
        "state": "installed",
        "hostname": "manager",
        "domain": "example.com",
        "address": "172.31.0.10",
        "version": "11.0.0 (26902.0.0)",
        "tls_fingerprint": api.fingerprint,
    }
    assert len(api.requests) == 2


def test_a_pinned_certificate_is_verified(task, api):
    assert look(at(task, api, tls_fingerprint=api.fingerprint), open_channel=NOBODY).complete
    with pytest.raises(PexipError, match="not the pinned one"):
        look(replace(at(task, api, tls_fingerprint="0" * 64), tls_pin="first_use"), open_channel=NOBODY)


def test_an_unknown_certificate_is_refused_unless_pinned_or_taken_at_first_use(task, api):
    with pytest.raises(PexipError, match="not trusted"):
        look(at(task, api), open_channel=NOBODY)
    assert look(replace(at(task, api), tls_pin="first_use"), open_channel=NOBODY).complete
    assert look(at(task, api, validate_certs=False), open_channel=NOBODY).complete


def test_a_wrong_web_password_is_an_error_and_no_reason_to_try_ssh(task, api):
    api.status = 401
    with pytest.raises(
        PexipError, match="installed already, with another web administration user or password"
    ) as caught:
        look(replace(at(task, api), tls_pin="first_use"), open_channel=NOBODY)
    assert caught.value.status == 401


def test_an_api_that_starts_is_waited_for(task, api, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    api.status = 503
    found = look(replace(at(task, api), tls_pin="first_use"), open_channel=NOBODY)
    assert (found.state, found.complete) == ("starting", False)
    assert "management API" in found.waiting_for


def test_an_api_that_breaks_off_is_waited_for_where_its_certificate_is_the_pinned_one(task, api, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr(Handler, "do_GET", lambda self: self.connection.close())
    pin = ":".join(api.fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    assert look(at(task, api, tls_fingerprint=pin), open_channel=NOBODY).state == "starting"


def test_another_platform_at_the_address_is_an_error(task, api):
    other = replace(task, answers=replace(task.answers, hostname="other", address="172.31.0.11"), tls_pin="first_use")
    with pytest.raises(PexipError) as caught:
        look(at(other, api), open_channel=NOBODY)
    for word in ("hostname", "'manager'", "'other'", "172.31.0.11"):
        assert word in str(caught.value)


def test_check_mode_dials_no_ssh(task, api):
    found = look(task, check=True, open_channel=NOBODY)
    assert (found.state, found.complete, found.changed) == ("absent", True, True)
    nowhere = replace(task, connection=replace(task.connection, host=""))
    assert look(nowhere, check=True, open_channel=NOBODY).changed
    installed = look(replace(at(task, api), tls_pin="first_use"), check=True, open_channel=NOBODY)
    assert (installed.complete, installed.changed) == (True, False)


def test_a_machine_that_still_boots_is_waited_for(task):
    found = look(task, open_channel=Machine(REFUSED))
    assert (found.state, found.complete, found.changed) == ("booting", False, False)
    assert "SSH server at 172.31.0.10:22" in found.waiting_for
    assert "Connection refused" in found.progress[0]


def test_a_fresh_machine_takes_two_logins_in_one_look(task):
    machine = Machine(FIRST, WIZARD)
    found = look(task, open_channel=machine)
    assert (machine.opened, found.state, found.complete, found.changed) == (2, "rebooting", False, True)
    assert "API" in found.result()["waiting_for"]


def test_a_password_that_is_changed_already_is_resumed_at_the_wizard(task):
    machine = Machine(WIZARD)
    found = look(task, open_channel=machine)
    assert (machine.opened, found.state, found.changed) == (1, "rebooting", True)


def test_the_second_login_may_come_too_early(task):
    found = look(task, open_channel=Machine(FIRST, REFUSED))
    assert (found.state, found.complete, found.changed) == ("booting", False, True)


def test_a_wizard_that_was_lost_half_way_is_taken_up_again(task):
    half = [*WIZARD[:6], {"say": "client_loop: send disconnect: Broken pipe\r\n", "exit": 255}]
    found = look(task, open_channel=Machine(half))
    assert (found.state, found.complete, found.changed) == ("installing", False, False)
    assert look(task, open_channel=Machine(WIZARD)).state == "rebooting"


def test_a_wizard_that_gives_up_is_an_error(task):
    with pytest.raises(InstallationError, match="exit status 3"):
        look(task, open_channel=Machine([*WIZARD[:6], {"say": "Bye\r\n", "exit": 3}]))


def test_an_error_after_the_password_change_tells_of_the_change(task):
    with pytest.raises(InstallationError) as caught:
        look(task, open_channel=Machine(FIRST, [{"say": "Gateway: "}]))
    assert caught.value.changed


def test_a_shell_means_waiting_for_the_api(task):
    found = look(task, open_channel=Machine(SHELL))
    assert (found.state, found.complete, found.changed) == ("starting", False, False)
    assert "API" in found.waiting_for


def test_a_login_that_ends_without_a_question_means_waiting_for_the_api(task):
    said = [
        {
            "say": "This node is installed: use its web administration interface.\r\nConnection to x closed.\r\n",
            "exit": 0,
        }
    ]
    assert look(task, open_channel=Machine(said)).state == "starting"


def test_a_session_closed_at_once_means_waiting(task):
    found = look(
        task,
        open_channel=Machine(
            [{"say": "System is going down.\r\nConnection closed by 172.31.0.10 port 22\r\n", "exit": 255}]
        ),
    )
    assert not found.complete


@pytest.mark.parametrize(
    "said",
    [
        "admin@172.31.0.10: Permission denied (publickey).\r\n",
        "Received disconnect from 172.31.0.10 port 22:2: Too many authentication failures\r\nDisconnected from 172.31.0.10 port 22\r\n",
    ],
)
def test_a_refused_login_is_told_from_a_boot_and_hints_at_the_key(task, said):
    found = look(task, open_channel=Machine([{"say": said, "exit": 255}]))
    assert (found.state, found.complete) == ("refused", False)
    assert "key pair" in found.remedy
    # The session had begun: what is denied then is no login.
    lost = [{"say": "Hostname: ", "hear": "manager"}, {"say": "/etc/hosts: Permission denied\r\n", "exit": 255}]
    assert look(task, open_channel=Machine(lost)).state == "installing"


def test_after_the_wizard_nobody_logs_in_again(task):
    found = look(replace(task, wizard_completed=True), open_channel=NOBODY)
    assert (found.state, found.complete) == ("rebooting", False)


def test_a_changed_host_key_is_an_error(task):
    warning = [
        {
            "say": "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification failed.\r\n",
            "exit": 255,
        }
    ]
    with pytest.raises(InstallationError, match="ssh-keygen -R '172.31.0.10'"):
        look(task, open_channel=Machine(warning))


def test_a_key_that_ssh_would_refuse_is_an_error_before_dialling(task, tmp_path):
    key = tmp_path / "key.pem"
    key.write_text("x")
    key.chmod(0o644)
    with pytest.raises(InstallationError, match="chmod 400"):
        look(replace(task, login=replace(task.login, private_key_file=str(key))), open_channel=NOBODY)


def test_a_machine_that_never_keeps_its_password_is_an_error(task):
    with pytest.raises(InstallationError, match="at each login"):
        look(task, open_channel=Machine(FIRST, FIRST))


def test_a_session_that_is_lost_as_the_password_is_changed_says_nothing_of_the_change(task):
    cut = [*FIRST[:-1], {"say": "Connection to 172.31.0.10 closed by remote host.\r\n", "exit": 255}]
    machine = Machine(cut, FIRST, WIZARD)
    lost = look(task, open_channel=machine)
    assert (lost.state, lost.complete, machine.opened) == ("booting", False, 1)
    seen = look(task, open_channel=machine)
    assert (seen.state, seen.changed, machine.opened) == ("rebooting", True, 3)


def test_results_hold_no_secret(task):
    for sessions in ((FIRST, WIZARD), (SHELL,), (REFUSED,)):
        text = json.dumps(look(task, open_channel=Machine(*sessions)).result())
        assert "Secret" not in text
