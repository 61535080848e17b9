# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session with a new Management Node: questions in, answers out, until the session ends.

The dialogue knows what to answer and when to give up; what is asked is found out by `installation_questions`,
and the session itself is any object with `read(timeout)` and `send(line)` (see `ssh_channel.SshChannel`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from .installation_questions import DEADLINES, Question, clean, error_line, recognise, subject_of
from .ssh_channel import InstallationError

SETTLE = 0.15  # seconds of quiet after which the unfinished last line is taken for a whole question
PATIENCE = 10.0  # seconds of quiet after which an unknown question is one, and no line in the making
FIRST_DEADLINE = 120.0  # seconds until the first output; ssh notices a dead connection after 60
APPLY_DEADLINE = 600.0  # seconds for the wizard to apply everything, once its main questions are answered
TAIL_LINES = 20
MASK = "********"

# What a complete run of the wizard has asked (guide, step 14 c); address, mask and gateway may come from the cloud.
ESSENTIAL = frozenset({"hostname", "domain", "dns_servers", "ntp_servers", "web_password"})
WIZARD = ESSENTIAL | {
    "address",
    "netmask",
    "gateway",
    "web_username",
    "incident_reporting",
    "contact_email_address",
    "usage_statistics",
}

_REMEDIES = {
    "ntp_servers": "An NTP server must be resolved and reached from the node; the wizard's own defaults are reachable only with a public address",
    "dns_servers": "A DNS server must be reachable from the node; the wizard's own defaults are reachable only with a public address",
    "sudo_password": "The UNIX password of this machine is another one: give it as admin_password, or replace the instance",
    "current_password": "The UNIX password of this machine is another one: give it as admin_password, or replace the instance",
    "new_password": "Choose another admin_password: the machine wants a longer or more complex one",
    "web_password": "Choose another password: the machine wants a longer or more complex one",
}
# Subjects that may come several times in other words; the same words again are a refusal.
_BY_TEXT = ("confirm", "decline", "enter", "key_passphrase")
_OPTIONS = {
    "web_username": "username",
    "web_password": "password",
    "new_password": "admin_password",
    "sudo_password": "admin_password",
    "current_password": "admin_password",
}


class Channel(Protocol):
    """The other end: see SshChannel."""

    def read(self, timeout: float) -> str | None: ...
    def send(self, line: str) -> None: ...


@dataclass(frozen=True)
class Answers:
    """What to answer. None for servers, address, netmask or gateway accepts what the wizard offers."""

    hostname: str
    domain: str
    dns_servers: list[str] | None
    ntp_servers: list[str] | None
    web_username: str
    web_password: str = field(repr=False)
    admin_password: str = field(repr=False)
    key_passphrase: str | None = field(default=None, repr=False)
    address: str | None = None
    netmask: str | None = None
    gateway: str | None = None
    incident_reporting: bool = False
    contact_email_address: str | None = None
    usage_statistics: bool = False

    @property
    def secrets(self) -> list[str]:
        """Every value that may not be shown."""
        return [value for value in (self.web_password, self.admin_password, self.key_passphrase) if value]


@dataclass(frozen=True)
class Ending:
    """How a session ended: the subjects answered, whether at a shell prompt, and its last lines, masked."""

    answered: frozenset[str]
    shell: bool
    tail: str

    @property
    def password_changed(self) -> bool:
        """Whether the first login's password change took place."""
        return "new_password" in self.answered

    @property
    def wizard_begun(self) -> bool:
        """Whether the wizard asked anything of its own."""
        return bool(self.answered & WIZARD)

    @property
    def wizard_complete(self) -> bool:
        """Whether every essential question of the wizard was answered."""
        return self.answered >= ESSENTIAL


class Masker:
    """Blanks secrets in text, also where a terminal has folded the line that echoes one."""

    def __init__(self, secrets: list[str]):
        spelled = [r"\s*".join(re.escape(char) for char in secret if not char.isspace()) for secret in secrets]
        longest_first = sorted(filter(None, spelled), key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first)) if longest_first else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text


