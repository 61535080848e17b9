# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole dialogues, played from transcripts, and what becomes of bad ones."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from ansible_collections.pexip.infinity.plugins.module_utils.installation_dialogue import (
    MASK,
    Answers,
    Dialogue,
    Masker,
)
from ansible_collections.pexip.infinity.plugins.module_utils.ssh_channel import InstallationError, SshChannel
from hypothesis import given, settings
from hypothesis import strategies as st

HERE = Path(__file__).parent
DOUBLE = HERE / "wizard_double.py"
_spec = importlib.util.spec_from_file_location("wizard_double", DOUBLE)
wizard_double = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(wizard_double)
FakeSsh = wizard_double.FakeSsh

UNIX, WEB = "unix-Secret#1", "web Secret$2"
ANSWERS = Answers(
    hostname="manager",
    domain="example.com",
    dns_servers=["172.31.0.2", "172.31.0.3"],
    ntp_servers=["172.31.0.4", "ntp.example.com"],
    web_username="operator",
    web_password=WEB,
    admin_password=UNIX,
)


def converse(steps, answers=ANSWERS, chunk=7):
    channel = FakeSsh(steps, chunk)
    ending = Dialogue(channel, answers, "172.31.0.10:22", channel.clock).run()
    assert channel.wrong == []
    return ending


def failure(steps, answers=ANSWERS):
    with pytest.raises(InstallationError) as caught:
        converse(steps, answers)
    return str(caught.value)


def transcript(name):
    data = yaml.safe_load((HERE / "transcripts" / f"{name}.yml").read_text())
    return replace(ANSWERS, **data["answers"]), data["sessions"]


@pytest.mark.parametrize("chunk", [1, 7, 10000])
@pytest.mark.parametrize("name", ["guide", "older", "newer", "offered"])
def test_a_transcript_is_followed_to_its_end(name, chunk):
    answers, sessions = transcript(name)
    endings = [converse(steps, answers, chunk) for steps in sessions]
    assert endings[0].password_changed
    assert endings[-1].wizard_complete
    assert [ending.wizard_begun for ending in endings[:-1]] == [False] * (len(endings) - 1)
    for ending in endings:
        assert UNIX not in ending.tail
        assert WEB not in ending.tail


def test_a_real_terminal_and_a_real_process(tmp_path):
    answers, sessions = transcript("guide")
    script = tmp_path / "session.json"
    for steps in sessions:
        script.write_text(json.dumps([step for step in steps if "pause" not in step]))
        with SshChannel([sys.executable, str(DOUBLE), str(script)]) as channel:
            ending = Dialogue(channel, answers, "here").run()
            status = channel.close()
        assert status == steps[-1]["exit"], ending.tail
    assert ending.wizard_complete


def test_a_shell_is_an_installed_system():
    ending = converse([{"say": "Welcome to PexOS\r\nLast login: today\r\nadmin@manager:~$ "}])
    assert ending.shell
    assert ending.answered == frozenset()


def test_a_session_closed_at_once_is_no_error():
    ending = converse([{"say": "Connection closed by 172.31.0.10 port 22\r\n", "exit": 255}])
    assert not ending.shell
    assert ending.answered == frozenset()


SUDO = {"say": "[sudo] password for admin: ", "hear": UNIX, "echo": False}
NTP = {"say": "NTP servers: ", "hear": "172.31.0.4,ntp.example.com"}


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([SUDO, {"say": "Sorry, try again.\r\n[sudo] password for admin: "}], ["Sorry, try again", "admin_password"]),
        ([SUDO, {"say": "[sudo] password for admin: "}], ["came again", "admin_password"]),
        (
            [{"say": "New password: "}, {"say": "You must choose a longer one\r\nNew password: "}],
            ["admin_password", "You must choose a longer one, and"],
        ),
        (
            [SUDO, NTP, {"say": "Error: NTP server 172.31.0.4 cannot be reached\r\nNTP servers: "}],
            ["ntp_servers", "172.31.0.4", "resolved and reached"],
        ),
        ([SUDO, NTP, {"say": "Error: no NTP server answers\r\n", "exit": 1}], ["ntp_servers", "no NTP server answers"]),
        ([SUDO, {"say": "Hostname: "}, NTP, {"say": "Hostname: "}], ["hostname", "came again"]),
        (
            [{"say": "New password: "}, {"say": "BAD PASSWORD: it is too short\r\nNew password: "}],
            ["admin_password", "too short"],
        ),
        (
            [{"say": "New password: "}, {"say": "Retype new password: "}, {"say": "Retype new password: "}],
            ["admin_password", "came again"],
        ),
        ([{"say": "Gateway: "}], ["no default", "gateway"]),
        ([{"say": "Shoe size: "}], ["not known", "Shoe size"]),
        ([{"say": "Password: "}], ["not known"]),
        ([{"say": "Accept the licence? (y/n) "}], ["not known", "licence"]),
        ([{"say": "admin@172.31.0.10's password: "}], ["does not take the private key"]),
        ([{"say": "Are you sure you want to continue connecting (yes/no/[fingerprint])? "}], ["confirm a host key"]),
        ([{"say": "Enter passphrase for key 'a': "}], ["private_key_passphrase"]),
        ([SUDO, {"say": "Enter passphrase for key 'a': "}], ["not known"]),
        ([{"say": "Hostname: "}, {"say": "Thinking", "pause": 1000}], ["said nothing"]),
        ([{"say": "", "pause": 1000}], ["said nothing"]),
    ],
)
def test_bad_dialogues_end_with_an_error_that_can_be_acted_on(steps, words):
    message = failure(steps)
    for word in (
        [*words, "last lines of the dialogue"]
        if "no default" not in message and "private_key_passphrase" not in words
        else words
    ):
        assert word in message
    assert UNIX not in message
    assert WEB not in message


