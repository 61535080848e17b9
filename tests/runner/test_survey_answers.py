# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks with the answers of their surveys, and with the passwords, as AWX gives them: in extra variables."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import yaml
from ansible_collections.pexip.infinity.tests.runner import jobs


def data(name: str) -> list[dict]:
    """The list in a file of extensions/awx."""
    return yaml.safe_load((jobs.ROOT / "extensions/awx" / f"{name}.yml").read_text())[f"configure_awx_{name}"]


TEMPLATES = {template["name"]: template for template in data("job_templates")}
# The floors are the site's policy, which no survey asks; the lab's locations have one always-on node each.
POLICY = {"node_maintenance_floor_nodes": 0, "node_removal_floor_nodes": 0}


def answers(template: dict, given: dict | None = None) -> dict:
    """The answers of a survey: those given, and the defaults."""
    return {question["variable"]: question["default"] for question in template.get("survey", [])} | (given or {})


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A platform that bursts."""
    with lab_factory(seed="bursting") as lab:
        yield lab


@pytest.fixture
def launch(lab, job, tmp_path):
    """Launches a job template. The inventory has no passwords: the credential has them."""
    inventory = copy.deepcopy(lab.inventory)
    inventory["all"]["vars"] |= POLICY
    names = ("pexip_admin_password", "pexip_node_password")
    for name in names:
        del inventory["all"]["vars"][name]
    passwords = {name: lab.env[name.upper()] for name in names}

    def run(template: dict, given: dict, words: str = "") -> jobs.Job:
        playbook = Path(template["playbook"]).stem
        return job(lab, playbook, jobs.listed(inventory, tmp_path), words, extra={**passwords, **given}, project=True)

    return run


@pytest.mark.parametrize(
    "name", sorted(name for name in TEMPLATES if not name.endswith((": start overflow nodes", ": remove nodes")))
)
def test_a_survey_that_nobody_touches_is_taken(launch, name):
    launch(TEMPLATES[name], answers(TEMPLATES[name]), "--check").succeeded()


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        (name, question["variable"])
        for name, template in TEMPLATES.items()
        for question in template.get("survey", [])
        if question.get("choices") == ["true", "false"]
        and not name.endswith((": start overflow nodes", ": remove nodes"))
    ],
)
def test_a_true_that_is_a_text_is_taken(launch, name, variable):
    launch(TEMPLATES[name], answers(TEMPLATES[name], {variable: "true"}), "--check").succeeded()


def test_a_removal_without_limit_is_refused_unless_it_is_meant(launch):
    template = TEMPLATES["Pexip Infinity: remove nodes"]
    refused = launch(template, answers(template), "--check").failed()
    assert "Without --limit this would remove all of" in refused.output
    launch(template, answers(template), "--check --limit conf01").succeeded()
    launch(template, answers(template, {"remove_nodes_all": "true"}), "--check").succeeded()


def test_the_schedules_start_what_they_say(launch):
    for schedule in data("schedules"):
        if schedule.get("job_type") == "check":
            continue  # the test above has run it
        template = TEMPLATES[schedule["job_template"]]
        done = launch(template, answers(template, schedule["extra_data"]))
        if schedule["extra_data"].get("bursting_report_fail_on") == "warning" and done.status == "failed":
            # It may find something to warn of, and then fails as it should.
            assert "WARNING " in done.output and "bursting_report_fail_on" in done.output, done.output[-8000:]
        else:
            done.succeeded()
