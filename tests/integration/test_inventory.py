# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin, by the commands that people and AWX use, on a platform that bursts; and the README's own file and commands.

London (conf01) and Oslo (conf02) overflow to AWS burst (burst01, burst02, stopped).
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pexip.infinity.tests.integration import playing

README = Path(__file__).parents[2] / "README.md"
EXAMPLE = re.compile(r"<!-- inventory plugin -->\n```yaml\n(.*?)```\n\n```bash\n(.*?)```", re.DOTALL)
CONFIGURATION = "/api/admin/configuration/v1/"
READ = {"GET worker_vm": 1, "GET status/worker_vm": 1, "GET status/cloud_node": 1}
WRONG = "wrong-Secret#9"


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A platform that bursts."""
    with lab_factory(seed="bursting") as lab:
        yield lab


def asked(lab) -> dict[str, int]:
    """The requests since the last reset, without the platform's own to AWS."""
    return {name: count for name, count in lab.requests().items() if not name.startswith("bursting ")}


@dataclass
class Done:
    """What a command did."""

    rc: int
    output: str
    errors: str

    @property
    def listed(self) -> dict[str, Any]:
        """What ``--list`` printed."""
        assert self.rc == 0, self.errors
        # Ansible's own mark of a text that is no template.
        return json.loads(self.output, object_hook=lambda found: found.get("__ansible_unsafe", found))

    def hosts(self, group: str) -> list[str]:
        """The hosts of a group itself."""
        return sorted(self.listed.get(group, {}).get("hosts", []))

    def variables(self, host: str) -> dict[str, Any]:
        return self.listed["_meta"]["hostvars"][host]


@pytest.fixture
def run(lab, tmp_path) -> Callable[..., Done]:
    """Runs a command beside a file pexip_nodes.yml; ``environment`` is on top of the lab's, None takes one away."""

    def runner(command: str, file: dict[str, Any] | str | None = None, **environment: str | None) -> Done:
        if file is not None:
            text = file if isinstance(file, str) else yaml.safe_dump({"plugin": "pexip.infinity.pexip_nodes", **file})
            (tmp_path / "pexip_nodes.yml").write_text(text)
        given = {**playing._environment(), **lab.env, **environment}
        words = shlex.split(command, comments=True)
        words[0] = str(Path(sys.executable).with_name(words[0]))
        env = {name: value for name, value in given.items() if value is not None}
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300, check=False)
        return Done(done.returncode, done.stdout, done.stderr)

    return runner


LIST = "ansible-inventory -i pexip_nodes.yml --list"


def test_nodes_are_hosts_in_three_requests(lab, run):
    lab.requests(reset=True)
    done = run(LIST, {"management_node": "manager"})
    assert asked(lab) == READ
    assert done.hosts("pexip_always_on") == ["conf01", "conf02"]
    assert done.hosts("pexip_overflow") == ["burst01", "burst02"]
    assert done.hosts("pexip_management") == ["manager"]
    assert sorted(done.listed["pexip_nodes"]["children"]) == ["pexip_always_on", "pexip_overflow"]
    seen = done.variables("conf02")
    names = ("location", "node_type", "kind", "maintenance_mode", "in_contact", "sync_status")
    assert [seen[f"pexip_{name}"] for name in names] == ["Oslo", "CONFERENCING", "always_on", False, True, "SYNCED"]
    assert seen["ansible_host"] == seen["pexip_address"] and seen["pexip_node_version"].startswith("11.0.0")
    asleep = done.variables("burst01")
    assert [asleep[f"pexip_{name}"] for name in ("location", "kind", "in_contact")] == ["AWS burst", "overflow", False]
    assert lab.env["PEXIP_PASSWORD"] not in done.output and "snmp_community" not in done.output


