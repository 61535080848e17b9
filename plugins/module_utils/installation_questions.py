# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first login and the installation wizard of a Management Node are asking.

Pure text in, question out: nothing here reads, sends or waits. A question is known by its subject, not by its
place in the order or by its exact words, because both differ between versions (guide, "Deploying a Management
Node in AWS", steps 13 and 14).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Terminal control: CSI and OSC sequences, other escapes, and control characters apart from tab, LF and what redraws.
_TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[ -/]*[0-~]|[\x01-\x07\x0b\x0c\x0e-\x1f\x7f]"
)
_ERASED = "\0"  # stands for "erase to the end of the line"
_ERASE = re.compile(r"\0|\x1b\[0?K")
_REDRAWN = re.compile(r"[\r\b\0]")
_UNFINISHED_ESCAPE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|\][^\x07\x1b]*)?$")

_YES_NO = re.compile(r"[(\[<{]\s*(y(?:es)?)\s*[/|]\s*(?:no?)\s*[)\]>}]", re.I)
_DEFAULT = re.compile(r"\[([^\[\]]*)\]|\(default(?: is)?:?\s*([^()]*)\)|default value(?: is)?:\s*(.*\S)", re.I)
_PROMPT_END = re.compile(r"[:?>\])]\s*$")
_SHELL = re.compile(r"^(?:\[?[\w.-]+@[\w.-]+[^$#]*|(?:ba|da|z)?sh-?[\d.]*)?[$#]\s*$")
# "Checking NTP servers:" is a report in progress, "Existing password:" is not.
_PROGRESS = re.compile(r"^\W*(?!existing\b)[a-z]+ing\b(?!.*\?)", re.I)
_ONE_SERVER = re.compile(r"\b(?:server|resolver|address)\b(?!\s*\(?s\b)(?!.*\bservers\b)", re.I)
_AGAIN = re.compile(
    r"\bre-?(?:type|enter|peat)\b|\bagain\b|\bconfirm(?:ation)?\b.*\bpassword\b|\bverify\b.*\bpassword\b", re.I
)

_ERROR_LINE = re.compile(
    r"^\W*(?:[\w.-]+: )?(?:(?:error|fatal|invalid|sorry|failure|bad password|traceback)\b|failed(?:\s+to\b|\s+\w+ing\b|\W*$|\s*[:,!-]))"
    r"|\b(?:cannot|can not|could not|unable to)\s+(?:be )?(?:resolve|reach|contact|connect|parse|synchroni[sz]e|find|change)"
    r"|\b(?:is|are|was|were)\s+(?:not valid|invalid|unreachable|not reachable|incorrect)\b"
    r"|\bdo(?:es)? not match\b|\bpasswords? (?:mismatch|unchanged)|\bauthentication token\b|\btoo (?:short|simple|weak)\b"
    r"|(?:\.\.|:)\s*failed\b|\binstallation (?:has )?failed\b|\bincorrect password\b",
    re.I,
)
# "Error reporting", "failed call statistics": what the wizard speaks of, no error by itself.
_ABOUT_ERRORS = re.compile(
    r"\b(?:fatal|errors?|failures?|failed|crash)(?: (?!to\b)[a-z&/]+){0,3}?[ -](?:report(?:s|ing)?|notifications?|alerts?|statistics?|log(?:s|ging)?)\b",
    re.I,
)
_CONDITION = re.compile(r"\b(?:if|when|whenever|unless|whether|in case)\b", re.I)


@dataclass(frozen=True)
class Subject:
    """Something that can be asked: `name`, how it is recognised, seconds that may pass after its answer."""

    name: str
    pattern: re.Pattern[str]
    deadline: int = 90


def _subject(name: str, pattern: str, deadline: int = 90) -> Subject:
    return Subject(name, re.compile(pattern, re.I), deadline)


