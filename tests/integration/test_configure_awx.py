# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""configure_awx of the built artefact, with what it tells awx.awx judged by the modules' own argument specs.

No controller is asked or imitated: an action plugin takes the place of each module, and notes its arguments (awx/).
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
DOUBLES = Path(__file__).with_name("awx")
FOUND = importlib.util.find_spec("ansible_collections.awx") and importlib.util.find_spec("ansible_collections.awx.awx")
MODULES = {
    "organization": "organizations",
    "notification_template": "notification_templates",
    "execution_environment": "execution_environments",
    "credential_type": "credential_types",
    "credential": "credentials",
    "project": "projects",
    "inventory": "inventories",
    "inventory_source": "inventory_sources",
    "job_template": "job_templates",
    "workflow_job_template": "workflow_job_templates",
    "workflow_job_template_node": "workflow_job_template_nodes",
    "schedule": "schedules",
}
NEEDED = {
    "configure_awx_execution_environment": "registry.example.com/pexip-infinity-ee:latest",
    "configure_awx_inventory_url": "https://git.example.com/pexip/inventory.git",
}
SECRET = "Controller-Secret#1"
SURVEYS = {
    template["name"]: template.get("survey", [])
    for template in yaml.safe_load((ROOT / "extensions/awx/job_templates.yml").read_text())[
        "configure_awx_job_templates"
    ]
}
SLICED = {"onboard nodes", "start nodes", "stop nodes", "refresh static NAT"}
MARK = "Pexip Infinity on AWS, made by pexip.infinity.configure_awx."

pytestmark = pytest.mark.skipif(not FOUND, reason="this ansible package has no awx.awx")


@dataclass
class Told:
    """A run: exit code, output, and what the modules and look-ups were told, in order."""

    rc: int
    output: str
    calls: list[dict] = field(repr=False)

    def of(self, module: str) -> list[dict]:
        """The arguments of each call of a module."""
        return [call["args"] for call in self.calls if call.get("module") == module]

    def names(self, module: str) -> list[str]:
        """The names in these arguments."""
        return [args["name"] for args in self.of(module)]


@pytest.fixture(scope="module")
def collections(tmp_path_factory) -> Path:
    """Collections: ours as it is built and installed, and awx.awx with the doubles in front of its modules."""
    place = tmp_path_factory.mktemp("awx")
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    build = [galaxy, "collection", "build", "--output-path", place]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (archive,) = place.glob("pexip-infinity-*.tar.gz")
    install = [galaxy, "collection", "install", "--offline", "--no-deps", "--collections-path", place, archive]
    subprocess.run(install, check=True, capture_output=True)
    real = Path(next(iter(FOUND.submodule_search_locations)))
    double = place / "ansible_collections/awx/awx"
    for directory in ("plugins/action", "plugins/lookup"):
        (double / directory).mkdir(parents=True)
    for name in (
        "MANIFEST.json",
        "FILES.json",
        "meta",
        *(f"plugins/{n}" for n in ("modules", "module_utils", "doc_fragments")),
    ):
        (double / name).symlink_to(real / name)
    for module in MODULES:
        (double / f"plugins/action/{module}.py").symlink_to(DOUBLES / "action.py")
    (double / "plugins/lookup/controller_api.py").symlink_to(DOUBLES / "lookup.py")
    return place


@pytest.fixture
def configure(collections, tmp_path):
    """Runs the playbook with these variables on a controller that has these objects."""

    def run(
        *options: str,
        found: dict[str, list[dict]] | None = None,
        refuses: str = "",
        runner: bool = False,
        **variables,
    ) -> Told:
        given, there, calls = tmp_path / "awx.json", tmp_path / "found.json", tmp_path / "calls.jsonl"
        given.write_text(json.dumps(variables))
        there.write_text(json.dumps(found or {}))
        calls.write_text("")
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("CONTROLLER_", "TOWER_"))
        }
        environment |= {
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_HOME": str(tmp_path / "home"),
            "ANSIBLE_NOCOLOR": "1",
            "AWX_CALLS": str(calls),
            "AWX_FOUND": str(there),
            "AWX_REFUSES": refuses,
            "CONTROLLER_HOST": "https://controller.invalid",
        }
        command = [
            Path(sys.executable).with_name("ansible-playbook"),
            "pexip.infinity.configure_awx",
            "-e",
            f"@{given}",
            *options,
        ]
        if runner:  # as AWX runs it: the variables lie in the private data directory
            (tmp_path / "env").mkdir()
            (tmp_path / "env/extravars").write_text(json.dumps(variables))
            (tmp_path / "inventory").mkdir()
            command = [Path(sys.executable).with_name("ansible-runner"), "run", tmp_path]
            command += ["--playbook", "pexip.infinity.configure_awx"]
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        return Told(
            done.returncode, done.stdout + done.stderr, [json.loads(line) for line in calls.read_text().splitlines()]
        )

    return run


