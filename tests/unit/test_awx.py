# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""extensions/awx as data: surveys against the playbooks' variables, credentials against what is read, references, schedules.

What is told to awx.awx is judged in tests/integration/test_configure_awx.py. No test here has a controller.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.pexip.infinity.plugins.doc_fragments import connection
from ansible_collections.pexip.infinity.plugins.module_utils.module import CONNECTION_OPTIONS
from dateutil.rrule import rrulestr
from jinja2 import StrictUndefined, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

ROOT = Path(__file__).parents[2]
AWX = ROOT / "extensions/awx"
QUESTION_TYPES = {"text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect"}
BOOL = ["true", "false"]


class Loader(yaml.SafeLoader):
    """YAML with Ansible's tag for templates that are not its own."""


Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def load(name: str) -> Any:
    """The list, or dictionary, in a data file."""
    (content,) = yaml.load((AWX / f"{name}.yml").read_text(), Loader).values()
    return content


TEMPLATES = {template["name"]: template for template in load("job_templates")}
BY_PLAYBOOK = {Path(template["playbook"]).stem: template for template in TEMPLATES.values()}
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml") if path.stem != "configure_awx")
CREDENTIAL_TYPES = {kind["name"]: kind for kind in load("credential_types")}
WORKFLOWS = load("workflow_job_templates")
SCHEDULES = load("schedules")


# --- what a playbook can be told -----------------------------------------------------------------------------------------


@dataclass
class Variable:
    """A variable of a playbook. ``policy`` says that its default is the inventory's."""

    name: str
    type: str
    default: Any = None
    choices: list = field(default_factory=list)
    required: bool = False
    secret: bool = False
    policy: bool = False


def tasks(node: Any) -> list[dict]:
    """Every dictionary in a playbook."""
    if isinstance(node, list):
        return [found for item in node for found in tasks(item)]
    if isinstance(node, dict):
        return [node, *(found for item in node.values() for found in tasks(item))]
    return []


def used_roles(playbook: str) -> set[tuple[str, str]]:
    """Roles and entry points of a playbook and of those that it imports; ``*`` where a template says which."""
    used: set[tuple[str, str]] = set()
    for task in tasks(yaml.safe_load((ROOT / "playbooks" / f"{playbook}.yml").read_text())):
        for key, value in task.items():
            if key.endswith("import_playbook"):
                used |= used_roles(Path(value).stem)
            elif key.split(".")[-1] in ("import_role", "include_role"):
                entry = value.get("tasks_from", "main")
                names = [value["name"].split(".")[-1]] if "{{" not in value["name"] else task["loop"]
                used |= {(name, "*" if "{{" in entry else entry) for name in names}
    return used


def literal(text: str) -> Any:
    """What a default in a template stands for."""
    return yaml.safe_load(text) if text else None


def variables(playbook: str) -> dict[str, Variable]:
    """By name, what the playbook's roles specify, and what the playbook itself has a default for."""
    found: dict[str, Variable] = {}
    for role, entry in sorted(used_roles(playbook)):
        specs = yaml.safe_load((ROOT / f"roles/{role}/meta/argument_specs.yml").read_text())["argument_specs"]
        defaults = yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())
        for option in specs.values() if entry == "*" or entry not in specs else [specs[entry]]:
            for name, spec in (option.get("options") or {}).items():
                value = defaults.get(name)
                found[name] = Variable(
                    name,
                    spec["type"],
                    spec.get("default"),
                    spec.get("choices", []),
                    spec.get("required", False) and value is None,
                    spec.get("no_log", False),
                    isinstance(value, str) and "{{" in value,
                )
    names = [playbook, *(path for path in imported(playbook))]
    for text in ((ROOT / "playbooks" / f"{name}.yml").read_text() for name in names):
        for name, default in re.findall(r"\b([a-z]\w+) \| default\(('[^']*'|\d+|true|false)\)", text):
            if name not in found:
                value = literal(default)
                kind = "bool" if isinstance(value, bool) else "str"  # pexip_serial: a number or a percentage
                found[name] = Variable(name, kind, value)
    return found