# The first that matches is it, so the specific ones stand before the general ones.
SUBJECTS: tuple[Subject, ...] = (
    _subject("host_key", r"continue connecting|\bfingerprint\b.*\?"),
    _subject("key_passphrase", r"\bpassphrase\b"),
    _subject("login_password", r"\S+@\S+'s password|\(\S+@\S+\) password"),
    # Sudo starts the wizard, "after a short delay" says the guide.
    _subject("sudo_password", r"\bsudo\b.*\bpassword\b", 180),
    _subject("current_password", r"\b(?:current|old|existing)\b.*\bpassword\b"),
    _subject("web_password", r"\bweb\b.*\bpassword\b|\bpassword\b.*\bweb\b"),
    _subject("new_password", r"\bnew\b.*\bpassword\b|\bunix\b.*\bpassword\b"),
    _subject(
        "web_username",
        r"\bweb\b.*\b(?:user|login|account)|\badmin\w*\s+(?:user|login|account)|\buser\s?name\b|\blogin name\b",
    ),
    _subject("contact_email_address", r"\be-?mail\b|\bcontact\b"),
    _subject("incident_reporting", r"\bincident|\b(?:error|crash) report|\breport\w*\b.*\b(?:errors|crashes)\b"),
    _subject("usage_statistics", r"\bstatistic|\busage\b|\banalytic|\btelemetr"),
    # The wizard resolves and contacts the NTP servers: it may think about it.
    _subject("ntp_servers", r"\bs?ntp\b|\btime\s?servers?\b", 180),
    _subject("dns_servers", r"\bname\s?servers?\b|\bdns\b(?!\s*(?:host|domain|suffix|search))|\bresolvers?\b"),
    _subject("netmask", r"\bnet\s?mask\b|\bnetwork mask\b|\bsubnet\b|\bmask\b"),
    _subject("gateway", r"\bgateway\b|\bdefault route\b|\brouter\b"),
    _subject("hostname", r"\bhost\s?-?name\b|\bname of (?:this|the) (?:system|machine|(?:management )?node)\b"),
    _subject("domain", r"\bdomain\b|\bsearch suffix\b|\bdns suffix\b"),
    _subject("address", r"\bipv4\b|\bip\s?address\b|\bip settings\b|^\W*(?:enter )?(?:the )?address\b"),
)
DEADLINES = {subject.name: subject.deadline for subject in SUBJECTS}
_PATTERNS = {subject.name: subject.pattern for subject in SUBJECTS}
# What ssh, sudo and passwd ask for: never a matter of yes and no, never known by context.
_LOGIN = ("host_key", "key_passphrase", "login_password", "sudo_password", "current_password")
_PASSWORD = re.compile(r"\bpassword\b", re.I)

# Yes and no to the wizard's own questions about going on. Terms of a licence are not among them: nobody but
# the operator may accept those.
_GO_ON = re.compile(
    r"\bcorrect\b|\bapply\b|\bcontinue\b|\bproceed\b|\bcommit\b|\bsave\b|\bready\b|\bok\b|\bconfirm\b|\breboot\b", re.I
)
_TURN_BACK = re.compile(
    r"\bchange\b|\bedit\b|\bmodify\b|\bagain\b|\babort\b|\bcancel\b|\bquit\b|\bexit\b|\bstart over\b|\bre-?enter\b",
    re.I,
)
_LICENCE = re.compile(r"\blicen[cs]e|\beula\b|\bterms\b|\bagreement\b", re.I)
_PRESS_ENTER = re.compile(r"\bpress\b.*\b(?:enter|return|any key)\b(?!.*\b(?:default|finish)).*$", re.I)


@dataclass(frozen=True)
class Question:
    """One question of the dialogue.

    `subject` is a name of SUBJECTS, or `again` (the previous answer once more), `confirm` (yes, go on),
    `decline` (yes would turn back), `enter`, `shell` (a shell prompt: no question at all) or None (unknown).
    `default` is the value offered in brackets, None where none is; `yes_no` the style of a yes/no question
    (`yes` or `y`), None for others; `single` a question for one server of a list rather than all in a line.
    """

    subject: str | None
    text: str
    default: str | None = None
    yes_no: str | None = None
    single: bool = False
    separator: str = ","


def clean(text: str) -> str:
    """The text as a terminal shows it, with LF line ends: redrawn lines once, without control sequences.

    An escape sequence that has only half arrived is left out.
    """
    lines = re.sub(r"\r+\n", "\n", _UNFINISHED_ESCAPE.sub("", text)).split("\n")
    return "\n".join(_draw(_TERMINAL.sub("", _ERASE.sub(_ERASED, line))) for line in lines)


def _draw(line: str) -> str:
    """One line after its carriage returns and backspaces: what is typed later stands over what was there."""
    if not _REDRAWN.search(line):
        return line
    shown: list[str] = []
    cursor = 0
    for char in line:
        if char == "\r":
            cursor = 0
        elif char == "\b":
            cursor = max(cursor - 1, 0)
        elif char == _ERASED:
            del shown[cursor:]
        else:
            shown[cursor : cursor + 1] = [char]
            cursor += 1
    return "".join(shown)


def error_line(text: str) -> str | None:
    """The last finished line of the text that reports an error or a refused answer, None where there is none."""
    lines = [line.strip() for line in text.split("\n")]
    return next((line for line in reversed(lines) if _reports_error(line)), None)


