# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The project's own laws: what would otherwise be forgotten when a module, a role or a version is added."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from ansible_collections.pexip.infinity.plugins.module_utils.module import CONNECTION_OPTIONS
from ansible_collections.pexip.infinity.tests.resilience.tally import KINDS
from packaging.specifiers import SpecifierSet
from packaging.version import Version

ROOT = Path(__file__).parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
INVENTORIES = sorted(path.stem for path in (ROOT / "plugins/inventory").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())
PLAYBOOKS = sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


def load(path: str):
    """A YAML file of the project."""
    return yaml.safe_load((ROOT / path).read_text())


def project_files() -> list[Path]:
    """Every file that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def text_of(directory: str, pattern: str = "*.py") -> str:
    """All files of a directory as one text."""
    return "\n".join(path.read_text() for path in sorted((ROOT / directory).rglob(pattern)))


REUSE = ROOT / "docs/examples/role-reuse"


def scenario_files() -> list[Path]:
    """The molecule.yml of every scenario."""
    return sorted([*(ROOT / "extensions/molecule").glob("*/molecule.yml"), *REUSE.glob("molecule/*/molecule.yml")])


def sequence(scenario: Path) -> list[str]:
    """The steps of a scenario of ours, in their order."""
    shared = load("extensions/molecule/config.yml")["scenario"]
    return (yaml.safe_load(scenario.read_text()).get("scenario") or shared)["test_sequence"]


def blocks(path: Path) -> dict[str, str]:
    """The documentation blocks of a plugin, by name."""
    return {
        statement.targets[0].id: statement.value.value
        for statement in ast.parse(path.read_text()).body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
        and statement.targets[0].id in ("DOCUMENTATION", "EXAMPLES", "RETURN")
        and isinstance(statement.value, ast.Constant)
    }


def test_there_is_something_to_test():
    assert MODULES and INVENTORIES and ROLES and PLAYBOOKS


def test_action_group_holds_every_module():
    assert sorted(load("meta/runtime.yml")["action_groups"]["pexip"]) == MODULES


@pytest.mark.parametrize("module", MODULES)
def test_module_is_documented(module):
    found = blocks(ROOT / "plugins/modules" / f"{module}.py")
    assert set(found) == {"DOCUMENTATION", "EXAMPLES", "RETURN"}
    documentation = yaml.safe_load(found["DOCUMENTATION"])
    fragments = documentation["extends_documentation_fragment"]
    attributes = "pexip.infinity.attributes" + (".info" if module.endswith("_info") else "")
    assert {"pexip.infinity.connection", attributes} <= set(fragments)
    assert documentation["module"] == module
    assert yaml.safe_load(found["RETURN"]), "RETURN says nothing"
    used = {key for task in yaml.safe_load(found["EXAMPLES"]) for key in task}
    assert f"pexip.infinity.{module}" in used, "no example uses the module"


@pytest.mark.parametrize("module", MODULES)
def test_module_has_tests(module):
    assert re.search(rf"\b{module}\b", text_of("tests/unit")), "no unit test mentions it"
    assert re.search(rf"\b{module}\b", text_of("tests/integration")), "no integration test mentions it"


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_inventory_plugin_is_documented_and_tested(inventory):
    found = blocks(ROOT / "plugins/inventory" / f"{inventory}.py")
    documentation = yaml.safe_load(found["DOCUMENTATION"])
    assert documentation["name"] == inventory
    # The connection with its twins in the environment, and what every inventory plugin of a cloud has.
    fragments = {"pexip.infinity.connection.plugin", "ansible.builtin.constructed", "ansible.builtin.inventory_cache"}
    assert fragments == set(documentation["extends_documentation_fragment"])
    plugins = {example["plugin"] for example in yaml.safe_load_all(found["EXAMPLES"])}
    assert plugins == {f"pexip.infinity.{inventory}"} == set(documentation["options"]["plugin"]["choices"])
    for directory in ("tests/unit", "tests/integration"):
        assert re.search(rf"\b{inventory}\b", text_of(directory)), f"no test of {directory} mentions it"


def test_action_plugins_are_named_as_their_modules():
    assert {path.stem for path in (ROOT / "plugins/action").glob("*.py")} <= set(MODULES)


@pytest.mark.parametrize("role", ROLES)
def test_role_is_complete(role):
    entry_points = {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml")}
    specified = set(load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"])
    assert specified <= entry_points, "an entry point that has no tasks file"
    assert (ROOT / "roles" / role / "README.md").is_file()


@pytest.mark.parametrize("role", ROLES)
def test_role_has_a_scenario(role):
    scenario = ROOT / "extensions/molecule" / role
    files = {"molecule.yml", "converge.yml", "verify.yml", "side_effect.yml"}
    assert files <= {path.name for path in scenario.glob("*.yml")}


@pytest.mark.parametrize("scenario", scenario_files(), ids=lambda path: path.parent.name)
def test_scenario_breaks_something_and_looks_again(scenario):
    steps = sequence(scenario)
    before, after = steps[: steps.index("side_effect")], steps[steps.index("side_effect") + 1 :]
    assert before == ["create", "converge", "idempotence", "verify"]
    assert after[-1] == "destroy"
    looks = [step for step in after if step.split()[0] == "verify"]
    # infinity_preflight has nothing to mend: it refuses, in a playbook that expects it.
    assert looks and ("converge" in after or looks == ["verify refused.yml"])
    for step in looks:
        assert (scenario.parent / (step.split()[1:] or ["verify.yml"])[0]).is_file()


def test_the_example_of_role_reuse_starts_its_lab_as_our_scenarios_do():
    for name in ("create.yml", "destroy.yml"):
        ours = (ROOT / "extensions/molecule/shared" / name).read_text()
        assert (REUSE / "molecule/default" / name).read_text() == ours


def test_scenarios_have_networks_of_their_own():
    platforms = [yaml.safe_load(path.read_text())["platforms"][0] for path in scenario_files()]
    networks = [platform["network"] for platform in platforms]
    assert sorted(networks) == sorted(set(networks))


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_playbook_is_tested(playbook):
    assert re.search(rf"\b{playbook}\b", text_of("tests/integration")), "no integration test mentions it"


def test_readme_has_an_inventory_for_each_deployment_option():
    """tests/integration/test_site.py deploys from each of them."""
    examples = re.findall(r"<!-- inventory: (\w+) -->\n```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    stated = {name: yaml.safe_load(text)["all"]["vars"]["pexip_deployment"] for name, text in examples}
    assert stated == {name: name for name in ("private", "public", "hybrid")}


def test_version_stands_in_galaxy_yml_alone():
    version = load("galaxy.yml")["version"]
    # When a plugin came is another matter, and stays what it is when the version moves on.
    stated = re.compile(rf"(?<![\d.])(?<!version_added: )(?<!version_added: [\"']){re.escape(version)}(?![\d.])")
    history = ("galaxy.yml", "CHANGELOG.rst", "changelogs/changelog.yaml")
    places = []
    for path in project_files():
        name = str(path.relative_to(ROOT))
        if name not in history and stated.search(path.read_bytes().decode("utf-8", "replace")):
            places.append(name)
    assert places == []


def test_requirements_name_the_dependencies_of_galaxy_yml():
    named = {entry["name"]: entry["version"] for entry in load("requirements.yml")["collections"]}
    assert named == load("galaxy.yml")["dependencies"]


@pytest.fixture(scope="module")
def artefact(tmp_path_factory) -> set[str]:
    """The files of the collection as it is built and installed."""
    directory = tmp_path_factory.mktemp("artefact")
    build = [Path(sys.executable).with_name("ansible-galaxy"), "collection", "build", "--output-path", directory]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (archive,) = directory.glob("pexip-infinity-*.tar.gz")
    with tarfile.open(archive) as opened:
        return {member.name for member in opened if member.isfile()}


def test_an_execution_environment_finds_its_requirements_in_the_artefact(artefact):
    environment = load("meta/execution-environment.yml")
    assert set(environment) == {"version", "dependencies"}
    assert set(environment["dependencies"]) == {"python", "system", "galaxy"}
    assert set(environment["dependencies"].values()) <= artefact


def test_the_artefact_holds_what_a_user_installs_and_nothing_else(artefact):
    made = {"MANIFEST.json", "FILES.json"}
    known = {str(path.relative_to(ROOT)) for path in project_files()}
    assert artefact - known == made
    kept_back = (
        "tests/",
        "extensions/molecule/",
        ".",
        "Makefile",
        "pyproject.toml",
        "requirements-dev.txt",
        "execution-environment.yml",
        "ansible-navigator.yml",
        "changelogs/config.yaml",
        "changelogs/fragments/",
        "docs/coverage.yml",
    )
    assert [name for name in artefact if name.startswith(kept_back)] == []
    kinds = {"README.md", "LICENSE", "requirements.txt", "requirements.yml", "bindep.txt", *made}
    kinds |= {"changelogs", "docs", "extensions", "meta", "playbooks", "plugins", "roles", "CHANGELOG.rst"}
    assert {name.split("/")[0] for name in artefact} <= kinds


def test_the_readme_quotes_a_whole_table_of_what_was_survived():
    """As make resilience prints it: every kind of attack, and none that was lost."""
    (table,) = re.findall(r"<!-- resilience -->\n```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    rows = {
        kind: list(map(int, numbers)) for kind, *numbers in (line.rsplit(None, 3) for line in table.splitlines()[1:])
    }
    assert list(rows) == [*sorted(KINDS), "All"]
    assert rows["All"] == [sum(column) for column in zip(*(rows[kind] for kind in KINDS), strict=True)]
    assert all(cases == survived <= possible for cases, possible, survived in rows.values())


def test_links_lead_to_what_is_installed(artefact):
    """Relative ones, that is; what is in the repository alone is linked to there."""
    broken = []
    for page in sorted(name for name in artefact if name.endswith(".md")):
        for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text()):
            path = os.path.normpath(Path(page).parent / target)
            if "://" not in target and not any(name == path or name.startswith(f"{path}/") for name in artefact):
                broken.append(f"{page}: {target}")
    assert broken == []


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> Path:
    """A copy of the repository in which the README's commands for an execution environment were run."""
    copy = tmp_path_factory.mktemp("repository")
    for path in project_files():
        (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copy / path.relative_to(ROOT))
    (commands,) = re.findall(
        r"<!-- execution environment -->\n```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    )
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    subprocess.run(["bash", "-euc", commands], cwd=copy, env=environment, check=True, capture_output=True)
    return copy


def test_an_execution_environment_is_made_of_the_artefact(packed):
    context = packed / "context"
    (containerfile,) = (path for path in context.iterdir() if path.is_file())
    assert "collection install artefact/pexip-infinity-*.tar.gz" in containerfile.read_text()
    (archive,) = (context / "_build/artefact").iterdir()
    collections = packed / "installed"
    shutil.unpack_archive(archive, collections / "ansible_collections/pexip/infinity")
    introspect = [Path(sys.executable).with_name("ansible-builder"), "introspect", collections]
    found = subprocess.run(introspect, check=True, capture_output=True, text=True).stdout
    for name in (*re.findall(r"^\w+", (ROOT / "requirements.txt").read_text(), re.MULTILINE), "openssh-clients"):
        assert name in found


def test_ansible_navigator_passes_on_what_the_collection_reads():
    passed = load("ansible-navigator.yml")["ansible-navigator"]["execution-environment"]["environment-variables"][
        "pass"
    ]
    twins = {f"PEXIP_{option.upper()}" for option in CONNECTION_OPTIONS}
    plugin = set(re.findall(r"name: (PEXIP_\w+)", (ROOT / "plugins/inventory/pexip_nodes.py").read_text()))
    named = set(re.findall(r"\b(?:AWS|PEXIP)_(?!TEST_)[A-Z_]+", (ROOT / "README.md").read_text()))
    assert twins | plugin | named <= set(passed)
    # AWS's own names for temporary credentials, and for older tools.
    assert {"AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"} <= set(passed)


def test_version_bounds_are_the_same_everywhere():
    """The ends are tested: the lower by make test with Python 3.11, the upper by hand with Python 3.13."""
    bounds = SpecifierSet(load("meta/runtime.yml")["requires_ansible"])
    low, high = min((spec.version for spec in bounds), key=Version), max((spec.version for spec in bounds), key=Version)
    minor = [f"2.{number}" for number in range(Version(low).minor, Version(high).minor)]
    readme = (ROOT / "README.md").read_text()
    assert f"ansible-core {', '.join(minor[:-1])} or {minor[-1]} and" in readme
    assert f"'ansible-core>={minor[0]},<{Version(high).major}.{Version(high).minor}'" in readme
    roles = [*(f"roles/{role}" for role in ROLES), "docs/examples/role-reuse/roles/video_sites"]
    assert {load(f"{role}/meta/main.yml")["galaxy_info"]["min_ansible_version"] for role in roles} == {minor[0]}
    ends = [f"ansible-core {minor[0]} and amazon.aws 10.1", f"ansible-core {minor[-1]} and amazon.aws 11.4"]
    for end in ends:
        assert end in readme
    pythons = re.search(r"Python (3\.\d+), (3\.\d+)\nor (3\.\d+), ansible-core", readme).groups()
    assert " | ".join(pythons) + ") ;;" in (ROOT / "tests/tools/venv.sh").read_text()
    assert f">={pythons[0]}" in load("tests/config.yml")["modules"]["python_requires"]
    amazon = Path(sysconfig.get_path("purelib")) / "ansible_collections/amazon/aws/MANIFEST.json"
    tested = json.loads(amazon.read_text())["collection_info"]["version"]
    core = metadata.version("ansible-core")
    running = [".".join(version.split(".")[:2]) for version in (core, tested)]
    assert [end for end in ends if all(re.search(rf"\b{re.escape(version)}\b", end) for version in running)], running
    between = SpecifierSet(load("galaxy.yml")["dependencies"]["amazon.aws"])
    assert str(min(spec.version for spec in between)) == "10.1.0" and "12.0.0" not in between and "11.4.0" in between


def test_dependencies_point_one_way():
    assert "pexip_lab" not in text_of("plugins")
    assert "ansible_collections" not in text_of("tests/lab")


def test_filters_are_light():
    """Ansible imports all filters of a collection in every worker that uses one of them."""
    package = "ansible_collections.pexip.infinity.plugins"
    filters = [f"{package}.filter.{path.stem}" for path in sorted((ROOT / "plugins/filter").glob("*.py"))]
    program = f"import sys, {', '.join(filters)}; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    heavy = ("requests", "boto3", "botocore", f"{package}.module_utils.", f"{package}.plugin_utils.")
    assert [name for name in loaded if name.startswith(heavy)] == []


def test_makefile_lists_its_commands():
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    commands = [
        "demo",
        "test",
        "lint",
        "sanity",
        "units",
        "integration",
        "molecule",
        "runner",
        "iam",
        "bench",
        "lab-up",
        "lab-down",
        "clean",
    ]
    assert [name for name in commands if f"make {name} " not in shown] == []
