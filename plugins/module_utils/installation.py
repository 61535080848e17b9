# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The installation of a new Management Node, one look at a time (guide, "Deploying a Management Node in AWS").

A look asks the management API first; only where nobody answers it logs in over SSH and carries the first login and
the installation wizard as far as they go. It never waits for a boot or a reboot: the caller looks again.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

from .client import Client, Connection, PexipError, normalise_fingerprint, peer_fingerprint, resource_path
from .installation_dialogue import Answers, Dialogue, Ending
from .names import is_domain, is_hostname
from .ssh_channel import (
    LOST,
    InstallationError,
    Login,
    SshChannel,
    fatal_message,
    key_file_problem,
    prepare_known_hosts,
    refusal_message,
)

PROBE_TIMEOUT = 10.0  # seconds to find out whether anybody listens on the API's port
PROBE_ATTEMPTS = 3
STARTING = (502, 503, 504)  # the web server is up before the application behind it

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# Set once, by the wizard: a platform that has them otherwise is not the one that was asked for.
_FIXED = ("hostname", "domain", "address", "netmask", "gateway")


@dataclass(frozen=True)
class Task:
    """What one task wants: where the API is, how to log in, and what to answer.

    `tls_pin` is `first_use` or `verify`; `wizard_completed` tells that an earlier look of the same task saw the wizard
    through, so that SSH is left alone however the machine behaves on its way down.
    """

    connection: Connection
    login: Login
    answers: Answers
    tls_pin: str = "verify"
    wizard_completed: bool = False


@dataclass(frozen=True)
class Look:
    """What a look found and did.

    `state`: installed; rebooting (the wizard was completed by this task); starting (installed, as it seems, and silent);
    installing (lost in the midst of the wizard); booting (no login yet); refused (it does not take the key); absent
    (check mode: would be installed).
    """

    state: str
    complete: bool
    changed: bool = False
    platform: dict[str, Any] = field(default_factory=dict)
    waiting_for: str | None = None
    progress: tuple[str, ...] = ()
    remedy: str = ""

    def result(self) -> dict[str, Any]:
        """As the module returns it."""
        facts = {
            name: self.platform.get(name) for name in ("hostname", "domain", "address", "version", "tls_fingerprint")
        }
        result: dict[str, Any] = {
            "complete": self.complete,
            "changed": self.changed,
            "installation": {"state": self.state, **facts},
        }
        if not self.complete:
            result |= {"waiting_for": self.waiting_for, "progress": list(self.progress), "remedy": self.remedy}
        return result


def option_problems(options: Mapping[str, Any]) -> list[str]:
    """Everything that is wrong with the answers, before anything is dialled; secrets are not quoted."""
    problems = []
    for name in (
        "username",
        "password",
        "admin_password",
        "private_key_passphrase",
        "contact_email_address",
        "ssh_user",
        "known_hosts",
        "private_key_file",
    ):
        if options.get(name) and _CONTROL.search(options[name]):
            problems.append(f"{name} holds a control character or a line break")
    for name in ("username", "password", "admin_password"):
        if not options.get(name):
            problems.append(f"{name} is missing or empty")
    if len(options["hostname"]) < 3 or not is_hostname(options["hostname"]):
        problems.append(
            f"hostname {options['hostname']!r} is not a host name: 3 to 63 letters, digits and hyphens, no domain"
        )
    if len(options["domain"]) > 192 or not is_domain(options["domain"]):
        problems.append(f"domain {options['domain']!r} is not a domain name such as example.com")
    problems += _network_problems(options)
    for name in ("dns_servers", "ntp_servers"):
        if options[name] == []:
            problems.append(
                f"{name} is empty: give at least one server, or leave it out to take what the wizard offers"
            )
    problems += [
        f"dns_servers: {server!r} is not an IP address"
        for server in options["dns_servers"] or []
        if _address(server) is None
    ]
    problems += [
        f"ntp_servers: {server!r} is neither an IP address nor a host name"
        for server in options["ntp_servers"] or []
        if _address(server) is None and not is_domain(server)
    ]
    email = options.get("contact_email_address")
    if email and not re.fullmatch(r"[^\s@,]+@[^\s@,]+\.[^\s@,]+", email):
        problems.append(f"contact_email_address {email!r} is not an e-mail address")
    if options.get("incident_reporting") and not email:
        problems.append("incident_reporting needs contact_email_address")
    if not 1 <= options["ssh_port"] <= 65535:
        problems.append(f"ssh_port {options['ssh_port']} is not a TCP port")
    if not re.fullmatch(r"[^\s@:-][^\s@:]*", options["ssh_user"]):
        problems.append(f"ssh_user {options['ssh_user']!r} is not a user name")
    return problems + _ssh_problems(options)