def imported(playbook: str) -> list[str]:
    """The playbooks that a playbook imports, however deep."""
    content = yaml.safe_load((ROOT / "playbooks" / f"{playbook}.yml").read_text())
    direct = [Path(v).stem for task in tasks(content) for k, v in task.items() if k.endswith("import_playbook")]
    return direct + [name for child in direct for name in imported(child)]


def test_the_reading_of_playbooks_finds_what_is_known():
    """The laws below are worth what this finds."""
    assert ("node_maintenance", "start") in used_roles("restart_nodes")
    assert {"conferencing_node", "management_node", "cloud_bursting"} <= {role for role, _entry in used_roles("site")}
    stop = variables("stop_nodes")
    assert stop["node_maintenance_on_timeout"].choices == ["fail", "restore", "force"]
    assert stop["node_maintenance_poll_interval"].policy and not stop["node_maintenance_floor_nodes"].policy
    assert stop["pexip_serial"].default == "100%" and variables("restart_nodes")["pexip_serial"].default == 1
    assert variables("remove_nodes")["remove_nodes_all"].type == "bool"
    assert variables("onboard_nodes")["conferencing_node_password"].secret
    assert "cloud_bursting_state" not in variables("start_overflow_nodes")


# --- job templates and surveys -------------------------------------------------------------------------------------------


def test_each_playbook_has_one_job_template():
    assert sorted(Path(template["playbook"]).stem for template in TEMPLATES.values()) == PLAYBOOKS
    assert len(TEMPLATES) == len(load("job_templates"))
    assert [name for name, template in TEMPLATES.items() if not template.get("survey")] == []


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_controller_takes_the_file_for_a_playbook(playbook):
    """AWX lists a file only when a line of it matches this (awx/main/utils/ansible.py)."""
    lines = (ROOT / BY_PLAYBOOK[playbook]["playbook"]).read_text().splitlines()
    assert any(re.match(r"^\s*?-?\s*?(?:hosts|include|import_playbook):\s*?.*?$", line) for line in lines)


QUESTIONS = [
    pytest.param(playbook, question, id=f"{playbook}-{question['variable']}")
    for playbook in PLAYBOOKS
    for question in BY_PLAYBOOK[playbook].get("survey", [])
]


def as_asked(variable: Variable) -> tuple[set[str], list[str], Any]:
    """Types, choices and default of a question about a variable."""
    if variable.secret:
        return {"password"}, [], variable.default
    if variable.choices:
        return {"multiplechoice"}, variable.choices, variable.default
    if variable.type == "bool":
        return {"multiplechoice"}, BOOL, str(variable.default).lower()
    if variable.type in ("int", "float"):
        return {"integer" if variable.type == "int" else "float"}, [], variable.default
    if variable.type == "list":  # Ansible splits a text at its commas
        return {"text", "textarea"}, [], ",".join(variable.default or [])
    return {"text", "textarea"}, [], str(variable.default)


@pytest.mark.parametrize(("playbook", "question"), QUESTIONS)
def test_a_question_is_a_variable_of_its_playbook(playbook, question):
    known = variables(playbook)
    assert question["variable"] in known, "nothing reads this answer"
    variable = known[question["variable"]]
    types, choices, default = as_asked(variable)
    assert question["type"] in types & QUESTION_TYPES
    assert question.get("choices", []) == choices
    assert question["default"] == default and isinstance(question["default"], type(default))
    # An answer, a default too, overrides the inventory: what is set there must not be asked.
    assert not variable.policy, "its default is the inventory's"
    assert "_floor" not in variable.name