class Dialogue:
    """Answers the questions of one session.

    `where` names the machine in errors; `clock` gives seconds. Raises InstallationError for an unknown question,
    a refused answer, a question without an answer, and silence beyond the deadline.
    """

    def __init__(self, channel: Channel, answers: Answers, where: str, clock: Callable[[], float] = time.monotonic):
        self._channel = channel
        self._answers = answers
        self._where = where
        self._clock = clock
        self._mask = Masker(answers.secrets)
        self._log = ""  # everything that arrived, raw
        self._pending = ""  # what arrived since the last answer, raw
        self._sent: str | None = None
        self._last: Question | None = None
        self._seen: set[tuple[object, ...]] = set()
        self._answered: set[str] = set()
        self._left = {"dns_servers": list(answers.dns_servers or []), "ntp_servers": list(answers.ntp_servers or [])}

    def run(self) -> Ending:
        """Talks until the session ends or shows a shell prompt."""
        quiet_since = self._clock()
        while True:
            chunk = self._channel.read(SETTLE)
            if chunk is None:
                self._refuse_errors()
                return self._ending(shell=False)
            if chunk:
                self._log += chunk
                self._pending += chunk
                quiet_since = self._clock()
                continue
            quiet = self._clock() - quiet_since
            question = recognise(self._text(), self._last.subject if self._last else None)
            if question is None or question.subject is None and quiet < PATIENCE:
                self._check_deadline(quiet)
                continue
            self._refuse_errors(question)
            if question.subject == "shell":
                return self._ending(shell=True)
            self._reply(question)
            quiet_since = self._clock()

    def tail(self) -> str:
        """The last lines of the dialogue, masked."""
        lines = [line.rstrip() for line in self._mask(clean(self._log)).split("\n") if line.strip()]
        return "\n".join(lines[-TAIL_LINES:])

    def _ending(self, shell: bool) -> Ending:
        return Ending(frozenset(self._answered), shell, self.tail())

    def _text(self) -> str:
        """What arrived since the last answer, without that answer's echo."""
        text = clean(self._pending)
        return text.removeprefix(self._sent) if self._sent else text

    def _reply(self, question: Question) -> None:
        key = (question.subject, question.yes_no, self._round(question))
        if key in self._seen and question.subject == "key_passphrase":
            raise InstallationError(f"private_key_passphrase does not open the private key ({question.text!r})")
        if key in self._seen:
            raise self._refused(question.subject, self._reason())
        answer = self._answer(question)
        if question.subject != "again":
            self._seen.discard(("again", None, None))  # every value may be asked for once more
            self._last = question
        self._seen.add(key)
        if question.subject not in (None, "again", "enter"):
            self._answered.add(str(question.subject))
        self._sent = answer
        self._pending = ""
        self._channel.send(answer)

    def _round(self, question: Question) -> str | int | None:
        """What tells a rightful repetition of a question from a refused answer."""
        if question.subject in _BY_TEXT:
            return question.text
        if question.subject in self._left and (question.single or question.yes_no):
            given = getattr(self._answers, question.subject)
            return question.text if given is None else len(self._left[question.subject])
        return None

    def _answer(self, question: Question) -> str:
        subject, given = question.subject, self._answers
        if question.yes_no:
            return self._yes_or_no(question)
        if subject == "again":
            return self._sent or ""
        if subject == "enter":
            return ""
        if subject in ("sudo_password", "current_password", "new_password"):
            return given.admin_password
        if subject == "web_password":
            return given.web_password
        if subject == "web_username":
            return given.web_username
        if subject in ("hostname", "domain"):
            return given.hostname if subject == "hostname" else given.domain
        if subject in self._left:
            return self._servers(question)
        if subject in ("address", "netmask", "gateway"):
            return self._or_default(question, getattr(given, subject))
        if subject == "contact_email_address":
            return given.contact_email_address or ""
        if subject in ("incident_reporting", "usage_statistics"):
            return "yes" if getattr(given, subject) else "no"
        if subject == "key_passphrase":
            return self._passphrase(question)
        raise self._unknown(question)

    def _yes_or_no(self, question: Question) -> str:
        subject, given = question.subject, self._answers
        # "Change the settings?", "Add another?" ask for what "Use the defaults?" and "Accept?" ask against.
        ours = (
            re.search(r"\b(?:change|edit|modify|add|another|more|configure|specify|override)\b", question.text, re.I)
            is not None
        )
        if subject in ("incident_reporting", "usage_statistics"):
            choice = getattr(given, subject)
        elif subject in ("confirm", "decline"):
            choice = subject == "confirm"
        elif subject in self._left:
            choice = ours == bool(self._left[subject])
        elif subject in ("address", "netmask", "gateway"):
            choice = ours == bool(given.address or given.netmask or given.gateway)
        else:
            raise self._unknown(question)
        word = "yes" if choice else "no"
        return word if question.yes_no == "yes" else word[0]

    def _servers(self, question: Question) -> str:
        subject = str(question.subject)
        left = self._left[subject]
        if getattr(self._answers, subject) is None:
            # The first question offers a server; whether there are more, the later ones ask.
            return "" if subject in self._answered else self._or_default(question, None)
        if question.single:
            return left.pop(0) if left else ""
        line = question.separator.join(left)
        left.clear()
        return line

    def _or_default(self, question: Question, value: str | None) -> str:
        if value is None and not question.default:
            raise InstallationError(
                f"the installation wizard at {self._where} offers no default at {self._mask(question.text)!r}: give the option {question.subject}"
            )
        return value or ""

    def _passphrase(self, question: Question) -> str:
        if self._answered - {"key_passphrase"}:
            raise self._unknown(
                question
            )  # ssh asks before the login; afterwards it would be the machine that wants to know
        if not self._answers.key_passphrase:
            raise InstallationError(
                f"the private key has a passphrase ({question.text!r}): give private_key_passphrase, or load the key into an agent"
            )
        return self._answers.key_passphrase

    def _refuse_errors(self, question: Question | None = None) -> None:
        """Raises when the wizard reported an error since the last answer."""
        if self._last is None or self._last.subject == "key_passphrase":
            return
        line = error_line(self._text() if question is None else self._said())
        if line:
            raise self._refused(subject_of(line) or self._last.subject, line)

    def _said(self) -> str:
        """The finished lines since the last answer: what stands before the question."""
        return self._text().rpartition("\n")[0]

    def _reason(self) -> str:
        """Why a question comes again: what was said before it."""
        line = self._said().strip().rpartition("\n")[2].strip()
        return f"{line or 'no reason was given'}, and the question came again"

    def _check_deadline(self, quiet: float) -> None:
        deadline = FIRST_DEADLINE if self._last is None else float(DEADLINES.get(str(self._last.subject), 90))
        if self._answered >= ESSENTIAL:
            deadline = APPLY_DEADLINE
        if quiet > deadline:
            after = f" after the answer to {self._mask(self._last.text)!r}" if self._last else ""
            raise self._error(
                f"{self._where} said nothing for {quiet:.0f} seconds{after}",
                "Look at the machine by hand over SSH; then run the task again",
            )

    def _refused(self, subject: str | None, said: str) -> InstallationError:
        last = self._last
        if subject == "again" and last:
            subject = last.subject
        option = _OPTIONS.get(str(subject), subject)
        asked = f", asked {self._mask(last.text)!r}" if last and last.subject == subject else ""
        remedy = _REMEDIES.get(
            str(subject), f"Correct the option {option}" if subject in WIZARD else "Correct the options"
        )
        return self._error(
            f"{self._where} refused the answer for {option}{asked}: {said}", f"{remedy}; then run the task again"
        )

    def _unknown(self, question: Question) -> InstallationError:
        if question.subject == "login_password":
            return self._error(
                f"{self._where} asks for a login password: it does not take the private key",
                "Check ssh_user and that private_key_file belongs to the key pair of the instance",
            )
        if question.subject == "host_key":
            return self._error(
                f"ssh asks to confirm a host key: {self._mask(question.text)!r}",
                "Put the host key (of the jump host?) into your known_hosts file first",
            )
        return self._error(
            f"{self._where} asks something that is not known: {self._mask(question.text)!r}",
            "Answer the wizard by hand over SSH (the task then finds the platform installed), and report the question as a defect of this module",
        )

    def _error(self, problem: str, remedy: str) -> InstallationError:
        return InstallationError(f"{self._mask(problem)}. {remedy}. The last lines of the dialogue:\n{self.tail()}")
