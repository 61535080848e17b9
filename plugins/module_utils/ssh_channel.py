# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An interactive login over the OpenSSH client, so that ssh_config, jump hosts and agents work as they do by hand.

No secret is ever among the process's arguments or in its environment: what is typed goes through the terminal.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import traceback
from dataclasses import dataclass, field
from pathlib import Path

try:
    import pexpect
except ImportError:
    PEXPECT_IMPORT_ERROR: str | None = traceback.format_exc()
else:
    PEXPECT_IMPORT_ERROR = None

CONNECT_TIMEOUT = 15  # seconds for TCP and the key exchange
LOST = 255  # OpenSSH's exit status when the connection, not the remote program, failed


class InstallationError(Exception):
    """Something that waiting does not mend, told for the operator; never holds a secret.

    `changed` tells whether the machine had been changed before.
    """

    changed = False


@dataclass(frozen=True)
class Login:
    """Whom to log in as and how.

    `known_hosts` None leaves the choice of files to ssh_config; `host_key_checking` is `accept-new` or `yes`;
    `extra_args` are arguments of the ssh command, such as `-J` and `jump.example.com`.
    """

    host: str
    port: int = 22
    user: str = "admin"
    private_key_file: str | None = None
    known_hosts: str | None = None
    host_key_checking: str = "accept-new"
    extra_args: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def command(self) -> list[str]:
        """The ssh command with its arguments.

        OpenSSH takes the first value of an option: host key checking cannot be weakened by `extra_args` or
        ssh_config, while the time-outs behind them can be changed.
        """
        options = [f"StrictHostKeyChecking={self.host_key_checking}"]
        if self.known_hosts:
            options.append(f'UserKnownHostsFile="{self.known_hosts.replace("%", "%%")}"')
        # An answer may begin with a tilde; messages are read, so they must not be silenced; no shared connections.
        options += [
            "EscapeChar=none",
            "LogLevel=INFO",
            "ControlPath=none",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
        ]
        weak = [
            f"ConnectTimeout={CONNECT_TIMEOUT}",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
            "PreferredAuthentications=publickey",
        ]
        identity = ["-i", self.private_key_file, "-o", "IdentitiesOnly=yes"] if self.private_key_file else []
        first = [word for option in options for word in ("-o", option)]
        last = [word for option in weak for word in ("-o", option)]
        return [
            "ssh",
            "-tt",
            *first,
            *self.extra_args,
            *identity,
            *last,
            "-p",
            str(self.port),
            "-l",
            self.user,
            "--",
            self.host,
        ]


def key_file_problem(path: str) -> str | None:
    """Why OpenSSH would refuse a private key file, None where it would not (guide: `chmod 400`)."""
    try:
        status = os.stat(path)
        with open(path, "rb"):
            pass
    except OSError as error:
        return f"private_key_file {path} cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):
        return f"private_key_file {path} is not a file"
    # OpenSSH looks at the mode of files of one's own only.
    if status.st_uid == os.getuid() and status.st_mode & 0o077:
        return (
            f"private_key_file {path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}), so OpenSSH would not use it: "
            f"chmod 400 {shlex.quote(path)}"
        )
    return None


def prepare_known_hosts(path: str) -> None:
    """Creates the known-hosts file, readable by its owner only, and its directory where they are missing."""
    file = Path(path)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600))
    except OSError as error:
        raise InstallationError(f"known_hosts {path} cannot be written: {error.strerror}") from None