@pytest.mark.parametrize(("playbook", "question"), QUESTIONS)
def test_a_question_is_well_formed(playbook, question):
    """What the controller checks when a survey is saved, and what makes a launch without an answer fail in the playbook."""
    known = {
        "question_name",
        "question_description",
        "variable",
        "type",
        "required",
        "default",
        "choices",
        "min",
        "max",
    }
    assert set(question) <= known
    assert {"question_name", "question_description", "variable", "type", "required"} <= set(question)
    assert isinstance(question["required"], bool) and all(isinstance(question.get(k, 0), int) for k in ("min", "max"))
    if question["type"] == "integer":
        # An empty field is no integer: each has bounds and a default that lies in them.
        assert question["min"] <= question["default"] <= question["max"]
    elif question["type"] == "multiplechoice":
        assert question["default"] in question["choices"] and all(isinstance(c, str) for c in question["choices"])
    elif not question["required"]:
        # The form sends an empty field as an empty text, which must be what the playbook takes for not given.
        assert question["default"] == ""


def needed(playbook: str) -> set[str]:
    """What its roles' defaults take from the inventory without knowing another value, and what their specs require."""
    texts = [(ROOT / f"roles/{role}/defaults/main.yml").read_text() for role, _entry in used_roles(playbook)]
    taken = {name for text in texts for name in re.findall(r"\{\{ (pexip_\w+) \}\}", text)}
    return taken | {v.name for v in variables(playbook).values() if v.required and v.default is None}