def test_every_object_passes_the_modules_own_specs_in_an_order_that_holds(configure):
    told = configure(**NEEDED)
    assert told.rc == 0, told.output
    modules = list(dict.fromkeys(call["module"] for call in told.calls))
    assert modules == [name for name in MODULES if name != "notification_template"]

    for args in told.of("job_template"):
        asked = {option for option in args if option.startswith("ask_") and args[option]}
        always = {f"ask_{what}_on_launch" for what in ("limit", "verbosity", "job_type", "diff_mode")}
        assert asked - {"ask_job_slice_count_on_launch"} == always
        survey = SURVEYS[args["name"]]
        assert args["survey_enabled"] is bool(survey)
        assert args.get("survey_spec", {}).get("spec", []) == survey
    assert {a["name"].split(": ")[1] for a in told.of("job_template") if a["ask_job_slice_count_on_launch"]} == SLICED
    assert all(args["update_project"] for args in told.of("project"))

    # Whatever an argument names has been made before, by its name and in its kind.
    made = {"credential_type": {"Amazon Web Services", "Machine"}}
    refers = {
        "organization": "organization",
        "lookup_organization": "organization",
        "credential_type": "credential_type",
        "credential": "credential",
        "credentials": "credential",
        "project": "project",
        "source_project": "project",
        "inventory": "inventory",
        "execution_environment": "execution_environment",
        "default_environment": "execution_environment",
        "unified_job_template": "job_template",
        "workflow_job_template": "workflow_job_template",
        "success_nodes": "workflow_job_template_node",
    }
    for call in told.calls:
        kind, args = call["module"], call["args"]
        for option, target in refers.items():
            for name in [args[option]] if isinstance(args.get(option), str) else args.get(option) or []:
                assert name in made.get(target, ()), f"{kind} {args.get('name')}: {option} {name} is not there yet"
        made.setdefault(kind, set()).add(args.get("name") or args["identifier"])
        assert args.get("state", "present") in ("present", "exists")

    # What people fill in is made once, and never written over.
    assert {kind for kind in MODULES if any(args.get("state") == "exists" for args in told.of(kind))} == {
        "organization",
        "credential",
    }