def test_nodes_are_joined_with_ec2(lab, run):
    lab.requests(reset=True)
    keyed = [{"key": "pexip_instance_state", "prefix": "instance"}]
    done = run(LIST, {"management_node": "manager", "ec2": True, "keyed_groups": keyed, "strict": True})
    assert asked(lab) == {**READ, "aws DescribeInstances": 1}
    assert done.hosts("instance_stopped") == ["burst01", "burst02"]
    [reservation] = lab.ec2().describe_instances(Filters=[{"Name": "tag:Name", "Values": ["conf01"]}])["Reservations"]
    [instance] = reservation["Instances"]
    seen = done.variables("conf01")
    assert (seen["pexip_instance_id"], seen["pexip_instance_type"]) == (
        instance["InstanceId"],
        instance["InstanceType"],
    )
    assert (seen["pexip_subnet_id"], seen["pexip_public_ip"]) == (instance["SubnetId"], None)
    assert done.errors == ""


def test_filters_are_the_platforms(lab, run):
    lab.requests(reset=True)
    filters = {"filters": {"system_location__name": "London"}, "status_filters": {"sync_status": "SYNCED"}}
    done = run(LIST, filters)
    assert (list(done.listed["_meta"]["hostvars"]), asked(lab)) == (["conf01"], READ)
    many = run(LIST, {"filters": {"name__in": ["conf01", "burst02"], "maintenance_mode": False}})
    assert sorted(many.listed["_meta"]["hostvars"]) == ["burst02", "conf01"]
    place = run(LIST, {"status_filters": {"system_location": "AWS burst"}})
    assert sorted(place.listed["_meta"]["hostvars"]) == ["burst01", "burst02"]
    typo = run(LIST, {"filters": {"location": "London"}}, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1")
    assert typo.rc != 0
    assert "filters: 'location' is not a field of worker_vm. Existing: 'system_location'" in " ".join(
        typo.errors.split()
    )


def test_a_second_run_asks_nobody_and_flushing_asks_again(lab, run, tmp_path):
    kept = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(tmp_path / "cache")}
    first = run(LIST, {"management_node": "manager", "ec2": True, **kept})
    lab.requests(reset=True)
    second = run(LIST, PEXIP_PASSWORD=None)
    assert (asked(lab), second.listed) == ({}, first.listed)
    plays = [
        {"hosts": "conf01", "gather_facts": False, "tasks": [{"ansible.builtin.debug": {"var": "pexip_location"}}]}
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(plays))
    done = run("ansible-playbook -i pexip_nodes.yml play.yml --flush-cache")
    assert done.rc == 0 and '"pexip_location": "London"' in done.output
    assert asked(lab) == {**READ, "aws DescribeInstances": 1}
    lab.requests(reset=True)
    assert (run(LIST).hosts("pexip_always_on"), asked(lab)) == (["conf01", "conf02"], {})
    everything = "".join(file.read_text() for file in (tmp_path / "cache").iterdir())
    assert lab.env["PEXIP_PASSWORD"] not in everything and lab.env["AWS_SECRET_ACCESS_KEY"] not in everything