def _network_problems(options: Mapping[str, Any]) -> list[str]:
    problems = [
        f"{name} {options[name]!r} is not an IPv4 address"
        for name in ("address", "gateway")
        if options.get(name) and not _address(options[name], 4)
    ]
    mask = options.get("netmask")
    try:
        network = (
            ipaddress.IPv4Network(f"{options.get('address') or '0.0.0.0'}/{mask}", strict=False)
            if mask and not problems
            else None
        )
    except ValueError:
        return [*problems, f"netmask {mask!r} is not a network mask such as 255.255.240.0"]
    if mask and not re.fullmatch(r"(?:\d+\.){3}\d+", mask):
        problems.append(f"netmask {mask!r}: write it as 255.255.240.0")
    elif (
        network
        and options.get("address")
        and options.get("gateway")
        and ipaddress.IPv4Address(options["gateway"]) not in network
    ):
        problems.append(
            f"gateway {options['gateway']} is outside the network of address {options['address']} with netmask {mask}"
        )
    return problems


def _ssh_problems(options: Mapping[str, Any]) -> list[str]:
    problems = []
    for word in options.get("ssh_extra_args") or []:
        if _CONTROL.search(word):
            problems.append("ssh_extra_args holds a control character or a line break")
        if re.search(r"stricthostkeychecking|userknownhostsfile", word, re.I):
            problems.append(f"ssh_extra_args: {word!r}: use the options host_key_checking and known_hosts")
    if '"' in (options.get("known_hosts") or ""):
        problems.append("known_hosts: ssh takes no path with a double quote")
    return problems


def _address(text: str, version: int | None = None) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return address if version in (None, address.version) else None


def find_platform(task: Task) -> Look | None:
    """What the management API says; None when nobody listens on its port.

    Raises PexipError for everything that neither waiting nor an installation would mend: wrong web credentials,
    an untrusted certificate, another platform at this address.
    """
    connection = task.connection
    try:
        presented = peer_fingerprint(connection.host, connection.port, min(connection.timeout, PROBE_TIMEOUT))
    except OSError:
        return None
    if task.tls_pin == "first_use" and not connection.tls_fingerprint and not connection.ca_path:
        connection = replace(connection, tls_fingerprint=presented)
    try:
        platform = _describe_platform(Client(connection, attempts=PROBE_ATTEMPTS))
    except PexipError as error:
        # Where the certificate is fine, no answer at all is no matter of trust: the web server is coming up.
        untrusted = (
            connection.validate_certs and normalise_fingerprint(connection.tls_fingerprint or "0" * 64) != presented
        )
        if error.status in STARTING or error.status is None and not untrusted:
            return _waiting_for_api(f"the management API at {connection.authority} is starting: {error}", task)
        if error.status == 401:
            raise PexipError(
                f"{error}. The Management Node is installed already, with another web administration user or password; nothing was changed",
                status=401,
                method=error.method,
                path=error.path,
            ) from None
        raise
    differences = [
        f"{name} is {platform[name]!r}, asked for was {wanted!r}"
        for name in _FIXED
        if (wanted := getattr(task.answers, name))
        and platform.get(name)
        and str(platform[name]).lower() != wanted.lower()
    ]
    if differences:
        raise PexipError(
            f"the Management Node at {connection.authority} is installed already, as another one: {'; '.join(differences)}. "
            "These are fixed by the installation: correct the options, or replace the instance"
        )
    return Look("installed", complete=True, platform={**platform, "tls_fingerprint": presented})


def _describe_platform(client: Client) -> dict[str, Any]:
    """The primary Management Node's configuration with its software version."""
    machines = client.list(resource_path("management_vm"))
    if not machines:
        raise PexipError(
            f"the management API at {client.connection.authority} knows no Management Node: is its installation damaged?"
        )
    machine = next((item for item in machines if item.get("primary")), machines[0])
    statuses = client.list(resource_path("management_vm", family="status"))
    status = next(
        (item for item in statuses if item.get("configuration_id") == machine.get("id")),
        statuses[0] if statuses else {},
    )
    return {**{name: machine.get(name) for name in _FIXED}, "version": status.get("version")}


def _waiting_for_api(seen: str, task: Task, *, changed: bool = False, completed: bool = False) -> Look:
    return Look(
        "rebooting" if completed or task.wizard_completed else "starting",
        complete=False,
        changed=changed,
        waiting_for=f"the management API at {task.connection.authority} after the reboot",
        progress=(seen,),
        remedy="Check that the security group lets this controller in on the API's port, and look at the machine by hand; "
        "then run the task again",
    )


