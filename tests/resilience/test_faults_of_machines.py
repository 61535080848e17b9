# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pexip_installation and pexip_node against faults of the machines that they set up: over SSH, in the API that comes up,
and in the upload of a configuration document.

Each look is the module itself, as its action plugin runs it. A later run, without the fault, sees the machine through.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from ansible_collections.pexip.infinity.plugins.module_utils import client, node, registration
from ansible_collections.pexip.infinity.plugins.modules import pexip_installation, pexip_node, pexip_node_info
from ansible_collections.pexip.infinity.tests.resilience.works import CONFIGURATION, NODE_PASSWORD, Bench, shown
from ansible_collections.pexip.infinity.tests.unit.support import run_module
from pexip_lab.client import Lab
from pexip_lab.testing import MANAGEMENT_IMAGE, Account, tcp, until

PAUSE = 0.5  # seconds between two looks: a Management Node serves only so many requests a minute
DROPS = 4  # at how many questions and lines, of those below
STEPS = [
    "Enter new UNIX password",
    "Retype new UNIX password",
    "password updated successfully",
    r"\[sudo\] password",
    "^IP address",
    "^Hostname",
    "^NTP servers",
    "^Web administration password:",
    "^Send deployment",
    "Applying the configuration",
    "The installation is complete",
]
UNIX, WEB = "Planted-unix-password", "Planted-web-password"
FAULTS_OF_THE_API: list[tuple[str, dict[str, Any], str]] = [
    *(("status", {"status": status}, rf"\({status}\)") for status in (429, 500, 502, 503, 504)),
    ("unauthorized", {}, r"\(401\)"),
    ("reset", {}, "broke"),
    ("truncate", {}, "broke"),
    ("garbage", {}, "not a JSON object"),
    ("refuse", {}, "does not answer"),
    ("abort", {}, "does not answer"),
]
FAULTS_OF_THE_UPLOAD: list[tuple[str, dict[str, Any], str]] = [
    ("status", {"status": 500}, r"\(500\)"),
    ("status", {"status": 500, "when": "after"}, r"\(500\)|did not answer"),
    ("reset", {"when": "before"}, "did not (answer|take)"),
    ("reset", {"when": "after"}, "did not answer"),
    ("truncate", {}, "did not answer"),
    ("garbage", {}, "never"),
    ("refuse", {}, "upload listener"),
]


class Machines:
    """Management Nodes that have been launched, each with an address of its own."""

    def __init__(self, lab: Lab, directory: Any):
        self.account = Account(lab)
        self.env = lab.env
        self.directory = directory
        self.lab = lab
        self.group = self.account.group(tcp(int(self.env["LAB_SSH_PORT"])), tcp(int(self.env["LAB_API_PORT"])))

    def launch(self) -> str:
        """Launches one and gives back its address."""
        return self.account.address(self.account.launch(self.group, MANAGEMENT_IMAGE, InstanceType="m4.large"))

    def look(self, host: str, **options: Any) -> dict[str, Any]:
        """One look of the module at a machine."""
        variables = self.lab.inventory["all"]["vars"]
        wanted = {
            "host": host,
            "port": int(self.env["LAB_API_PORT"]),
            "ssh_port": int(self.env["LAB_SSH_PORT"]),
            "password": WEB,
            "admin_password": UNIX,
            "private_key_file": self.env["LAB_KEY_FILE"],
            "known_hosts": str(self.directory / host),
            "hostname": "manager",
            "domain": "example.com",
            "dns_servers": variables["pexip_dns_servers"],
            "ntp_servers": variables["pexip_ntp_servers"],
            "tls_pin": "first_use",
            **options,
        }
        result = run_module(pexip_installation, **wanted)
        assert UNIX not in result["stdout"] and WEB not in result["stdout"]
        assert "Traceback" not in result["stdout"] and "exception" not in result, shown(result)
        return result

    def installed(self, host: str) -> dict[str, Any]:
        """Looks until the machine is installed, or a look fails; the last look."""
        return until(
            lambda: result if (result := self.look(host)).get("failed") or result["complete"] else None,
            f"{host} to be installed",
            90,
        )

    def check(self, host: str) -> None:
        """A run finds it installed and changes nothing, and its platform holds what the wizard was told, once."""
        again = self.installed(host)
        assert not again.get("failed") and not again["changed"], shown(again)
        told = {}
        for resource in ("management_vm", "dns_server", "ntp_server"):
            url = f"https://{host}:{self.env['LAB_API_PORT']}{CONFIGURATION}{resource}/"
            told[resource] = requests.get(url, auth=("admin", WEB), verify=False, timeout=30).json()["objects"]
        variables = self.lab.inventory["all"]["vars"]
        assert [item["hostname"] for item in told["management_vm"]] == ["manager"]
        for kind in ("dns", "ntp"):
            assert [item["address"] for item in told[f"{kind}_server"]] == variables[f"pexip_{kind}_servers"]


@pytest.fixture(scope="module")
def machines(lab_factory, tmp_path_factory) -> Iterator[Machines]:
    """An account in which a reboot takes a moment."""
    with lab_factory(time_scale=300) as lab:
        yield Machines(lab, tmp_path_factory.mktemp("known-hosts"))


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """How long they wait is no question here."""
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(node, "UPLOAD_PAUSE", 0.1)
    monkeypatch.setattr(registration, "HANDING_OVER", 0.0)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
