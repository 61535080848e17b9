# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every playbook of the built collection, run by ansible-runner here and on another machine.

The tests share one lab and go on from one another, in the order in which they stand: from an empty account to conf01, conf02
and conf03 in London, which overflows to burst01. The key for the first login is in the agent that ansible-runner starts.
"""

from __future__ import annotations

import copy
import json
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.pexip.infinity.tests.resilience.leaks import Search
from ansible_collections.pexip.infinity.tests.runner import jobs
from pexip_lab.testing import until

CONFIGURATION = "/api/admin/configuration/v1"
BURST = "AWS burst"
# Nothing is left for these to do after site.
AT_REST = (
    "deploy_management",
    "onboard_nodes",
    "enable_bursting",
    "convert_nodes",
    "refresh_static_nat",
    "start_nodes",
    "bursting_status",
    "check_bursting",
)
# What has a test of its own.
OTHERS = ("site", "stop_nodes", "restart_nodes", "start_overflow_nodes", "remove_nodes")
WITH_A_CONTROLLER = ("configure_awx",)
ELSEWHERE = pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "elsewhere"])


@pytest.fixture(scope="module")
def lab(lab_factory):
    """An empty account."""
    with lab_factory() as lab:
        yield lab


@pytest.fixture(scope="module")
def inventory(lab) -> dict:
    """Three always-on nodes and one for bursting; no secret is in it, and no key file."""
    result = copy.deepcopy(lab.inventory)
    variables, kinds = result["all"]["vars"], result["all"]["children"]["pexip_nodes"]["children"]
    del variables["pexip_private_key_file"]
    variables["pexip_locations"] = [{"name": "London"}, {"name": BURST}]
    variables |= {"pexip_overflow": {"London": BURST}, "pexip_bursting_threshold": 5}
    subnet = {"pexip_subnet_id": lab.env["LAB_SUBNET_A"]}
    kinds["pexip_always_on"]["hosts"] = {
        name: {"pexip_location": "London", **subnet} for name in ("conf01", "conf02", "conf03")
    }
    kinds["pexip_overflow"]["hosts"] = {"burst01": {"pexip_location": BURST, **subnet}}
    return result


@pytest.fixture
def play(lab, job, inventory, tmp_path):
    """Runs a playbook here or elsewhere, by its name or as a project's file."""

    def run(playbook: str, words: str = "", changed: dict | None = None, **how) -> jobs.Job:
        return job(lab, playbook, jobs.listed(changed or inventory, tmp_path), words, **how)

    return run


def names(lab) -> list[str]:
    """The registered nodes."""
    return sorted(node["name"] for node in lab.api(f"{CONFIGURATION}/worker_vm/")["objects"])


def instances(lab) -> dict[str, str]:
    """The state of each node's instance."""
    found = [row for group in lab.ec2().describe_instances()["Reservations"] for row in group["Instances"]]
    tagged = [({tag["Key"]: tag["Value"] for tag in row.get("Tags", [])}, row["State"]["Name"]) for row in found]
    return {tags["pexip-infinity-node"]: state for tags, state in tagged if "pexip-infinity-node" in tags}


def test_every_playbook_is_run_here():
    assert sorted(
        path.stem for path in (jobs.ROOT / "playbooks").glob("*.yml") if path.stem not in WITH_A_CONTROLLER
    ) == (sorted(AT_REST + OTHERS))


def test_site_builds_everything_from_nothing(lab, play):
    play("site", key=Path(lab.env["LAB_KEY_FILE"]).read_text()).succeeded()
    assert names(lab) == ["burst01", "conf01", "conf02", "conf03"]
    assert lab.api(f"{CONFIGURATION}/global/1/")["bursting_enabled"] is True


def test_site_changes_nothing_elsewhere(play):
    play("site", elsewhere=True).unchanged()


@ELSEWHERE
@pytest.mark.parametrize("playbook", AT_REST)
def test_it_changes_nothing(play, playbook, elsewhere):
    play(playbook, elsewhere=elsewhere).unchanged()


@pytest.mark.parametrize("playbook", ["site", "check_bursting", "refresh_static_nat"])
def test_it_changes_nothing_as_a_file_of_a_project(play, playbook):
    play(playbook, project=True).unchanged()


def test_the_commands_of_the_readme(lab, job, inventory, tmp_path):
    (commands,) = re.findall(r"<!-- runner -->\n```bash\n(.*?)```", (jobs.ROOT / "README.md").read_text(), re.DOTALL)
    (tmp_path / "inventory.yml").write_text(json.dumps(inventory))
    environment = {**job.environment, **lab.env}
    subprocess.run(["bash", "-euo", "pipefail", "-c", commands], cwd=tmp_path, env=environment, check=True)
    (here,) = tmp_path.glob("job/artifacts/*/status")
    elsewhere = tmp_path / "results/artifacts/status"  # without an --ident
    assert [path.read_text() for path in (here, elsewhere)] == ["successful"] * 2


@ELSEWHERE
def test_nodes_are_stopped_and_started(lab, play, elsewhere):
    play("stop_nodes", "--limit conf02", elsewhere=elsewhere).succeeded()
    assert instances(lab)["conf02"] == "stopped"
    play("start_nodes", "--limit conf02", elsewhere=elsewhere).succeeded()
    assert instances(lab)["conf02"] == "running"


@ELSEWHERE
def test_a_node_is_restarted(play, elsewhere):
    assert play("restart_nodes", "--limit conf03", elsewhere=elsewhere).succeeded().changed.keys() == {"conf03"}


@ELSEWHERE
def test_overflow_nodes_are_started(lab, play, elsewhere):
    play("start_overflow_nodes", "-e cloud_bursting_start_all=true", elsewhere=elsewhere).succeeded()
    until(lambda: instances(lab)["burst01"] == "running", "burst01 to run")


@ELSEWHERE
def test_nodes_are_converted(lab, play, inventory, elsewhere):
    changed = copy.deepcopy(inventory)
    kinds = changed["all"]["children"]["pexip_nodes"]["children"]
    name = "conf02" if elsewhere else "conf03"
    kinds["pexip_overflow"]["hosts"][name] = {
        **kinds["pexip_always_on"]["hosts"].pop(name),
        "pexip_location": BURST,
    }
    play("convert_nodes", f"--limit {name}", changed, elsewhere=elsewhere).succeeded()
    (node,) = lab.api(f"{CONFIGURATION}/worker_vm/?name={name}")["objects"]
    assert node["enable_distributed_database"] is False


@ELSEWHERE
def test_nodes_are_removed(lab, play, elsewhere):
    name = "conf02" if elsewhere else "conf03"
    play("remove_nodes", f"--limit {name}", elsewhere=elsewhere).succeeded()
    assert name not in names(lab)


def test_no_artifact_holds_a_secret(lab, job):
    """Events and output are kept by AWX. The environment that ansible-runner keeps itself, beside them, is its own."""
    secrets = {name: value for name, value in lab.env.items() if name.endswith(("PASSWORD", "SECRET_ACCESS_KEY"))}
    assert len(secrets) == 4
    search = Search({**secrets, "the private key": Path(lab.env["LAB_KEY_FILE"]).read_text()})
    looked_at = [started.artifacts / part for started in job.started for part in ("job_events", "fact_cache")]
    found = [line for directory in looked_at for line in search.files(directory)]
    found += [line for one in job.started for line in search.text(one.output.encode(), f"{one.private_data}: output")]
    assert found == []
