"""The lab as a process: up, down, a crash, two side by side, the command line."""

import os
import signal
import subprocess
import sys

import pytest
import yaml
from pexip_lab import cli, launcher
from pexip_lab.client import Lab
from pexip_lab.counters import is_write
from pexip_lab.settings import StateFiles
from pexip_lab.testing import opens


def pid_of(lab: Lab) -> int:
    return int(lab.files.pid.read_text())


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_down_leaves_no_process_and_no_secret(another_lab):
    lab = another_lab("platform")
    pid = pid_of(lab)
    assert opens(lab.env["PEXIP_HOST"], lab.network.api_port)
    host = lab.env["PEXIP_HOST"]
    lab.down()
    assert not alive(pid)
    assert not opens(host, lab.network.api_port)
    assert [path.name for path in lab.files.directory.iterdir()] == ["log"]


def test_a_second_up_is_refused_while_the_lab_runs(another_lab):
    lab = another_lab()
    with pytest.raises(launcher.LabError, match="already running"):
        Lab.up(lab.files.directory, network=str(lab.network.vpc))
    assert lab.status()["machines"] == []


def test_a_crashed_lab_is_cleaned_up_by_the_next_up(another_lab):
    lab = another_lab("platform")
    pid = pid_of(lab)
    os.kill(pid, signal.SIGKILL)
    launcher.await_end(pid)
    with pytest.raises(launcher.LabError, match="no lab is running"):
        lab.status()
    again = Lab.up(lab.files.directory, network=str(lab.network.vpc))
    try:
        assert again.status()["machines"] == []
        assert not again.files.machines.exists()
    finally:
        again.down()


def test_two_labs_side_by_side_share_ports(another_lab):
    one, other = another_lab("platform", number=1), another_lab("platform", number=2)
    one.api("/api/admin/configuration/v1/system_location/", "POST", {"name": "Only here"})
    locations = [lab.api("/api/admin/configuration/v1/system_location/")["objects"] for lab in (one, other)]
    assert [[item["name"] for item in objects] for objects in locations] == [["Only here"], []]
    assert one.network.api_port == other.network.api_port


def test_errors_of_the_start_are_told(tmp_path):
    with pytest.raises(launcher.LabError, match="no seed 'moon'; there are bursting, by-hand, hybrid, nodes, platform"):
        Lab.up(tmp_path, seed="moon")
    with pytest.raises(launcher.LabError, match="/16"):
        Lab.up(tmp_path, network="10.0.0.0/8")
    assert not launcher.running(StateFiles(tmp_path))


def test_an_occupied_port_is_told(lab, tmp_path):
    with pytest.raises(launcher.LabError, match="cannot listen on .*Address already in use"):
        Lab.up(tmp_path, network=str(lab.network.vpc))


def test_commands(lab, capsys):
    def run(*arguments: str) -> str:
        assert cli.main([*arguments, "--state", str(lab.files.directory)]) == 0
        return capsys.readouterr().out

    assert "instances:" in run("status")
    exported = subprocess.run(
        ["/bin/sh", "-c", f'{run("env")}\necho "$AWS_ENDPOINT_URL $PEXIP_USERNAME"'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert exported.split() == [lab.network.endpoint, "admin"]
    inventory = yaml.safe_load(run("inventory"))
    assert set(inventory["all"]["children"]) == {"pexip_management", "pexip_nodes"}
    run("requests", "--reset")
    lab.ec2().describe_vpcs()
    assert run("requests").split() == ["1", "aws", "DescribeVpcs"]
    before = lab.status()["time"]
    assert run("clock", "advance", "2h").strip() > before


def test_failures_of_commands(tmp_path, capsys):
    assert cli.main(["status", "--state", str(tmp_path)]) == 1
    assert "no lab is running" in capsys.readouterr().err
    assert cli.main(["down", "--state", str(tmp_path)]) == 0
    assert "No lab was running" in capsys.readouterr().out


def test_bad_durations_are_refused(lab):
    with pytest.raises(launcher.LabError, match="no duration"):
        lab.clock_advance("soon")


def test_the_command_is_installed_as_a_program():
    text = subprocess.run(
        [sys.executable, "-m", "pexip_lab.cli", "--help"], capture_output=True, text=True, check=True
    ).stdout
    for command in ("up", "down", "status", "env", "inventory", "call", "clock", "requests"):
        assert command in text


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("GET worker_vm", False),
        ("POST worker_vm", True),
        ("aws DescribeInstances", False),
        ("aws ListUsers", False),
        ("aws RunInstances", True),
        ("bursting StartInstances", False),
    ],
)
def test_writes(name, write):
    assert is_write(name) is write