class SshChannel:
    """One ssh process on a pseudo terminal: text in, lines out.

    `command` is a parameter so that another program can stand at the other end. A context manager: leaving it
    ends the process.
    """

    def __init__(self, command: list[str]):
        if shutil.which(command[0]) is None:
            raise InstallationError(
                f"the program {command[0]} is missing on the controller: install the OpenSSH client"
            )
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith("PEXIP_")
        }  # may hold passwords
        environment = {**ours, "LC_ALL": "C.UTF-8", "TERM": "dumb", "SSH_ASKPASS_REQUIRE": "never"}
        # Wide lines: a wizard that draws its own line editor would fold long answers otherwise.
        self._child = pexpect.spawn(
            command[0],
            command[1:],
            env=environment,
            encoding="utf-8",
            codec_errors="replace",
            dimensions=(50, 500),
            timeout=None,
            use_poll=True,  # select() cannot watch a descriptor above 1023, and the controller may have many open
        )
        self._ended = False

    def __enter__(self) -> SshChannel:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def read(self, timeout: float) -> str | None:
        """What has arrived: "" when nothing did for `timeout` seconds, None when the session has ended."""
        if self._ended:
            return None
        try:
            return self._child.read_nonblocking(size=65536, timeout=timeout)
        except pexpect.TIMEOUT:
            return ""
        except pexpect.EOF:
            self._ended = True
            return None

    def send(self, line: str) -> None:
        """Types a line. A session that has just ended takes it silently: the next read tells."""
        try:
            self._child.sendline(line)
        except OSError:
            self._ended = True

    def close(self) -> int:
        """Ends the process and gives its exit status (LOST where it had to be ended by a signal)."""
        if self._ended:
            self._child.wait()
        self._child.close(force=True)
        return LOST if self._child.exitstatus is None else self._child.exitstatus


# OpenSSH's own words for what waiting does not mend, with what to do. {login} and {file} are filled in.
_FATAL: tuple[tuple[str, str], ...] = (
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for \S+ has changed",
        "the host key of {host} is not the one in {file}. If a new instance stands at this address on purpose, take the old key out: "
        "ssh-keygen -R '{name}'{option}. Otherwise somebody may be between you and the Management Node",
    ),
    (
        r"host key is known for|Host key verification failed",
        "the host key of {host} is not in {file}, and host_key_checking: yes accepts no new ones. Add it to the file after checking it "
        "against the instance's system log, or use host_key_checking: accept-new. (A jump host's key belongs into your own known_hosts file.)",
    ),
    (
        r"Could not resolve hostname",
        "the name cannot be resolved. Check host, and the jump host in ssh_extra_args or ssh_config",
    ),
    (
        r"Bad configuration option|unknown option|illegal option|unsupported option|^usage: ssh"
        r"|Bad owner or permissions|terminating, \d+ bad configuration|no argument after keyword",
        "ssh does not take its options. Check ssh_extra_args and ssh_config",
    ),
    (
        r"UNPROTECTED PRIVATE KEY FILE|Load key .*: (?!.*incorrect passphrase)|no such identity",
        "ssh cannot use the private key. Check private_key_file: it is the private half, in a format that OpenSSH reads, with mode 0400",
    ),
    (r"Load key .*incorrect passphrase", "private_key_passphrase does not open the private key"),
    (
        r"no matching (host key type|key exchange method|cipher|MAC) found",
        "ssh and the machine have no algorithm in common. Is this a Management Node?",
    ),
)

_REFUSAL = re.compile(r"^.*(?:Permission denied|Too many authentication failures).*$", re.I | re.M)


def refusal_message(text: str) -> str | None:
    """ssh's own words where the machine does not take our key, None elsewhere."""
    found = _REFUSAL.search(text)
    return found.group().strip() if found else None


def fatal_message(text: str, login: Login) -> str | None:
    """What ssh's last words mean where waiting would not help, None for everything that may pass (a boot, a reboot)."""
    file = login.known_hosts or "the known_hosts file"
    name = login.host if login.port == 22 else f"[{login.host}]:{login.port}"
    option = f" -f {shlex.quote(login.known_hosts)}" if login.known_hosts else ""
    for pattern, meaning in _FATAL:
        if re.search(pattern, text, re.I | re.M):
            return meaning.format(host=login, file=file, name=name, option=option)
    return None
