# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The thin layer between AnsibleModule and the engine: options, check mode, diff, errors."""

from __future__ import annotations

import os
import re
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from .client import REQUESTS_IMPORT_ERROR, Client, Connection, PexipError, normalise_fingerprint
from .converge import Platform, Result, converge
from .masking import MASK, is_secret
from .names import is_ip
from .resource import Resource

LONGEST_MESSAGE = 5000  # characters: no list is so bad that more of it helps


def _environment(name: str) -> dict[str, Any]:
    return {"fallback": (env_fallback, [name])}


CONNECTION_OPTIONS: dict[str, dict[str, Any]] = {
    "host": {"type": "str", **_environment("PEXIP_HOST")},
    "port": {"type": "int", "default": 443, **_environment("PEXIP_PORT")},
    "username": {"type": "str", "default": "admin", **_environment("PEXIP_USERNAME")},
    "password": {"type": "str", "no_log": True, **_environment("PEXIP_PASSWORD")},
    "validate_certs": {"type": "bool", "default": True, **_environment("PEXIP_VALIDATE_CERTS")},
    "ca_path": {"type": "path", **_environment("PEXIP_CA_PATH")},
    "tls_fingerprint": {"type": "str", **_environment("PEXIP_TLS_FINGERPRINT")},
    "timeout": {"type": "int", "default": 30, **_environment("PEXIP_TIMEOUT")},
}


def check_place(given: dict[str, Any], option: str = "") -> None:
    """Raises PexipError unless ``host``, ``port`` and ``tls_fingerprint`` can be a TLS listener; ``option`` prefixes their names."""
    host, port, fingerprint = given["host"] or "", given["port"], given["tls_fingerprint"]
    try:
        host.encode("idna")
        legal = not any(char in host for char in "/@?# \t\n\\") and (":" not in host or is_ip(host))
    except UnicodeError:
        legal = False
    if not legal:
        raise PexipError(f"{option}host: {host!r} is not a host name or address; give it without scheme, port or path")
    if not 1 <= port <= 65535:
        raise PexipError(f"{option}port: {port} is not a TCP port (1 to 65535)")
    try:
        normalise_fingerprint(fingerprint or "0" * 64)
    except ValueError as error:
        raise PexipError(f"{option}tls_fingerprint: {error}") from None


def connection_of(given: dict[str, Any]) -> Connection:
    """The connection that values of the CONNECTION_OPTIONS describe; raises PexipError for such as cannot be one."""
    check_place(given)
    if given["timeout"] < 1:
        raise PexipError(f"timeout: {given['timeout']} is not a time in seconds (at least 1)")
    verified = given["validate_certs"] and not given["tls_fingerprint"]
    if verified and given["ca_path"] and not os.path.exists(given["ca_path"]):
        raise PexipError(f"ca_path: there is no file or directory {given['ca_path']}")
    return Connection(**{**given, "host": given["host"] or "", "password": given["password"] or ""})


def open_client(connection: Connection, **options: Any) -> Client:
    """A client; raises PexipError where the connection lacks the host or the password. ``options`` are the client's."""
    if not connection.host:
        raise PexipError("host is required: the address of the Management Node (or PEXIP_HOST)")
    if not connection.password:
        raise PexipError(
            "password is required: the web administration password of the Management Node (or PEXIP_PASSWORD)"
        )
    return Client(connection, **options)


class _AnsibleModule(AnsibleModule):
    """Masks in the invocation of a failure what a misspelt or retired option's name says is secret.

    Ansible masks the options that it knows.
    """

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn:
        unknown = {
            name: MASK
            for name, value in self.params.items()
            if name not in self.argument_spec and is_secret(name) and value is not None
        }
        super().fail_json(msg, **{"invocation": {"module_args": {**self.params, **unknown}}, **kwargs})


