# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked, from the text alone."""

import pytest
from ansible_collections.pexip.infinity.plugins.module_utils.installation_questions import clean, error_line, recognise

SUBJECTS = [
    ("Hostname: ", "hostname"),
    ("DNS hostname []: ", "hostname"),
    ("Host name of the Management Node? ", "hostname"),
    ("Domain suffix [example.org]: ", "domain"),
    ("DNS domain: ", "domain"),
    ("IP Address [10.0.0.5]: ", "address"),
    ("IPv4 address: ", "address"),
    ("Network mask [255.255.255.0]: ", "netmask"),
    ("Netmask: ", "netmask"),
    ("Gateway IP address [10.0.0.1]: ", "gateway"),
    ("DNS server(s) [8.8.8.8]: ", "dns_servers"),
    ("Domain name servers: ", "dns_servers"),
    ("IP address of the DNS server: ", "dns_servers"),
    ("NTP servers [pool.ntp.org]: ", "ntp_servers"),
    ("Hostname of the time server: ", "ntp_servers"),
    ("Web administration username [admin]: ", "web_username"),
    ("Administrator user name: ", "web_username"),
    ("Web administration password: ", "web_password"),
    ("Enable incident reporting (yes/no): ", "incident_reporting"),
    ("Error reporting (yes/no): ", "incident_reporting"),
    ("Error reporting\n\nSend error reports to Pexip? [y/n] ", "incident_reporting"),
    ("Reporting of errors (yes/no): ", "incident_reporting"),
    ("Incident reporting contact email address: ", "contact_email_address"),
    ("Send deployment and usage statistics to Pexip? [y/n] ", "usage_statistics"),
    ("Enter new UNIX password:", "new_password"),
    ("New password: ", "new_password"),
    ("(current) UNIX password: ", "current_password"),
    ("Current password: ", "current_password"),
    ("[sudo] password for admin: ", "sudo_password"),
    ("Enter passphrase for key '/home/me/key.pem': ", "key_passphrase"),
    ("admin@10.0.0.5's password: ", "login_password"),
    ("(admin@10.0.0.5) Password: ", "login_password"),
    ("Are you sure you want to continue connecting (yes/no/[fingerprint])? ", "host_key"),
    ("Is this correct? (y/n) ", "confirm"),
    ("Are these DNS servers correct? (yes/no): ", "confirm"),
    ("Apply these settings? [yes]: ", "confirm"),
    ("Do you want to change the answers? (y/n) ", "decline"),
    ("Press ENTER to continue", "enter"),
    ("admin@manager:~$ ", "shell"),
    ("[admin@manager ~]$ ", "shell"),
    ("$ ", "shell"),
]


@pytest.mark.parametrize(("prompt", "subject"), SUBJECTS, ids=[prompt.strip() for prompt, _subject in SUBJECTS])
def test_a_question_is_known_by_its_subject(prompt, subject):
    question = recognise("Welcome\n\n" + prompt)
    assert question is not None
    assert question.subject == subject


@pytest.mark.parametrize(
    "prompt",
    [
        "Favourite colour: ",
        "Password: ",
        "Token: ",
        "Do you accept the licence terms? (yes/no) ",
        "Is the sky blue? (y/n) ",
        "> ",
    ],
)
def test_what_is_not_known_stays_unknown(prompt):
    question = recognise(prompt)
    assert question is not None
    assert question.subject is None


@pytest.mark.parametrize(
    "text", ["", "Welcome\n", "Hostn", "Checking NTP servers: ", "Configuring DNS server 10.0.0.2:", "manager"]
)
def test_an_unfinished_line_is_no_question(text):
    assert recognise(text) is None


@pytest.mark.parametrize(
    ("prompt", "previous", "subject"),
    [
        ("Re-enter previous value: ", "web_password", "again"),
        ("Retype new UNIX password:", "new_password", "again"),
        ("Retype new password:", "new_password", "again"),
        ("Repeat web password:", "web_password", "again"),
        ("Retype new password:", "web_password", "again"),
        ("Password: ", "web_username", "web_password"),
        ("New password: ", "web_username", "web_password"),
        ("Password: ", "hostname", None),
        # Nothing was typed yet that could be typed again.
        ("Retype new UNIX password:", None, "new_password"),
        ("Re-enter previous value: ", None, None),
        ("[sudo] password for admin: ", "web_username", "sudo_password"),
    ],
)
def test_the_previous_question_is_the_context(prompt, previous, subject):
    assert recognise(prompt, previous).subject == subject