def shown_inventories() -> set[str]:
    """The variables that each of the README's inventories has."""
    blocks = re.findall(r"<!-- inventory: \w+ -->\n```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    return set.intersection(*(set(re.findall(r"\b(pexip_\w+):", block)) for block in blocks))


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_every_required_variable_is_asked_or_given(playbook):
    """What the inventory says is not asked as well: an answer would override it."""
    asked = [question["variable"] for question in BY_PLAYBOOK[playbook].get("survey", [])]
    assert len(asked) == len(set(asked))
    injected = {
        name
        for credential in load("credentials")
        if credential["name"] in BY_PLAYBOOK[playbook]["credentials"] and not credential.get("built_in")
        for name in CREDENTIAL_TYPES[credential["credential_type"]]["injectors"].get("extra_vars", {})
    }
    assert sorted(needed(playbook) - shown_inventories() - injected - set(asked)) == []
    # These demand an answer of whoever launches them.
    demanded = {
        "remove_nodes": {"remove_nodes_all"},
        "start_overflow_nodes": {f"cloud_bursting_start_{way}" for way in ("names", "all", "capacity")},
    }
    assert demanded.get(playbook, set()) <= set(asked)


def test_the_reading_of_defaults_finds_what_is_known():
    assert {"pexip_domain", "pexip_location", "pexip_version", "pexip_subnet_id"} <= needed("onboard_nodes")
    assert {"pexip_domain", "pexip_location", "pexip_version", "pexip_subnet_id"} <= shown_inventories()


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_fleet_jobs_are_sliced_where_slices_do_not_hurt_each_other(playbook):
    template = BY_PLAYBOOK[playbook]
    sliced = template.get("ask_job_slice_count_on_launch", False)
    # A restart goes through the fleet in batches, a conversion judges locations as a whole, and what was removed does not come back.
    assert sliced is (playbook in ("onboard_nodes", "start_nodes", "stop_nodes", "refresh_static_nat"))
    # The Management Node's plays are for one host, and site and enable_bursting have such plays.
    text = "".join((ROOT / "playbooks" / f"{name}.yml").read_text() for name in [playbook, *imported(playbook)])
    assert not (sliced and re.search(r"hosts: .*pexip_management", text))
    # Two runs that change something at once would not know of each other.
    assert template["allow_simultaneous"] is (playbook == "bursting_status")


# --- credentials ---------------------------------------------------------------------------------------------------------


def environment_names(documentation: str) -> set[str]:
    """The environment variables that a documentation of options names as their twins."""
    return set(re.findall(r"\bE\((PEXIP_\w+)\)", documentation))


def test_the_credential_feeds_what_modules_and_inventory_read():
    fed = set(CREDENTIAL_TYPES["Pexip Infinity management API"]["injectors"]["env"])
    assert fed == {name for option in CONNECTION_OPTIONS.values() for name in option["fallback"][1]}
    assert fed == environment_names(connection.ModuleDocFragment.DOCUMENTATION)
    if (ROOT / "plugins/inventory/pexip_nodes.py").is_file():
        plugin = "pexip.infinity.pexip_nodes"
        command = [Path(sys.executable).with_name("ansible-doc"), "--type", "inventory", "--json", plugin]
        shown = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        options = json.loads(shown)[plugin]["doc"]["options"]
        read = {entry["name"] for option in options.values() for entry in option.get("env", [])}
        live = yaml.safe_load((AWX / "inventories.yml").read_text())["configure_awx_inventories"][1]["source"]
        given = fed | set(re.findall(r"'(PEXIP_\w+)'", live["source_vars"]))
        # Instances are not looked up there: an inventory source has one credential, so none of AWS.
        assert {name for name in read if name.startswith("PEXIP_")} - {"PEXIP_EC2"} == given


class Names:
    """A namespace for file names, as a credential's templates see it."""

    def __init__(self, **names: Any):
        self.__dict__.update(names)


def rendered(kind: dict, *, strict: bool, **inputs: Any) -> dict[str, str]:
    """All that a credential of a type injects, by environment name or variable."""
    sandbox = ImmutableSandboxedEnvironment(undefined=StrictUndefined if strict else Undefined)
    switches = {f["id"]: False for f in kind["inputs"]["fields"] if f["type"] == "boolean"}  # unset is false
    files = {label.split(".")[1]: f"/runner/env/{label}" for label in kind["injectors"].get("file", {})}
    names = {**switches, **inputs, "tower": Names(filename=Names(**files))}
    parts = [kind["injectors"].get(part, {}) for part in ("env", "extra_vars", "file")]
    return {key: sandbox.from_string(template).render(names) for part in parts for key, template in part.items()}


@pytest.mark.parametrize("kind", CREDENTIAL_TYPES.values(), ids=lambda kind: kind["name"])
def test_a_credential_type_is_one_that_the_controller_takes(kind):
    fields = kind["inputs"]["fields"]
    assert kind["kind"] in ("cloud", "net")
    assert all(
        {"id", "label", "type"} <= set(f) <= {"id", "label", "type", "help_text", "secret", "multiline", "format"}
        for f in fields
    )
    assert all(f["type"] == "string" or not {"secret", "multiline", "format"} & set(f) for f in fields)
    ids = [f["id"] for f in fields]
    assert len(ids) == len(set(ids)) and "tower" not in ids
    assert set(kind["inputs"]["required"]) <= set(ids)
    assert {f["id"] for f in fields if "password" in f["id"] or "key" in f["id"] or "phrase" in f["id"]} == {
        f["id"] for f in fields if f.get("secret")
    }
    # With everything given no template may miss a name, and every field is used.
    texts = " ".join(t for part in kind["injectors"].values() for t in part.values())
    assert rendered(kind, strict=True, **{f["id"]: True if f["type"] == "boolean" else "EXAMPLE" for f in fields})
    assert [name for name in ids if not re.search(rf"\b{name}\b", texts)] == []
    assert [name for name in kind["injectors"].get("env", {}) if name.startswith("ANSIBLE_")] == []


def test_a_credential_with_its_password_alone_gives_what_the_modules_take():
    kind = CREDENTIAL_TYPES["Pexip Infinity management API"]
    given = rendered(kind, strict=False, password="web-admin-Secret#1")
    assert given.pop("template.ca") == ""
    assert given == {
        "PEXIP_HOST": "",
        "PEXIP_PORT": str(CONNECTION_OPTIONS["port"]["default"]),
        "PEXIP_USERNAME": CONNECTION_OPTIONS["username"]["default"],
        "PEXIP_PASSWORD": "web-admin-Secret#1",
        "PEXIP_VALIDATE_CERTS": "true",
        "PEXIP_CA_PATH": "",
        "PEXIP_TLS_FINGERPRINT": "",
        "PEXIP_TIMEOUT": str(CONNECTION_OPTIONS["timeout"]["default"]),
    }
    trusting = rendered(kind, strict=False, password="x", ca="-----BEGIN", skip_verification=True)
    assert (trusting["PEXIP_CA_PATH"], trusting["template.ca"]) == ("/runner/env/template.ca", "-----BEGIN")
    assert trusting["PEXIP_VALIDATE_CERTS"] == "false"


def test_the_passwords_are_variables_that_the_roles_read():
    kind = CREDENTIAL_TYPES["Pexip Infinity passwords"]
    roles = "".join(path.read_text() for path in (ROOT / "roles").glob("*/defaults/main.yml"))
    assert [name for name in kind["injectors"]["extra_vars"] if f"{name} | default" not in roles] == []
    assert rendered(kind, strict=False, node_password="x") == {"pexip_node_password": "x", "pexip_admin_password": ""}


def test_credentials_are_of_types_that_there_are():
    for credential in load("credentials"):
        assert credential.get("built_in") or credential["credential_type"] in CREDENTIAL_TYPES
    built_in = [credential["credential_type"] for credential in load("credentials") if credential.get("built_in")]
    assert built_in == ["Amazon Web Services", "Machine"]


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_job_has_the_credentials_that_its_roles_read_and_no_others(playbook):
    roles = {role for role, _entry in used_roles(playbook)}
    needed = ["Pexip Infinity management API", "Pexip Infinity AWS"]
    needed += ["Pexip Infinity passwords"] if {"conferencing_node", "management_node"} & roles else []
    needed += ["Pexip Infinity first login"] if "management_node" in roles else []
    assert BY_PLAYBOOK[playbook]["credentials"] == needed


# --- workflow, schedules, notifications ------------------------------------------------------------------------------------


def answers_hold(template: dict, answers: dict) -> None:
    """What a schedule or a workflow node answers is asked there, can be an answer, and leaves nothing required open."""
    survey = {question["variable"]: question for question in template.get("survey", [])}
    assert set(answers) <= set(survey)
    for name, answer in answers.items():
        assert answer in survey[name].get("choices", [answer])
        assert isinstance(answer, int if survey[name]["type"] == "integer" else str)
    assert [name for name, question in survey.items() if question["required"] and name not in answers] == []


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow["name"])
def test_a_workflow_is_whole_and_changes_nothing_before_it_is_approved(workflow):
    nodes = {node["identifier"]: node for node in workflow["nodes"]}
    assert len(nodes) == len(workflow["nodes"])
    seen: list[str] = []

    def visit(name: str, approved: bool) -> None:
        assert name not in seen, "a node with two ways to it, or a circle"
        seen.append(name)
        node = nodes[name]
        assert ("approval" in node) != ("job_template" in node)
        if "job_template" in node:
            assert approved or node.get("job_type") == "check"
            answers_hold(TEMPLATES[node["job_template"]], node.get("extra_data", {}))
        for following in node.get("success_nodes", []):
            visit(following, approved or "approval" in node)

    visit(workflow["nodes"][0]["identifier"], approved=False)
    assert seen == list(nodes)
    assert any("approval" in node for node in nodes.values())
    played = [
        Path(TEMPLATES[node["job_template"]]["playbook"]).stem for node in nodes.values() if "job_template" in node
    ]
    assert played == [
        "site",
        "deploy_management",
        "onboard_nodes",
        "enable_bursting",
        "check_bursting",
        "bursting_status",
    ]


@pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: schedule["name"])
def test_a_schedule_starts_a_job_template_without_a_question_left(schedule):
    assert set(schedule) <= {"name", "description", "job_template", "rrule", "extra_data", "job_type", "diff_mode"}
    answers_hold(TEMPLATES[schedule["job_template"]], schedule["extra_data"])


def test_the_schedules_run_when_they_say():
    times = {}
    for schedule in SCHEDULES:
        rule = schedule["rrule"].replace("{{ configure_awx_timezone }}", "Europe/London")
        after = rrulestr(rule).after
        zone = after(datetime(2026, 3, 1).astimezone()).tzinfo
        at, runs = datetime(2026, 6, 5, tzinfo=zone), []  # a Friday, in summer time
        for _run in range(3):
            at = after(at)
            runs.append(f"{at:%a %H:%M}")
        times[Path(TEMPLATES[schedule["job_template"]]["playbook"]).stem] = runs
    assert times == {
        "start_overflow_nodes": ["Fri 08:50", "Mon 08:50", "Tue 08:50"],
        "site": ["Fri 02:30", "Sat 02:30", "Sun 02:30"],
        "check_bursting": ["Fri 06:30", "Sat 06:30", "Sun 06:30"],
    }
    drift = next(schedule for schedule in SCHEDULES if "drift" in schedule["name"])
    assert drift["job_type"] == "check"
    early = next(schedule for schedule in SCHEDULES if "start overflow" in schedule["job_template"])
    assert early["extra_data"] == {"cloud_bursting_start_all": "true"}