def _waiting_for_ssh(seen: str, task: Task, *, changed: bool = False) -> Look:
    return Look(
        "booting",
        complete=False,
        changed=changed,
        waiting_for=f"the SSH server at {task.login} and a login as {task.login.user}",
        progress=(seen,),
        remedy="Check that the instance runs and that the security group lets this controller in by SSH",
    )


def _refused(seen: str, task: Task, *, changed: bool = False) -> Look:
    """A machine that takes no login. A new instance may do so for a moment, until it has fetched its key pair."""
    return replace(
        _waiting_for_ssh(seen, task, changed=changed),
        state="refused",
        remedy="Check ssh_user, and that private_key_file belongs to the key pair that the instance was launched with",
    )


def look(
    task: Task, *, check: bool = False, open_channel: Callable[[list[str]], AbstractContextManager[Any]] = SshChannel
) -> Look:
    """One look at the machine and, where it is not installed, one step forward.

    Raises PexipError or InstallationError for what a further look would not mend. With `check` nothing is dialled
    but the API, and nobody is waited for.
    """
    if not task.connection.host:
        return Look("absent", complete=True, changed=True)
    found = find_platform(task)
    if check:
        return replace(found, complete=True) if found else Look("absent", complete=True, changed=True)
    if found:
        return found
    if task.wizard_completed:
        return _waiting_for_api(f"the wizard is complete, {task.connection.authority} does not answer yet", task)
    if task.login.private_key_file and (problem := key_file_problem(task.login.private_key_file)):
        raise InstallationError(problem)
    if task.login.known_hosts:
        prepare_known_hosts(task.login.known_hosts)
    return _install(task, open_channel)


def _install(task: Task, open_channel: Callable[[list[str]], AbstractContextManager[Any]]) -> Look:
    """The first login and, right behind it, the second: the password change ends the session (guide, step 13)."""
    ending, status = _log_in(task, open_channel)
    # Where the session was lost, nobody knows whether the new password was taken: the next look tells.
    if not ending.password_changed or ending.wizard_begun or ending.shell or status == LOST:
        return _after(task, ending, status, changed=ending.password_changed)
    try:
        ending, status = _log_in(task, open_channel)
        if ending.password_changed and not ending.wizard_begun:
            raise InstallationError(
                f"{task.login} wants a new password at each login. The last lines of the dialogue:\n{ending.tail}"
            )
        return _after(task, ending, status, changed=True)
    except InstallationError as error:
        error.changed = True
        raise


def _log_in(task: Task, open_channel: Callable[[list[str]], AbstractContextManager[Any]]) -> tuple[Ending, int]:
    """One session: how it ended and the exit status of ssh."""
    with open_channel(task.login.command()) as channel:
        ending = Dialogue(channel, task.answers, str(task.login)).run()
        status = LOST if ending.shell else channel.close()
    return ending, status


def _after(task: Task, ending: Ending, status: int, *, changed: bool) -> Look:
    """What the end of a session means."""
    said = [
        line.strip() for line in ending.tail.split("\n") if line and not re.match(r"Connection to \S+ closed", line)
    ]
    last = said[-1] if said else "the session was closed at once"
    if ending.shell:
        return _waiting_for_api(
            f"the login at {task.login} shows a shell, neither a password change nor the wizard: the system is installed or reboots",
            task,
            changed=changed,
        )
    if status == 0 and not ending.wizard_begun:
        return _waiting_for_api(
            f"the login at {task.login} ends by itself, without a question: {last}", task, changed=changed
        )
    if ending.wizard_complete and status in (0, LOST):
        return _waiting_for_api(
            "the installation wizard is complete, the Management Node reboots", task, changed=True, completed=True
        )
    if ending.wizard_begun and status not in (0, LOST):
        raise InstallationError(
            f"the installation wizard at {task.login} ended with exit status {status} after {len(ending.answered)} answers. "
            f"Run the task again once its reason is mended. The last lines of the dialogue:\n{ending.tail}"
        )
    if ending.wizard_begun:
        return replace(
            _waiting_for_ssh(f"the session was lost in the midst of the wizard: {last}", task, changed=changed),
            state="installing",
        )
    if not ending.answered - {"key_passphrase"}:
        if meaning := fatal_message(ending.tail, task.login):
            raise InstallationError(f"no SSH login at {task.login}: {last} {meaning}")
        if refusal := refusal_message(ending.tail):
            return _refused(f"{task.login} by SSH: {refusal}", task, changed=changed)
    return _waiting_for_ssh(f"{task.login} by SSH: {last}", task, changed=changed)