def test_awx_feeds_it_from_the_environment_alone(lab, run):
    awx = {
        "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
        "ANSIBLE_INVENTORY_EXPORT": "True",
        "PEXIP_MANAGEMENT_NODE": "manager",
        "PEXIP_EC2": "true",
        "PEXIP_VALIDATE_CERTS": "true",
        "PEXIP_TIMEOUT": "20",
    }
    done = run(f"{LIST} --export", {}, **awx)
    assert done.hosts("pexip_management") == ["manager"]
    seen = done.variables("conf01")
    assert seen["pexip_timeout"] == 20 and seen["pexip_instance_state"] == "running"
    assert seen["pexip_tls_fingerprint"] == lab.env["PEXIP_TLS_FINGERPRINT"]


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"PEXIP_PASSWORD": WRONG}, "refuses user 'admin' (401)"),
        ({"PEXIP_PASSWORD": None}, "password is required: the web administration password of the Management Node"),
        ({"PEXIP_HOST": None}, "host is required: the address of the Management Node (or PEXIP_HOST)"),
        ({"PEXIP_TLS_FINGERPRINT": "0" * 64}, "is not the pinned one"),
        ({"AWS_SECRET_ACCESS_KEY": WRONG}, "ec2: failed to describe the instances of"),
    ],
)
def test_an_error_names_the_remedy_and_no_secret(lab, run, environment, words):
    file = {"management_node": "manager", "ec2": "AWS_SECRET_ACCESS_KEY" in environment}
    done = run(f"{LIST} -vvvv", file, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1", **environment)
    said = " ".join((done.output + done.errors).split())
    assert done.rc != 0 and words in said
    for secret in (WRONG, lab.env["PEXIP_PASSWORD"], lab.env["AWS_SECRET_ACCESS_KEY"]):
        assert secret not in said


def test_what_the_platform_says_is_no_template(lab, run, tmp_path):
    [node] = lab.api(f"{CONFIGURATION}worker_vm/?name=conf02")["objects"]
    evil = "{{ lookup('ansible.builtin.pipe', 'touch evaluated') }}"
    lab.api(node["resource_uri"], "PATCH", {"description": evil})
    try:
        task = {"ansible.builtin.debug": {"msg": "{{ pexip_configuration.description }} {{ copy }}"}}
        (tmp_path / "play.yml").write_text(
            yaml.safe_dump([{"hosts": "conf02", "gather_facts": False, "tasks": [task]}])
        )
        done = run(
            "ansible-playbook -i pexip_nodes.yml play.yml", {"compose": {"copy": "pexip_configuration.description"}}
        )
        assert done.rc == 0 and done.output.count("touch evaluated") == 2
        assert not (tmp_path / "evaluated").exists()
    finally:
        lab.api(node["resource_uri"], "PATCH", {"description": ""})


def test_the_readmes_file_and_commands_run_as_they_stand(lab, run):
    text = README.read_text()
    [(file, commands)] = EXAMPLE.findall(text)
    lines = [line for line in commands.splitlines() if line and not line.startswith("#")]
    assert [line.split()[0] for line in lines] == ["ansible-inventory", "ansible-inventory", "ansible-playbook"]
    lab.requests(reset=True)
    graph, listed, stopped = (run(line, file) for line in lines)
    for group in ("pexip_always_on", "pexip_overflow", "location_AWS_burst"):
        assert f"@{group}:" in graph.output
    assert (graph.errors, sorted(listed.listed["_meta"]["hostvars"])) == (
        "",
        ["burst01", "burst02", "conf01", "conf02", "manager"],
    )
    assert listed.variables("conf02")["pexip_instance_state"] == "running"
    assert stopped.rc == 0, stopped.output + stopped.errors
    assert "take the tag pexip-cloud away" in stopped.output and lab.writes() == 0


def test_the_playbooks_stop_a_node_and_start_it_again(lab, run):
    file = {
        "management_node": "manager",
        "ec2": True,
        "keyed_groups": [{"key": "pexip_instance_state", "prefix": "is"}],
    }
    stop = "ansible-playbook -i pexip_nodes.yml pexip.infinity.stop_nodes --limit burst01"
    done = run(stop, file)
    assert done.rc == 0, done.output
    # Its tag is gone with its service, and an overflow node it is still.
    seen = run(LIST)
    assert "pexip-cloud" not in seen.variables("burst01")["pexip_instance_tags"]
    assert seen.hosts("pexip_overflow") == ["burst01", "burst02"]
    assert seen.variables("burst01")["pexip_maintenance_mode"] is True
    done = run(stop.replace("stop_nodes", "start_nodes"))
    assert done.rc == 0, done.output
    assert run(LIST).variables("burst01")["pexip_instance_tags"]["pexip-cloud"] == "manager"