@pytest.mark.parametrize("when", ["before", "after"])
def test_the_installation_is_cut_off(when, machines, tally, chance):
    counted = tally("the installation, cut off")
    for step in sorted(chance.sample(STEPS, DROPS), key=STEPS.index):
        host = machines.launch()
        with counted.case(f"{when} {step}"):
            fault = machines.lab.fault_add("drop", match=step, when=when, times=1)
            result = machines.installed(host)
            hits = machines.lab.faults()[0]["hits"]
            machines.lab.fault_clear(fault)
            assert hits == 1, f"never came to it: {shown(result)}"
            assert not result.get("failed"), shown(result)
            machines.check(host)


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_the_host_key_changes_and_the_api_fails_while_it_comes_up(machines, tally):
    counted = tally("the installation, its API faulty")
    host = machines.launch()
    with counted.case("host key"):
        fault = machines.lab.fault_add("drop", match="^Hostname")
        until(lambda: machines.look(host)["installation"]["state"] == "installing", "the wizard to begin")
        machines.lab.fault_clear(fault)
        machines.lab.fault_add("host-key")
        result = machines.look(host)
        machines.lab.fault_clear()
        assert result["failed"] and f"the host key of {host}" in result["msg"], shown(result)
        assert not machines.installed(host).get("failed")
        machines.check(host)
    for kind, options, cause in FAULTS_OF_THE_API:
        with counted.case(f"{kind} {options}"):
            machines.lab.fault_add(kind, "api", **options)
            result = machines.look(host, wizard_completed=True)
            machines.lab.fault_clear()
            said = result["msg"] if result.get("failed") else "; ".join(result["progress"])
            assert host in said and re.search(cause, said), shown(result)
            machines.check(host)


@pytest.fixture(scope="module")
def bench(lab_factory, tmp_path_factory) -> Iterator[Bench]:
    """A platform, to which nodes are added."""
    with lab_factory(seed="bursting") as lab:
        yield Bench(lab, tmp_path_factory.mktemp("documents"))


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "lasting"])
def test_the_upload_of_a_configuration_document_fails(lasting, bench, tally):
    counted = tally("the upload of a configuration document, failing")
    account = Account(bench.lab)
    group = next(
        group["GroupId"]
        for group in account.ec2.describe_security_groups()["SecurityGroups"]
        if group["GroupName"] == "pexip-nodes"
    )
    instances = [account.launch(group) for _fault in FAULTS_OF_THE_UPLOAD]
    for number, ((kind, options, cause), instance) in enumerate(zip(FAULTS_OF_THE_UPLOAD, instances, strict=True)):
        name, address = f"up{int(lasting)}{number}", account.address(instance)
        with counted.case(f"{kind} {options}"):
            bench.wait_for_room()
            booted(account, instance)
            fault = {**options, **({} if lasting or kind == "refuse" else {"times": 1})}
            bench.lab.fault_add(kind, "node", **fault)
            result = register(bench, name, address)
            bench.lab.fault_clear()
            if result.get("failed") or not result["complete"]:
                said = result["msg"] if result.get("failed") else result["waiting_for"]
                assert name in said and address in said, shown(result)
                assert re.search(cause, said), shown(result)
            until(
                lambda: (second := register(bench, name, address)).get("failed") or second["complete"],  # noqa: B023
                f"{name} to be registered",
                pause=PAUSE,
            )
            contact(bench, name)
            third = register(bench, name, address)
            assert not third.get("failed") and not third["changed"], shown(third)
            assert bench.fields("worker_vm", ["address"], name=name) == [[address]]


def test_a_node_does_not_report_in(bench, tally):
    with tally("the upload of a configuration document, failing").case("silent"):
        account = Account(bench.lab)
        (group,) = account.ec2.describe_security_groups(GroupNames=["pexip-nodes"])["SecurityGroups"]
        instance = account.launch(group["GroupId"])
        address = account.address(instance)
        booted(account, instance)
        bench.lab.fault_add("silent", match=address)
        assert register(bench, "quiet", address)["complete"]
        until(lambda: any(fault["hits"] for fault in bench.lab.faults()), "the node to try to report in")
        seen = bench.run(pexip_node_info, {"name": ["quiet"], "wait": "contact"})
        assert not seen["complete"] and "quiet" in seen["progress"][0], shown(seen)
        waits = register(bench, "quiet", address)
        assert not waits["complete"] and address in waits["remedy"], shown(waits)
        bench.lab.fault_clear()
        contact(bench, "quiet")
        assert not register(bench, "quiet", address)["changed"]


def register(bench: Bench, name: str, address: str) -> dict[str, Any]:
    """One look of pexip_node at an instance that waits for its configuration document."""
    result = bench.run(
        pexip_node,
        {
            "name": name,
            "hostname": name,
            "domain": "example.com",
            "address": address,
            "subnet": f"127.{bench.octet}.0.0/20",
            "system_location": "London",
            "node_password": NODE_PASSWORD,
            "bootstrap": {"port": int(bench.lab.env["LAB_BOOTSTRAP_PORT"])},
        },
    )
    for secret in bench.secrets():
        assert secret not in result["stdout"]
    assert "Traceback" not in result["stdout"] and "exception" not in result, shown(result)
    return result


def booted(account: Account, instance: str) -> None:
    """Sees the machine behind an instance run."""
    until(lambda: (account.machine(instance) or {}).get("state") == "running", f"{instance} to boot")


def contact(bench: Bench, name: str) -> None:
    """Sees the node report in."""
    until(
        lambda: bench.run(pexip_node_info, {"name": [name], "wait": "contact"})["complete"],
        f"{name} to report in",
        pause=PAUSE,
    )