class InfinityModule:
    """An AnsibleModule that knows its Management Node; base of every module of the collection.

    ``options`` are the module's own options; further keywords go to AnsibleModule.
    """

    def __init__(self, options: dict[str, dict[str, Any]], **kwargs: Any):
        self.ansible = _AnsibleModule(
            argument_spec={**CONNECTION_OPTIONS, **options}, supports_check_mode=True, **kwargs
        )
        self.params: dict[str, Any] = self.ansible.params
        self.check: bool = self.ansible.check_mode
        # Secrets that forget_masks took out of Ansible's masking, and that a server may quote in its error.
        self.quotable: set[str] = set()
        if REQUESTS_IMPORT_ERROR:
            self.ansible.fail_json(msg=missing_required_lib("requests"), exception=REQUESTS_IMPORT_ERROR)

    def connection(self, **overrides: Any) -> Connection:
        """The connection that the options describe; raises PexipError for options that cannot be one."""
        return connection_of({name: self.params[name] for name in CONNECTION_OPTIONS} | overrides)

    def client(self, **options: Any) -> Client | None:
        """A client, or None when no host is given in check mode: the plan is then against an empty platform."""
        connection = self.connection()
        return open_client(connection, **options) if connection.host or not self.check else None

    def fail(self, error: Exception) -> NoReturn:
        """Ends the module with an error that an operator can act on."""
        extra: dict[str, Any] = {}
        if isinstance(error, PexipError):
            extra = {name: value for name in ("status", "away") if (value := getattr(error, name))}
        text = str(error)
        for value in self.quotable:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, text)
        more = len(text) - LONGEST_MESSAGE
        self.ansible.fail_json(
            msg=text if more <= 0 else f"{text[:LONGEST_MESSAGE]}… ({more} more characters)", **extra
        )

    def exit(self, **result: Any) -> NoReturn:
        """Ends the module with a result."""
        self.ansible.exit_json(**result)

    def report(self, platform: Platform, resource: Resource, result: Result, returns: str, **extra: Any) -> NoReturn:
        """Ends the module with what was found and done: the object under ``returns``, warnings, the diff under ``--diff``."""
        for warning in platform.warnings:
            self.ansible.warn(warning)
        if self.ansible._diff and result.changed:
            label = resource.label(result.before or result.current or {})
            diff = platform.diff(resource, result.plan, result.before)
            extra["diff"] = {**diff, "before_header": label, "after_header": label}
        self.exit(changed=result.changed, **{returns: platform.present(resource, result.current)}, **extra)

    def forget_masks(self, values: set[str], **shown: Any) -> None:
        """Takes values out of Ansible's masking by value: a community called public would blank every "public".

        The options stay masked by their names in the log and in the invocation; ``shown`` says what the invocation
        shows of an option instead. The connection's own password is never taken out.
        """
        self.ansible.no_log_values.difference_update(values - {self.params["password"]})
        spec = self.ansible.argument_spec
        hidden = {
            name: MASK for name, value in self.params.items() if value is not None and spec.get(name, {}).get("no_log")
        }
        invocation = {"module_args": {**self.params, **hidden, **shown}}
        plain_exit, plain_fail = self.ansible.exit_json, self.ansible.fail_json
        self.ansible.exit_json = lambda **result: plain_exit(**{"invocation": invocation, **result})
        self.ansible.fail_json = lambda msg, **result: plain_fail(msg, **{"invocation": invocation, **result})


class PexipModule(InfinityModule):
    """A module for one resource: the table gives its options, the engine does the rest.

    ``returns`` is the key of the object in the result; ``options`` are options beyond the table's.
    """

    def __init__(
        self, resource: Resource, returns: str, options: dict[str, dict[str, Any]] | None = None, **kwargs: Any
    ):
        self.resource = resource
        self.returns = returns
        spec: dict[str, dict[str, Any]] = {field.option: field.spec() for field in resource.fields}
        for name in resource.identity:
            spec[resource.by_name[name].option]["required"] = True
        spec["clear"] = {"type": "list", "elements": "str"}
        if not resource.singleton:
            spec["state"] = {"type": "str", "choices": ["present", "absent"], "default": "present"}
        if any(not field.readable for field in resource.fields):
            spec["update_secrets"] = {
                "type": "str",
                "choices": ["always", "on_create"],
                "default": "on_create",
                "no_log": False,
            }
        super().__init__({**spec, **(options or {})}, **kwargs)
        secrets: dict[bool, set[str]] = {True: set(), False: set()}
        for field in resource.fields:
            if field.secret and self.params[field.option]:
                secrets[field.readable].add(str(self.params[field.option]))
        self.forget_masks(secrets[True] - secrets[False])
        self.quotable = secrets[True] - {str(field.default) for field in resource.fields if field.secret}

    @property
    def identity(self) -> dict[str, Any]:
        """The fields that name the object."""
        return {name: self.params[self.resource.by_name[name].option] for name in self.resource.identity}

    def desired(self) -> dict[str, Any] | None:
        """What the task asks for, None for absent; raises PexipError that names every bad field."""
        wish = {
            field.name: self.params[field.option]
            for field in self.resource.fields
            if self.params[field.option] is not None
        }
        problems = [problem for name, value in wish.items() if (problem := self.resource.by_name[name].problem(value))]
        by_option = {field.option: field for field in self.resource.fields}
        for option in self.params["clear"] or []:
            if option not in by_option:
                problems.append(f"clear: {option!r} is not a field of {self.resource.noun}")
            elif by_option[option].name in wish:
                problems.append(f"clear: {option} is also given a value")
            else:
                try:
                    wish[by_option[option].name] = by_option[option].cleared()
                except ValueError as error:
                    problems.append(f"clear: {error}")
        if problems:
            raise PexipError(f"{self.resource.label(self.identity)}: {'; '.join(problems)}")
        return None if self.params.get("state") == "absent" else wish

    def converge(self, platform: Platform, desired: dict[str, Any] | None) -> Result:
        """Brings the object to the desired state."""
        return converge(
            platform,
            self.resource,
            self.identity,
            desired,
            update_secrets=self.params.get("update_secrets", "on_create"),
        )

    def run(self) -> NoReturn:
        """The whole of a plain typed module."""
        try:
            desired = self.desired()
            platform = Platform(self.client(), check=self.check)
            result = self.converge(platform, desired)
        except PexipError as error:
            self.fail(error)
        self.report(platform, self.resource, result, self.returns)