def _reports_error(line: str) -> bool:
    """Whether a line says that something went wrong, rather than ask about errors, explain them or be a heading.

    In doubt it does not: the question then comes again, and that is told as a refusal, too.
    """
    said = [_ABOUT_ERRORS.sub("", part) for part in re.split(r"(?<=[.!?;])\s+", line) if "?" not in part]
    return any(
        not _CONDITION.search(part[: error.start()].rpartition(":")[2])
        for part in said
        for error in _ERROR_LINE.finditer(part)
    )


def subject_of(text: str) -> str | None:
    """The subject that a line speaks of (None: none that is known); used for questions and for error lines."""
    return next((subject.name for subject in SUBJECTS if subject.pattern.search(text)), None)


def recognise(text: str, previous: str | None = None) -> Question | None:
    """The question that stands at the end of `text`, None while there is none.

    `text` is what arrived since the last answer, already cleaned; `previous` the subject of that answer, which
    tells what "Re-enter previous value:" or a bare "Password:" after the user name mean. A question is the last,
    unfinished line; where that is a bare mark (`> `) it is the paragraph above.
    """
    body, _newline, prompt = text.rpartition("\n")
    if not prompt.strip():
        return None
    if _SHELL.match(prompt):
        return Question("shell", prompt.strip())
    if _PRESS_ENTER.search(prompt):
        return Question("enter", prompt.strip())
    if not _PROMPT_END.search(prompt) or _PROGRESS.match(prompt) and not _YES_NO.search(prompt):
        return None
    lines = [prompt.strip()]
    if not re.search(r"\w", prompt):
        above = [line.strip() for line in body.rstrip().split("\n\n")[-1].split("\n")]
        lines = [line for line in above if line] or lines
    paragraph = " ".join(lines)
    # A question that spans lines is about what its first recognised line says, its default may follow below.
    subject_line = next((line for line in lines if subject_of(line)), paragraph)
    return _question(subject_line, paragraph, previous)


def _question(line: str, paragraph: str, previous: str | None) -> Question:
    subject, yes_no = subject_of(line), _yes_no(paragraph)
    if subject not in _LOGIN:
        subject = _yes_no_subject(paragraph, subject) if yes_no else _in_context(line, subject, previous)
    return Question(
        subject,
        paragraph,
        default=None if yes_no else _offered(paragraph),
        yes_no=yes_no,
        single=subject in ("dns_servers", "ntp_servers") and _ONE_SERVER.search(line) is not None,
        separator=_separator(paragraph),
    )


def _in_context(line: str, subject: str | None, previous: str | None) -> str | None:
    """The subject once the previous one is considered: repeated values, and passwords that do not say whose."""
    if subject is None and _PASSWORD.search(line) and previous == "web_username":
        return "web_password"
    if subject == "new_password" and previous in ("web_username", "web_password"):
        subject = "web_password"
    if _AGAIN.search(line) and previous and subject in (None, previous):
        return "again"
    return subject


def _yes_no_subject(paragraph: str, subject: str | None) -> str | None:
    """What a yes/no question is about: a setting, a server list or the network settings, going on, turning back."""
    about = next(
        (name for name in ("incident_reporting", "usage_statistics") if _PATTERNS[name].search(paragraph)), None
    )
    if about or _LICENCE.search(paragraph):
        return about
    if re.search(r"\bcorrect\b", paragraph, re.I):
        return "confirm"
    if subject in ("dns_servers", "ntp_servers", "address", "netmask", "gateway"):
        return subject
    if subject is not None:
        return None
    if _TURN_BACK.search(paragraph):
        return "decline"
    return "confirm" if _GO_ON.search(paragraph) else None


def _yes_no(text: str) -> str | None:
    """`yes` or `y` where a yes/no answer is asked for, as the question writes it; None elsewhere."""
    marker = _YES_NO.search(text)
    if marker:
        return "yes" if marker.group(1).lower() == "yes" else "y"
    if re.search(r"\?\s*(?:\[(?:yes|no|y|n)\])?\s*:?\s*$", text, re.I) and (
        _GO_ON.search(text) or _TURN_BACK.search(text)
    ):
        return "yes"
    return None


def _offered(text: str) -> str | None:
    """The default that a question offers, None where it offers none."""
    without_sudo = re.sub(r"\[sudo\]|\[enter\]", "", text, flags=re.I)
    found = [next(group for group in match if group is not None) for match in _groups(without_sudo)]
    return found[-1].strip() if found else None


def _groups(text: str) -> list[tuple[str | None, ...]]:
    return [match.groups() for match in _DEFAULT.finditer(text)]


def _separator(text: str) -> str:
    """How several servers are written in one line: as the offered default does, or as the question says."""
    offered = _offered(text) or ""
    if "," in offered:
        return ", " if ", " in offered else ","
    if " " in offered.strip() or re.search(r"\bspaces?\b", text, re.I) and not re.search(r"\bcommas?\b", text, re.I):
        return " "
    return ","