def test_everything_tells_of_its_failure():
    for item in [*TEMPLATES.values(), *WORKFLOWS]:
        assert "error" in item["notify"] and set(item["notify"]) <= {"error", "success", "approvals"}
    assert all("approvals" in workflow["notify"] for workflow in WORKFLOWS)


# --- the playbook, the inventory, the execution environment ------------------------------------------------------------------


def test_the_playbook_has_the_variables_that_its_spec_names():
    spec = load("variables")
    (play,) = yaml.safe_load((ROOT / "playbooks/configure_awx.yml").read_text())
    public = {name: value for name, value in play["vars"].items() if re.match(r"configure_awx_(?!_)", name)}
    assert list(public) == list(spec)
    derived = "configure_awx_organization"
    assert {name: option.get("default") for name, option in spec.items() if name != derived} == {
        name: value for name, value in public.items() if name != derived
    }
    page = (ROOT / "docs/awx.md").read_text()
    assert [name for name in spec if f"`{name}`" not in page] == []


def test_names_are_unique_and_can_be_looked_up():
    lists = (
        "organizations",
        "notification_hooks",
        "execution_environments",
        "credential_types",
        "credentials",
        "projects",
        "inventories",
        "job_templates",
        "workflow_job_templates",
        "schedules",
    )
    for name in lists:
        names = [item["name"] for item in load(name)]
        assert len(names) == len(set(names))
        assert [n for n in names if "," in n or "++" in n or n.isdigit()] == []


def test_the_inventory_file_is_the_plugins_and_holds_no_secret():
    content = yaml.safe_load((AWX / "platform.pexip_nodes.yml").read_text())
    assert content == {"plugin": "pexip.infinity.pexip_nodes"}
    paths = [inventory["source"]["source_path"] for inventory in load("inventories")]
    assert "extensions/awx/platform.pexip_nodes.yml" in paths


def test_inventory_sources_name_projects_and_credentials_that_there_are():
    projects, credentials = ({item["name"] for item in load(name)} for name in ("projects", "credentials"))
    for inventory in load("inventories"):
        assert inventory["source"]["source_project"] in projects
        assert inventory["source"].get("credential", "Pexip Infinity AWS") in credentials


def test_the_playbooks_come_from_this_repository():
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]
    assert load("variables")["configure_awx_playbooks_url"]["default"] == repository


def test_awx_is_no_dependency_of_the_collection():
    assert "awx.awx" not in yaml.safe_load((ROOT / "galaxy.yml").read_text())["dependencies"]
    assert "awx.awx" not in (ROOT / "requirements.yml").read_text()
