# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line that runs the same playbook again."""

from __future__ import annotations

DOCUMENTATION = r"""
name: resume_command
short_description: The command that runs this playbook again
version_added: 0.1.0
author: The pexip.infinity authors (!UNKNOWN)
description:
  - Gives the command line of the running C(ansible-playbook), to be shown when a run did not finish.
  - It has the playbooks, the inventories, C(--check) and C(--diff), tags, the limit, how the vault is opened and the extra
    variables, as the run was given them. What only changes how the output looks or how many hosts are worked on at once
    is left out.
  - Files of extra variables are named. Of variables given on the command line itself only the name is shown, with
    C(<value>) in place of the value, which may be a secret. A shell refuses such a line, so it cannot be pasted
    unread.
options:
  _terms:
    description: None are taken.
  limit:
    description: Hosts to go on with. Left out or empty, the limit that this run was given, if any.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Say how to resume
  ansible.builtin.debug:
    msg: "Not finished. This resumes: {{ lookup('pexip.infinity.resume_command', limit=['conf01', 'conf02']) }}"
"""

RETURN = r"""
_raw:
  description: The command.
  type: list
  elements: str
  sample: ["ansible-playbook -i inventory.yml -e @site.yml -e pexip_serial=<value> pexip.infinity.site --limit conf01"]
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible import context
from ansible.errors import AnsibleLookupError
from ansible.module_utils.common.text.converters import to_text
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.splitter import parse_kv
from ansible.plugins.lookup import LookupBase

# What ansible-playbook calls an option among its parsed arguments, and on the command line.
REPEATED = {
    "inventory": "-i",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
}
SWITCHES = {"ask_vault_pass": "--ask-vault-pass", "check": "--check", "diff": "--diff"}
LISTS = {"tags": "--tags", "skip_tags": "--skip-tags"}


def variable_names(given: str) -> list[str]:
    """Names of the variables in the value of an ``-e`` option that is no file: JSON, YAML or ``name=value`` pairs."""
    data = DataLoader().load(given) if given[:1] in ("{", "[") else parse_kv(given)
    return [str(name) for name in data]


def words(arguments: Mapping[str, Any], limit: Iterable[str]) -> Iterator[str]:
    """The words of the command, each as a shell wants it."""
    yield "ansible-playbook"
    for key, option in REPEATED.items():
        for value in arguments.get(key) or ():
            yield f"{option} {shlex.quote(str(value))}"
    for key, option in SWITCHES.items():
        if arguments.get(key):
            yield option
    for key, option in LISTS.items():
        values = sorted(arguments.get(key) or ())
        if values and values != ["all"]:
            yield f"{option} {shlex.quote(','.join(values))}"
    for given in filter(None, map(to_text, arguments.get("extra_vars") or ())):
        if given.startswith("@"):
            yield f"-e {shlex.quote(given)}"
        else:
            # Not quoted as a whole: a shell takes <value> for a file that is not there, and runs nothing.
            yield from (f"-e {shlex.quote(name)}=<value>" for name in variable_names(given))
    yield from (shlex.quote(str(playbook)) for playbook in arguments["args"])
    chosen = ",".join(limit) or arguments.get("subset")
    if chosen:
        yield f"--limit {shlex.quote(chosen)}"


class LookupModule(LookupBase):
    """Reads the parsed command line of the run."""

    def run(self, terms, variables=None, limit=()):
        """One command; AnsibleLookupError for terms, and where no playbook was named, as in an ad-hoc run."""
        if terms:
            raise AnsibleLookupError(f"resume_command takes no terms, and was given {', '.join(map(str, terms))}.")
        if not context.CLIARGS.get("args"):
            raise AnsibleLookupError("resume_command: this run was not started with the name of a playbook.")
        return [" ".join(words(context.CLIARGS, limit))]
