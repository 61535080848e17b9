# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenSSH client: its arguments, its messages, its process."""

import os
import resource
import stat
import subprocess
import sys

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.ssh_channel import (
    LOST,
    InstallationError,
    Login,
    SshChannel,
    fatal_message,
    key_file_problem,
    prepare_known_hosts,
)


def effective(login):
    """What OpenSSH itself makes of the command line (`ssh -G` resolves the options and dials nobody)."""
    command = login.command()
    command[1:2] = ["-G", "-F", "none"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return dict(line.partition(" ")[::2] for line in output.splitlines())


def test_openssh_understands_the_arguments(tmp_path):
    hosts = str(tmp_path / "known hosts 100%h")
    key = tmp_path / "a key.pem"
    key.touch()
    options = effective(Login("10.0.0.5", 20022, "admin", str(key), hosts))
    assert options["hostname"] == "10.0.0.5"
    assert options["port"] == "20022"
    assert options["user"] == "admin"
    assert options["stricthostkeychecking"] == "accept-new"
    assert options["userknownhostsfile"].strip('"').replace("%%", "%") == hosts
    assert options["identityfile"] == str(key)
    assert options["identitiesonly"] == "yes"
    assert options["escapechar"] == "none"


def test_host_key_checking_cannot_be_weakened_while_time_outs_can_be_changed():
    extra = ["-o", "StrictHostKeyChecking=no", "-o", "ConnectTimeout=99", "-J", "jump.example.com"]
    options = effective(Login("10.0.0.5", host_key_checking="yes", extra_args=extra))
    assert options["stricthostkeychecking"] in ("yes", "true")
    assert options["connecttimeout"] == "99"
    assert options["proxyjump"] == "jump.example.com"


def test_a_host_that_looks_like_an_option_is_none():
    assert Login("-oProxyCommand=x").command()[-2:] == ["--", "-oProxyCommand=x"]


def test_known_hosts_are_private(tmp_path):
    file = tmp_path / "a" / "b" / "hosts"
    prepare_known_hosts(str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.write_text("kept\n")
    prepare_known_hosts(str(file))
    assert file.read_text() == "kept\n"


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InstallationError, match="file/hosts"):
        prepare_known_hosts(str(tmp_path / "file" / "hosts"))


def test_key_files(tmp_path):
    key = tmp_path / "key.pem"
    assert "cannot be read" in key_file_problem(str(key))
    key.write_text("x")
    key.chmod(0o644)
    assert "chmod 400" in key_file_problem(str(key))
    key.chmod(0o400)
    assert key_file_problem(str(key)) is None
    assert "not a file" in key_file_problem(str(tmp_path)) or "cannot be read" in key_file_problem(str(tmp_path))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (
            "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.",
            ["ssh-keygen -R '[10.0.0.5]:20022' -f /h/known", "10.0.0.5:20022"],
        ),
        (
            "No ED25519 host key is known for [10.0.0.5]:20022 and you have requested strict checking.",
            ["/h/known", "accept-new"],
        ),
        ("ssh: Could not resolve hostname nowhere: Name or service not known", ["resolved"]),
        ("command-line: line 0: Bad configuration option: nonsense", ["ssh_extra_args"]),
        ('Load key "/k": error in libcrypto', ["private_key_file"]),
        ('Load key "/k": incorrect passphrase supplied to decrypt private key', ["private_key_passphrase"]),
    ],
)
def test_messages_that_waiting_does_not_mend(message, words):
    meaning = fatal_message(message, Login("10.0.0.5", 20022, known_hosts="/h/known"))
    assert meaning is not None
    for word in words:
        assert word in meaning


@pytest.mark.parametrize(
    "message",
    [
        "ssh: connect to host 10.0.0.5 port 22: Connection refused",
        "ssh: connect to host 10.0.0.5 port 22: Connection timed out",
        "Connection closed by 10.0.0.5 port 22",
        "kex_exchange_identification: read: Connection reset by peer",
        "System is booting up. Unprivileged users are not permitted to log in yet.",
        "admin@10.0.0.5: Permission denied (publickey).",
    ],
)
def test_messages_of_a_boot_or_reboot(message):
    assert fatal_message(message, Login("10.0.0.5")) is None


def read_all(channel):
    text = ""
    while (chunk := channel.read(2)) is not None:
        text += chunk
    return text


def test_a_process_on_a_terminal(monkeypatch):
    monkeypatch.setenv("PEXIP_PASSWORD", "never seen")
    program = (
        "import os, sys; print(sys.stdin.isatty(), os.environ.get('PEXIP_PASSWORD')); print(input('? ')); sys.exit(7)"
    )
    with SshChannel([sys.executable, "-c", program]) as channel:
        channel.send("~.")
        assert "True None" in (text := read_all(channel))
        assert "~." in text
        assert channel.close() == 7


def test_leaving_ends_the_process():
    with SshChannel([sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]) as channel:
        while channel.read(2) == "":
            pass
        child = channel._child
    assert not child.isalive()
    assert channel.close() == LOST


def test_a_real_ssh_to_nobody():
    login = Login("127.0.0.1", 1)
    with SshChannel(login.command()) as channel:
        assert "Connection refused" in read_all(channel)
        assert channel.close() == LOST


def test_a_missing_program_is_named():
    with pytest.raises(InstallationError, match="ssh-that-is-not-there"):
        SshChannel(["ssh-that-is-not-there"])


def test_a_controller_with_many_open_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2048), hard), hard))
    opened = []
    try:
        while not opened or opened[-1] < 1024:
            opened.append(os.open(os.devnull, os.O_RDONLY))
        with SshChannel([sys.executable, "-c", "print('ready')"]) as channel:
            assert "ready" in channel.read(10)
    finally:
        for descriptor in opened:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