def test_the_readmes_example_runs_as_it_stands(configure):
    (example,) = re.findall(r"<!-- awx -->\n```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert "\nansible-playbook pexip.infinity.configure_awx -e @awx.yml\n" in (ROOT / "README.md").read_text()
    told = configure(**yaml.safe_load(example))
    assert told.rc == 0, told.output
    removed = configure("-e", "configure_awx_state=absent", **yaml.safe_load(example))
    assert removed.rc == 0, removed.output


def test_options_of_the_controller_reach_the_objects(configure):
    told = configure(
        **NEEDED,
        configure_awx_prefix="Lab ",
        configure_awx_instance_groups=["aws"],
        configure_awx_passwords="inventory",
        configure_awx_more_credentials=["Vault"],
        configure_awx_credential_inputs={
            "Pexip Infinity management API": {"host": "manager.example.com", "password": SECRET}
        },
        configure_awx_scm_credential="Git",
        configure_awx_registry_credential="Registry",
        configure_awx_management_node="manager",
        configure_awx_notification_type="slack",
        configure_awx_notification_configuration={"token": SECRET, "channels": ["#pexip"]},
        configure_awx_notification_templates=["On call"],
        configure_awx_schedules_enabled=False,
        configure_awx_timezone="Europe/London",
    )
    assert told.rc == 0, told.output
    named = [
        name
        for kind in MODULES
        if kind not in ("workflow_job_template_node", "inventory_source")
        for name in told.names(kind)
    ]
    assert len(named) > 25 and [name for name in named if not name.startswith("Lab ")] == []
    own = ["Lab Pexip Infinity management API", "Lab Pexip Infinity AWS", "Lab Pexip Infinity first login"]
    hooks = ["Lab Pexip Infinity", "On call"]
    for args in told.of("job_template"):
        installs = args["playbook"] in ("playbooks/site.yml", "playbooks/deploy_management.yml")
        assert args["credentials"] == [*(own if installs else own[:2]), "Vault"]
        assert args["instance_groups"] == ["aws"]
        assert args["notification_templates_error"] == hooks
    (workflow,) = told.of("workflow_job_template")
    assert workflow["notification_templates_approvals"] == hooks
    assert told.names("credential") == own
    assert told.of("credential")[0]["inputs"] == {"host": "manager.example.com", "password": SECRET}
    assert [args.get("credential") for args in told.of("project")] == [None, "Git"]
    assert told.of("execution_environment")[0]["credential"] == "Registry"
    assert [args.get("source_vars") for args in told.of("inventory_source")] == [
        None,
        {"PEXIP_MANAGEMENT_NODE": "manager"},
    ]
    for args in told.of("schedule"):
        assert args["enabled"] is False
        assert args["rrule"].startswith("DTSTART;TZID=Europe/London:")


def test_no_secret_is_shown(configure):
    told = configure(
        "-vvvv",
        **NEEDED,
        configure_awx_credential_inputs={"Pexip Infinity management API": {"password": SECRET}},
        configure_awx_notification_type="slack",
        configure_awx_notification_configuration={"token": SECRET, "channels": ["#pexip"]},
    )
    assert told.rc == 0, told.output
    assert SECRET not in told.output


def everything(prefix: str = "") -> dict[str, list[dict]]:
    """The objects that the controller has after a run, as the look-ups list them, and some of other people's."""
    told = {
        "organizations": [{"name": f"{prefix}Pexip Infinity", "description": MARK}],
        "execution_environments": [{"name": f"{prefix}Pexip Infinity"}],
        "notification_templates": [{"name": f"{prefix}Pexip Infinity", "description": MARK}],
        "credential_types": [{"name": f"{prefix}Pexip Infinity {n}"} for n in ("management API", "passwords")]
        + [{"name": "Other"}],
        "credentials": [
            {
                "name": f"{prefix}Pexip Infinity {n}",
                "credential_type": 7,
                "summary_fields": {"credential_type": {"name": f"{prefix}Pexip Infinity {n}"}},
            }
            for n in ("management API", "AWS", "passwords")
        ],
        "projects": [{"name": f"{prefix}Pexip Infinity {n}"} for n in ("playbooks", "inventory")],
        "inventories": [{"name": f"{prefix}Pexip Infinity{n}"} for n in ("", " live")],
        "job_templates": [{"name": f"{prefix}Pexip Infinity: site"}, {"name": f"{prefix}Pexip Infinity: stop nodes"}],
        "workflow_job_templates": [{"name": f"{prefix}Pexip Infinity: deploy to bursting"}],
    }
    return told


def test_it_runs_under_ansible_runner(configure):
    told = configure(**NEEDED, runner=True)
    assert told.rc == 0, told.output
    assert len(told.names("job_template")) == len(SURVEYS)


def test_what_is_refused_of_a_notification_template_is_said_without_its_secrets(configure):
    hook = {"configure_awx_notification_type": "slack", "configure_awx_notification_configuration": {"token": SECRET}}
    told = configure(**NEEDED, **hook, refuses="notification_template")
    assert told.rc != 0 and "refused by the test" in told.output and SECRET not in told.output


@pytest.mark.parametrize("prefix", ["", "Lab "])
def test_all_is_removed_backwards(configure, prefix):
    there = {kind: [*everything(prefix)[kind], *everything("Other ")[kind]] for kind in everything()}
    for kind in ("organizations", "execution_environments", "notification_templates"):
        there[kind] = everything(prefix)[kind]
    told = configure(configure_awx_state="absent", configure_awx_prefix=prefix, found=there)
    assert told.rc == 0, told.output
    removed = list(dict.fromkeys(call["module"] for call in told.calls if "module" in call))
    kept = ("inventory_source", "workflow_job_template_node", "schedule")  # they go with what they belong to
    order = ["workflow_job_template", "job_template", "inventory", "project", "credential", "credential_type"]
    order += ["execution_environment", "notification_template"]
    assert [name for name in removed if name != "organization"] == order and not set(removed) & set(kept)
    assert {call["args"]["state"] for call in told.calls if "module" in call} == {"absent"}
    for kind, module in ((kind, module) for module, kind in MODULES.items() if module in order):
        assert told.names(module) == [item["name"] for item in everything(prefix)[kind] if item["name"] != "Other"]


def test_a_removal_in_check_mode_takes_its_own_objects_for_removed(configure):
    told = configure("--check", configure_awx_state="absent", found=everything())
    assert told.rc == 0, told.output
    assert "is not of this playbook's making" not in told.output and "are of them" not in told.output
    assert told.names("organization") == ["Pexip Infinity"]


def test_a_credential_type_that_others_use_stays(configure):
    there = everything()
    used = {"credential_type": {"name": "Pexip Infinity passwords"}}
    there["credentials"].append({"name": "Somebody's", "credential_type": 7, "summary_fields": used})
    told = configure(configure_awx_state="absent", found=there)
    assert told.rc == 0, told.output
    assert told.names("credential_type") == ["Pexip Infinity management API"]
    assert "The credential types Pexip Infinity passwords stay" in " ".join(told.output.split())
    assert told.names("execution_environment") == ["Pexip Infinity"] and told.names("organization") == []


def test_an_inventory_that_is_being_deleted_is_left_to_the_controller(configure):
    there = everything()
    there["inventories"][0]["pending_deletion"] = True
    told = configure("--check", configure_awx_state="absent", found=there)
    assert told.rc == 0, told.output
    assert told.names("inventory") == ["Pexip Infinity live"]


def test_an_organization_of_ours_goes_when_it_is_empty(configure):
    told = configure(
        configure_awx_state="absent",
        found={"organizations": everything()["organizations"], "inventories": everything()["inventories"]},
    )
    assert told.rc == 0, told.output
    assert told.of("organization") == [{"name": "Pexip Infinity", "state": "absent"}]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"organizations": [{"name": "Pexip Infinity", "description": "Ours since 2019"}]}, None),
        ({**everything(), "teams": [{"name": "Operators"}]}, "stays: it holds"),
        ({}, None),
    ],
)
def test_what_is_of_other_people_stays(configure, found, said):
    told = configure(configure_awx_state="absent", found=found)
    assert told.rc == 0, told.output
    assert told.of("organization") == []
    assert said is None or (said in told.output and "Operators" in told.output)


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        (
            {},
            [
                "configure_awx_execution_environment is empty",
                "configure_awx_inventory_url is empty",
                "Nothing was changed",
            ],
        ),
        (
            {**NEEDED, "configure_awx_prefx": "Lab "},
            ["configure_awx_prefx", "no such variable", "configure_awx_prefix"],
        ),
        ({**NEEDED, "configure_awx_state": "gone"}, ["configure_awx_state", "present, absent", "gone"]),
        (
            {**NEEDED, "configure_awx_notification_type": "Slack"},
            ["configure_awx_notification_type", "mattermost", "Slack"],
        ),
        ({**NEEDED, "configure_awx_passwords": "vault"}, ["configure_awx_passwords", "credential, inventory", "vault"]),
        ({**NEEDED, "configure_awx_prefix": "a,b"}, ["configure_awx_prefix a,b"]),
        (
            {**NEEDED, "configure_awx_credential_inputs": {"Pexip": {"password": SECRET}}},
            ["no credential Pexip;", "Pexip Infinity AWS"],
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(configure, variables, says):
    told = configure(**variables)
    assert told.rc != 0
    assert told.calls == []
    assert [text for text in says if text not in " ".join(told.output.split())] == []
    assert SECRET not in told.output
