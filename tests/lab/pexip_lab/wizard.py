"""The installation wizard (guide: Deploying a Management Node in AWS, step 14)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv4Network
from typing import Any

from .machine import Hardware
from .names import Surroundings
from .network import DOMAIN
from .terminal import Terminal

DEFAULT_DNS = "8.8.8.8, 8.8.4.4"
DEFAULT_NTP = "0.pool.ntp.org, 1.pool.ntp.org"

_LABEL = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

Check = Callable[[str], str | None]


class WizardFailed(Exception):
    """The wizard could not complete; nothing has been installed."""


@dataclass(frozen=True)
class Wizard:
    """One run of the wizard in one session."""

    terminal: Terminal
    hardware: Hardware
    surroundings: Surroundings

    async def run(self) -> dict[str, Any]:
        """Ask everything, check the time servers.

        :returns: the answers, named as the platform's installation takes them
        :raises WizardFailed: an NTP server cannot be resolved and reached
        """
        ask = self.terminal.ask_until
        self.terminal.say("\nWelcome. Press Enter to accept the value in brackets.\n")
        answers: dict[str, Any] = {
            "address": await ask("IP address", _ip_problem, self.hardware.address),
            "netmask": await ask("Network mask", _netmask_problem, self.hardware.netmask),
        }
        network = IPv4Network((answers["address"], answers["netmask"]), strict=False)
        answers |= {
            "gateway": await ask("Gateway", _gateway_check(network), self.hardware.gateway),
            "hostname": await ask("Hostname", _hostname_problem),
            "domain": await ask("Domain suffix", _domain_problem),
            "dns_servers": _items(await ask("DNS servers", _each(_ip_problem, "DNS server"), DEFAULT_DNS)),
            "ntp_servers": _items(await ask("NTP servers", _each(_server_problem, "NTP server"), DEFAULT_NTP)),
            "web_username": await ask("Web administration username", _username_problem, "admin"),
            "web_password": await self._new_password("Web administration password"),
            "incident_reporting": await self._yes("Enable incident reporting"),
        }
        if answers["incident_reporting"]:
            answers["contact_email_address"] = await ask("Contact email address", _email_problem)
        answers["usage_statistics"] = await self._yes("Send deployment and usage statistics to Pexip")
        self.terminal.say("\nChecking the network settings...")
        for server in answers["ntp_servers"]:
            if problem := self.surroundings.ntp_problem(server, answers["dns_servers"]):
                raise WizardFailed(problem)
        return answers

    async def _new_password(self, prompt: str) -> str:
        while True:
            password = await self.terminal.ask_secret(f"{prompt}: ")
            if not password:
                self.terminal.say("  The password must not be empty.")
            elif await self.terminal.ask_secret(f"{prompt} (again): ") != password:
                self.terminal.say("  The passwords do not match.")
            else:
                return password

    async def _yes(self, prompt: str) -> bool:
        answer = await self.terminal.ask_until(f"{prompt} (yes/no)", _yes_no_problem, "no")
        return answer.lower() in ("y", "yes")


def _items(text: str) -> list[str]:
    return [item for item in re.split(r"[,\s]+", text) if item]


def _each(check: Check, what: str) -> Check:
    def problem(text: str) -> str | None:
        items = _items(text)
        if not items:
            return f"Enter at least one {what}."
        return next((found for item in items if (found := check(item))), None)

    return problem


def _ip_problem(text: str) -> str | None:
    try:
        IPv4Address(text)
    except AddressValueError:
        return f"'{text}' is not a valid IP address."
    return None


def _netmask_problem(text: str) -> str | None:
    try:
        bits = int(IPv4Address(text))
    except AddressValueError:
        return f"'{text}' is not a valid network mask."
    inverted = bits ^ 0xFFFFFFFF
    return f"'{text}' is not a valid network mask." if inverted & (inverted + 1) else None


def _gateway_check(network: IPv4Network) -> Check:
    def problem(text: str) -> str | None:
        if wrong := _ip_problem(text):
            return wrong
        return None if IPv4Address(text) in network else f"The gateway {text} is not in the network {network}."

    return problem


def _hostname_problem(text: str) -> str | None:
    if len(text) < 3 or not _LABEL.fullmatch(text):
        return "The hostname must have 3 to 63 letters, digits and hyphens."
    return None


def _is_domain(text: str) -> bool:
    return len(text) <= 253 and all(_LABEL.fullmatch(label) for label in text.split("."))


def _domain_problem(text: str) -> str | None:
    return None if _is_domain(text) else f"'{text}' is not a valid domain, such as {DOMAIN}."


def _server_problem(text: str) -> str | None:
    if re.fullmatch(r"[\d.]+", text):
        return _ip_problem(text)
    return None if _is_domain(text) else f"'{text}' is neither an IP address nor a host name."


def _username_problem(text: str) -> str | None:
    return None if re.fullmatch(r"[\w.@+-]{1,150}", text) else "The username may hold letters, digits and @ . + - _."


def _email_problem(text: str) -> str | None:
    return None if _EMAIL.fullmatch(text) else f"'{text}' is not a valid email address."


def _yes_no_problem(text: str) -> str | None:
    return None if text.lower() in ("y", "yes", "n", "no") else "Answer yes or no."