@pytest.mark.parametrize(
    ("prompt", "default"),
    [
        ("Gateway [10.0.0.1]: ", "10.0.0.1"),
        ("Gateway []: ", ""),
        ("Gateway: ", None),
        ("Gateway (default: 10.0.0.1): ", "10.0.0.1"),
        ("Gateway?\nPress [ENTER] to use the default value: 10.0.0.1\n> ", "10.0.0.1"),
    ],
)
def test_offered_defaults(prompt, default):
    assert recognise(prompt).default == default


@pytest.mark.parametrize(
    ("prompt", "single", "separator"),
    [
        ("DNS servers [8.8.8.8,8.8.4.4]: ", False, ","),
        ("DNS servers [8.8.8.8, 8.8.4.4]: ", False, ", "),
        ("DNS servers [8.8.8.8 8.8.4.4]: ", False, " "),
        ("DNS servers, separated by a space: ", False, " "),
        ("DNS servers (separated by commas or spaces): ", False, ","),
        ("DNS server(s): ", False, ","),
        ("DNS server 2: ", True, ","),
        ("NTP server: ", True, ","),
    ],
)
def test_how_servers_are_wanted(prompt, single, separator):
    question = recognise(prompt)
    assert (question.single, question.separator) == (single, separator)


@pytest.mark.parametrize(
    ("prompt", "style"),
    [
        ("Reports (yes/no): ", "yes"),
        ("Incident reporting? [Y/n] ", "y"),
        ("Usage data <y/N>: ", "y"),
        ("Hostname: ", None),
    ],
)
def test_how_yes_is_written(prompt, style):
    assert recognise(prompt).yes_no == style


def test_terminal_control_is_stripped():
    assert clean("\x1b[1;32mHost\x1b[0mname\x1b]0;title\x07: \x1b[") == "Hostname: "
    assert clean("Working 10%\rWorking 99%\r\x1b[KDone\r\r\nHostname: ") == "Done\nHostname: "
    # A line editor echoes what was typed and draws it again over itself.
    assert clean("Hostname: mgr\b\b\bmgr\r\n") == "Hostname: mgr\n"
    assert clean("secret\rsecret\r") == "secret"


@pytest.mark.parametrize(
    "line",
    [
        "Error: NTP server 10.9.9.9 cannot be reached",
        "Invalid: Please enter Yes or No",
        "Sorry, try again.",
        "BAD PASSWORD: The password is shorter than 8 characters",
        "passwd: Authentication token manipulation error",
        "Sorry, passwords do not match",
        "Checking NTP servers... failed",
        "The NTP server is not reachable",
        "Could not resolve ntp.example.com",
        "Error 12: the name is taken",
        "ERROR - try again",
        "Error contacting ntp.example.com",
        "Failed to reach 10.9.9.9",
        "Invalid hostname. Try again?",
        "Error reporting failed: no route to host",
        "Enabling error reporting: failed",
        "Error reporting: ops is not valid",
        "When contacting ntp.example.com: cannot connect",
    ],
)
def test_reports_of_errors(line):
    assert error_line(f"\nsomething\n{line}\nmore\n") == line


@pytest.mark.parametrize(
    "line",
    [
        "passwd: password updated successfully",
        "0 packages failed the check list",
        "WARNING: You must change your password now",
        "Checked, no errors",
        # What is spoken of, explained or asked for has not happened.
        "Error reporting",
        "--- Error reporting ---",
        "Error reporting: sends reports of incidents to Pexip",
        "Error reports are sent to Pexip over HTTPS.",
        "Fatal error reporting",
        "Failure notifications are sent to this address.",
        "Error and crash reports",
        "Error reporting (yes/no) [yes]:",
        "Failed call statistics",
        "Failed calls are not reported.",
        "Invalid certificates: accept them?",
        "If the NTP server cannot be reached, the installation fails.",
        "Ask an administrator when a password is incorrect.",
        "What shall be done when a server is unreachable?",
    ],
)
def test_no_errors(line):
    assert error_line(line) is None