@pytest.mark.parametrize(
    ("prompts", "typed"),
    [
        (["DNS servers [8.8.8.8, 8.8.4.4]: "], [""]),
        (["DNS server 1 [8.8.8.8]: ", "DNS server 2 [8.8.4.4]: ", "DNS server 3: "], ["", "", ""]),
        (["Use the default DNS servers? (yes/no) "], ["yes"]),
        (["Change the DNS servers 8.8.8.8? [y/N] "], ["n"]),
        (["DNS server [8.8.8.8]: ", "Add another DNS server? (y/n) "], ["", "n"]),
    ],
)
def test_offered_servers_are_taken_where_none_are_given(prompts, typed):
    steps = [SUDO, *({"say": f"\r\n{prompt}"} for prompt in prompts), {"say": "bye\r\n", "exit": 0}]
    channel = FakeSsh(steps)
    Dialogue(channel, replace(ANSWERS, dns_servers=None), "172.31.0.10:22", channel.clock).run()
    assert channel.typed[1:] == typed


@pytest.mark.parametrize("prompt", ["DNS servers: ", "DNS servers []: ", "DNS server 1: "])
def test_where_no_servers_are_offered_the_option_is_asked_for(prompt):
    message = failure([SUDO, {"say": prompt}], replace(ANSWERS, dns_servers=None))
    assert "offers no default" in message
    assert "give the option dns_servers" in message


def test_offered_servers_that_are_refused_are_told():
    steps = [SUDO, {"say": "NTP servers [0.pool.ntp.org]: "}]
    refused = {"say": "Error: 0.pool.ntp.org cannot be reached\r\nNTP servers [0.pool.ntp.org]: "}
    message = failure([*steps, refused], replace(ANSWERS, ntp_servers=None))
    assert "0.pool.ntp.org cannot be reached" in message
    assert "came again" in failure([*steps, steps[1]], replace(ANSWERS, ntp_servers=None))


def test_a_wrong_passphrase_is_said_so():
    answers = replace(ANSWERS, key_passphrase="open sesame")
    message = failure([{"say": "Enter passphrase for key 'a': "}, {"say": "Enter passphrase for key 'a': "}], answers)
    assert "private_key_passphrase does not open" in message


def test_the_deadline_is_longer_once_the_wizard_applies_everything():
    _answers, sessions = transcript("guide")
    steps = [*sessions[1][:-2], {"say": "Applying...", "pause": 500}, sessions[1][-1]]
    assert converse(steps).wizard_complete


TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x2FF, exclude_categories=["C", "Z"]), min_size=6, max_size=30
)


@settings(max_examples=150, deadline=None)
@given(
    web=TEXT,
    unix=TEXT,
    passphrase=TEXT,
    folds=st.sampled_from(["", "\r\n", " \r\n", "\x1b[K"]),
    where=st.integers(1, 5),
)
def test_secrets_are_in_no_error(web, unix, passphrase, folds, where):
    """Even a machine that echoes every secret, folded or coloured, gets none of them shown."""
    answers = replace(ANSWERS, web_password=web, admin_password=unix, key_passphrase=passphrase)
    said = "".join(f"{secret[:where]}{folds}{secret[where:]}\r\n" for secret in (web, unix, passphrase))
    # The question that fails quotes one as well.
    message = failure([{"say": f"{said}What about {web}{unix}{passphrase}: "}], answers)
    shown = "".join(message.split())
    assert MASK in message
    for secret in (web, unix, passphrase):
        # What the message says by itself may hold a short secret by chance; longer ones are no chance.
        assert secret not in shown


def test_masking_takes_the_longest_first():
    assert Masker(["secret", "secret-and-more"])("x secret-and-more y secret z") == f"x {MASK} y {MASK} z"
