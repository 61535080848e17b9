# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""resume_command on real command lines, as ansible-playbook itself parses them."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from ansible import constants as C
from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleLookupError
from ansible.utils.context_objects import CLIArgs
from ansible_collections.pexip.infinity.plugins.lookup.resume_command import LookupModule

SITE = "pexip.infinity.site"


@pytest.fixture
def resume(monkeypatch):
    """The command for a run that was started with these words, and hosts to go on with."""

    def command(*words: str, **options):
        cli = PlaybookCLI(["ansible-playbook", *words])
        cli.init_parser()
        arguments = cli.post_process_args(cli.parser.parse_args(cli.args[1:]))
        monkeypatch.setattr("ansible.context.CLIARGS", CLIArgs(vars(arguments)))
        (line,) = LookupModule().run([], variables={}, **options)
        return line

    return command


@pytest.mark.parametrize(
    "words",
    [
        ["-i /srv/hosts", SITE],
        ["-i /srv/one.yml", "-i two,three", "site.yml"],
        ["-i /srv/hosts", "--check", "--diff", SITE],
        ["-i /srv/hosts", "--tags a,b", "--skip-tags c", SITE],
        ["-i /srv/hosts", "--vault-id dev@prompt", "--vault-id /srv/prod", SITE],
        ["-i /srv/hosts", "--vault-password-file /srv/password", SITE],
        ["-i /srv/hosts", "--ask-vault-pass", SITE],
        ["-i /srv/hosts", "-e @/srv/site.yml", SITE],
        ["-i /srv/hosts", SITE, "--limit 'conf*:!conf03'"],
        ["-i /srv/hosts", "one.yml", "two.yml"],
    ],
    ids=" ".join,
)
def test_what_was_given_comes_back(resume, words):
    given = " ".join(words)
    assert resume(*shlex.split(given)) == f"ansible-playbook {given}"


def test_defaults_and_what_does_not_matter_are_left_out(resume):
    assert resume("-i", "/srv/hosts", "-vvv", "--forks", "10", SITE) == f"ansible-playbook -i /srv/hosts {SITE}"


def test_the_inventory_of_the_configuration_is_named(resume):
    """So the command works from another directory, too, than that of the ansible.cfg which names it."""
    assert resume(SITE) == f"ansible-playbook -i {C.DEFAULT_HOST_LIST[0]} {SITE}"


@pytest.mark.parametrize(
    "given", ["pexip_node_password=s3cret pexip_serial=10", '{"pexip_node_password": "s3cret", "pexip_serial": 10}']
)
def test_values_given_on_the_command_line_are_not_shown(resume, given):
    line = resume("-e", given, "-e", "@more.yml", SITE)
    assert "s3cret" not in line and "10" not in line
    assert "-e pexip_node_password=<value> -e pexip_serial=<value> -e @" in line


def test_a_line_without_its_values_is_refused_by_a_shell(resume, tmp_path):
    line = resume("-e", "pexip_node_password=s3cret", SITE)
    ran = subprocess.run(
        ["bash", "-c", line.replace("ansible-playbook", "touch ran")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode and "value" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_hosts_to_go_on_with_take_the_place_of_the_limit(resume):
    assert resume(SITE, "--limit", "all", limit=["conf01", "conf 02"]).endswith(f"{SITE} --limit 'conf01,conf 02'")
    assert resume(SITE, "--limit", "conf01", limit=[]).endswith(f"{SITE} --limit conf01")


def test_what_is_no_playbook_run_has_no_command(monkeypatch):
    monkeypatch.setattr("ansible.context.CLIARGS", CLIArgs({}))
    with pytest.raises(AnsibleLookupError, match="not started with the name of a playbook"):
        LookupModule().run([], variables={})
    with pytest.raises(AnsibleLookupError, match="takes no terms"):
        LookupModule().run(["conf01"], variables={})
