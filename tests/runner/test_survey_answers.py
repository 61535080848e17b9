# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks with the answers of their surveys, as texts and numbers in extra variables, which is how AWX gives them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def data(name: str) -> list[dict]:
    """The list in a file of extensions/awx."""
    return yaml.safe_load((ROOT / "extensions/awx" / f"{name}.yml").read_text())[f"configure_awx_{name}"]


TEMPLATES = {template["name"]: template for template in data("job_templates")}


def answers(template: dict, given: dict | None = None) -> dict:
    """The answers of a survey: those given, and the defaults."""
    return {question["variable"]: question["default"] for question in template.get("survey", [])} | (given or {})


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A platform that bursts."""
    with lab_factory(seed="bursting") as lab:
        yield lab


@pytest.mark.parametrize(
    "name", sorted(name for name in TEMPLATES if not name.endswith((": start overflow nodes", ": remove nodes")))
)
def test_a_survey_that_nobody_touches_is_taken(lab, play, name):
    template = TEMPLATES[name]
    # The floors are the site's policy, which no survey asks; the lab's locations have one always-on node each.
    policy = {"node_maintenance_floor_nodes": 0}
    run = play(lab, Path(template["playbook"]).stem, check=True, extra_vars=answers(template) | policy)
    run.succeeded()


def test_a_removal_without_limit_is_refused(lab, play):
    template = TEMPLATES["Pexip Infinity: remove nodes"]
    run = play(lab, "remove_nodes", check=True, extra_vars=answers(template))
    assert "Without --limit this would remove all of" in run.failed().output
    play(lab, "remove_nodes", "--limit", "conf01", check=True, extra_vars=answers(template))


def test_the_schedules_start_what_they_say(lab, play):
    for schedule in data("schedules"):
        if schedule.get("job_type") == "check":
            continue  # the test above has run it
        template = TEMPLATES[schedule["job_template"]]
        playbook = Path(template["playbook"]).stem
        run = play(lab, playbook, extra_vars=answers(template, schedule["extra_data"]))
        if playbook == "check_bursting":  # it may find something to warn of, and then fails as it should
            assert run.rc == 0 or "warning" in run.output.lower()
        else:
            run.succeeded()
