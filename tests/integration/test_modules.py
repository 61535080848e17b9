# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every module against a platform: the life of an object in all its steps, and how bad input ends.

The steps are written once: create, change and delete, each under check mode (nothing may be written), for real, and again.
What happened is read from the platform, not from the module's own answer.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml
from ansible_collections.pexip.infinity.plugins.modules import (
    pexip_global_settings,
    pexip_location,
    pexip_resource,
    pexip_resource_info,
)

API = "/api/admin/configuration/v1/"
CONFERENCING_11_0_0 = "ami-60dd7d13"
# Planted where secrets go; none of them may be seen in any output.
NODE_PASSWORD = "Planted-node-password"
SNMP_PASSWORD = "Planted-snmp-password"
AWS_SECRET = "Planted-aws-secret-key"
SINK_PASSWORD = "Planted-sink-password"
PLANTED = (NODE_PASSWORD, SNMP_PASSWORD, AWS_SECRET, SINK_PASSWORD)


@pytest.fixture(scope="module")
def lab(lab_factory):
    """A platform with two nodes in EC2 and one on premises."""
    with lab_factory(seed="nodes") as lab:
        yield lab


@pytest.fixture
def run(lab, play):
    """Runs tasks, given as (module, arguments) pairs, and gives the run and each task's result."""

    def runner(*tasks: tuple[str, dict[str, Any]], check: bool = False, defaults: dict | None = None, args: tuple = ()):
        connection = {
            "host": lab.env["PEXIP_HOST"],
            "port": int(lab.env["PEXIP_PORT"]),
            "password": lab.env["PEXIP_PASSWORD"],
            "tls_fingerprint": lab.env["PEXIP_TLS_FINGERPRINT"],
            **(defaults or {}),
        }
        content = {
            "hosts": "manager",
            "gather_facts": False,
            "module_defaults": {"group/pexip.infinity.pexip": connection},
            "tasks": [
                {"name": f"step {n}", f"pexip.infinity.{name}": options} for n, (name, options) in enumerate(tasks)
            ],
        }
        bare = {"PEXIP_HOST": "", "PEXIP_PASSWORD": "", "PEXIP_TLS_FINGERPRINT": ""}
        done = play(lab, [content], *args, check=check, environment=bare)
        return done, [event["result"] for event in done.events]

    return runner


def rows(lab, resource: str, **identity: Any) -> list[dict[str, Any]]:
    """The platform's objects with these values."""
    return [
        row
        for row in lab.api(f"{API}{resource}/?limit=0")["objects"]
        if all(row.get(key) == value for key, value in identity.items())
    ]


@dataclass
class Case:
    """An object's life: the module's arguments that make it and that change it, and what the platform then holds."""

    module: str
    resource: str
    identity: dict[str, Any]  # the fields of the API that name it
    named: dict[str, Any]  # the options that name it
    create: dict[str, Any]
    made: dict[str, Any]
    change: dict[str, Any]
    changed: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)

    def task(self, **options: Any) -> tuple[str, dict[str, Any]]:
        return self.module, {**self.named, **self.extra, **options}


CASES = {
    "pexip_location": Case(
        "pexip_location",
        "system_location",
        {"name": "Bergen / æøå?&%2f"},
        {"name": "Bergen / æøå?&%2f"},
        {"dns_servers": ["127.{octet}.0.2"], "mtu": 1400, "overflow_location1": "London"},
        {"mtu": 1400},
        {"mtu": 1300, "overflow_location1": "", "description": "by the fjord"},
        {"mtu": 1300, "overflow_location1": None, "description": "by the fjord"},
    ),
    "pexip_node": Case(
        "pexip_node",
        "worker_vm",
        {"name": "conf77"},
        {"name": "conf77"},
        {
            "hostname": "conf77",
            "domain": "example.com",
            "address": "127.{octet}.0.77",
            "subnet": "127.{octet}.0.0/20",
            "system_location": "London",
            "node_password": NODE_PASSWORD,
            "snmp_authentication_password": SNMP_PASSWORD,
            "snmp_community": "public",
        },
        {"hostname": "conf77", "netmask": "255.255.240.0", "snmp_community": "public"},
        {"system_location": "Oslo", "static_nat_address": "203.0.113.7", "enable_distributed_database": False},
        {"static_nat_address": "203.0.113.7", "enable_distributed_database": False},
        extra={"config_path": "{directory}"},
    ),
    "pexip_resource (DNS server)": Case(
        "pexip_resource",
        "dns_server",
        {"address": "203.0.113.53"},
        {"resource": "dns_server", "identity": {"address": "203.0.113.53"}},
        {"settings": {"description": "first"}},
        {"description": "first"},
        {"settings": {"description": None}},
        {"description": ""},
    ),
    "pexip_resource (references and a secret)": Case(
        "pexip_resource",
        "event_sink",
        {"name": "sink"},
        {"resource": "event_sink", "identity": {"name": "sink"}},
        {"settings": {"url": "https://sink.example.com/", "username": "public", "password": SINK_PASSWORD}},
        {"url": "https://sink.example.com/", "username": "public"},
        {"settings": {"url": "https://sink.example.com/v2"}},
        {"url": "https://sink.example.com/v2"},
    ),
}


def fill(value: Any, octet: str, directory: str) -> Any:
    """Arguments with the lab's network and the test's directory in their places."""
    if isinstance(value, str):
        return value.replace("{octet}", octet).replace("{directory}", directory)
    if isinstance(value, list):
        return [fill(item, octet, directory) for item in value]
    return {key: fill(item, octet, directory) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_life_of_an_object(lab, run, case, tmp_path):
    octet = lab.env["LAB_NETWORK"].split(".")[1]
    create, change = (
        case.task(**fill({**case.extra, **wish}, octet, str(tmp_path))) for wish in (case.create, case.change)
    )
    delete = case.task(**fill(case.extra, octet, str(tmp_path)), state="absent")

    def step(*tasks, check=False, changes, expect):
        lab.requests(reset=True)
        done, results = run(*tasks, check=check, args=("-vvvv",))
        done.succeeded()
        assert [result["changed"] for result in results] == changes, done.output[-4000:]
        if check or not any(changes):
            assert lab.writes() == 0, lab.requests()
        found = rows(lab, case.resource, **case.identity)
        assert [{key: row[key] for key in expect} for row in found] == ([] if expect is None else [expect])
        assert not [secret for secret in PLANTED if secret in done.output]
        return results

    # A case's own values for {octet} are in made and changed nowhere, so they can be compared as they stand.
    absent: list = []
    lab.requests(reset=True)
    done, results = run(create, delete, check=True)
    assert [result["changed"] for result in done.succeeded() and results] == [True, False]
    assert lab.writes() == 0
    assert rows(lab, case.resource, **case.identity) == absent
    step(create, create, changes=[True, False], expect=case.made)
    step(create, change, check=True, changes=[False, True], expect=case.made)
    step(change, change, changes=[True, False], expect=case.changed)
    step(delete, check=True, changes=[True], expect=case.changed)
    done, results = run(delete, delete)
    assert [result["changed"] for result in done.succeeded() and results] == [True, False]
    assert rows(lab, case.resource, **case.identity) == absent


def test_a_configuration_document_is_written_once_for_its_owner_alone(lab, run, tmp_path):
    octet = lab.env["LAB_NETWORK"].split(".")[1]
    case = CASES["pexip_node"]
    create = fill({**case.create, **case.extra}, octet, str(tmp_path))
    done, (result,) = run(case.task(**create))
    done.succeeded()
    path = tmp_path / "pexip-conf77.example.com.xml"
    assert result["config_file"] == str(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert "conf77" in path.read_text()
    assert sorted(tmp_path.glob(".pexip-*")) == []

    # It is lost before anybody could use it: the node is registered anew, once.
    document = path.read_text()
    (before,) = rows(lab, "worker_vm", name="conf77")
    path.unlink()
    done, (repaired, again) = run(case.task(**create), case.task(**create))
    assert (done.succeeded() and repaired["changed"], again["changed"]) == (True, False)
    assert repaired["config_file"] == str(path)
    assert path.read_text() != document
    assert path.stat().st_mode & 0o777 == 0o600
    (after,) = rows(lab, "worker_vm", name="conf77")
    anew = {"id", "resource_uri", "snmp_authentication_password"}  # the latter is given back hashed, with a salt
    assert {key for key in before if after[key] != before[key]} == anew

    done, results = run(("pexip_node", {"name": "conf77", "state": "absent"}))
    assert results[0]["changed"]
    assert rows(lab, "worker_vm", name="conf77") == []


def test_global_settings(lab, run):
    wish = {
        "bursting_threshold": 7,
        "aws_access_key": "AKIAPLANTED",
        "aws_secret_key": AWS_SECRET,
        "disabled_codecs": ["H264_H_0"],
    }
    lab.requests(reset=True)
    done, (result,) = run(("pexip_global_settings", wish), check=True)
    assert result["changed"]
    assert lab.writes() == 0
    done, results = run(("pexip_global_settings", wish), ("pexip_global_settings", wish), args=("-vvvv", "--diff"))
    assert [item["changed"] for item in done.succeeded() and results] == [True, False]
    assert AWS_SECRET not in done.output
    held = lab.api(f"{API}global/1/")
    assert (held["bursting_threshold"], held["aws_access_key"]) == (7, "AKIAPLANTED")
    assert [codec["value"] for codec in held["disabled_codecs"]] == ["H264_H_0"]
    clear = {"clear": ["aws_access_key", "disabled_codecs"], "bursting_threshold": 5}
    run(("pexip_global_settings", clear))[0].succeeded()
    held = lab.api(f"{API}global/1/")
    assert (held["bursting_threshold"], held["aws_access_key"], held["disabled_codecs"]) == (5, None, [])
    done, _results = run(("pexip_global_settings", {"pss_enabled": True}))
    assert "pss_enabled" in done.failed().failures[0]


def test_nodes_with_their_status(lab, run):
    done, (everything, london, waited) = run(
        ("pexip_node_info", {}),
        ("pexip_node_info", {"system_location": ["London"]}),
        ("pexip_node_info", {"name": ["conf01", "conf02"], "wait": "contact", "wait_timeout": 60}),
    )
    done.succeeded()
    assert [node["name"] for node in everything["nodes"]] == ["conf01", "conf02", "onprem01"]
    assert all(node["in_contact"] and node["status"]["sync_status"] == "SYNCED" for node in everything["nodes"])
    assert {node["system_location"] for node in london["nodes"]} == {"London"}
    assert waited["complete"]
    assert [node["name"] for node in waited["nodes"]] == ["conf01", "conf02"]


def test_a_wait_ends_with_what_each_missing_node_last_reported(lab, run):
    lab.requests(reset=True)
    wait = {"name": ["conf01", "nowhere"], "wait": "contact", "wait_timeout": 3, "poll_interval": 1}
    done, _results = run(("pexip_node_info", wait))
    (message,) = done.failed().failures
    assert "nowhere: not registered" in message
    assert "conf01" not in message
    asked = lab.requests()
    assert set(asked) == {"GET status/worker_vm"}, "a round costs one request"


# What the examples refer to, and an operator has made before.
BEFORE_THE_EXAMPLES = [
    ("pexip_resource", {"resource": "dns_server", "identity": {"address": "172.31.0.2"}}),
    ("pexip_resource", {"resource": "ntp_server", "identity": {"address": "169.254.169.123"}}),
    ("pexip_location", {"name": "AWS burst"}),
]


def test_the_examples_of_the_documentation_run_as_they_stand(lab_factory, play):
    """Those of the modules that need no machine; the others' commonest tasks are run below and in test_installation."""
    tasks = [{f"pexip.infinity.{name}": options} for name, options in BEFORE_THE_EXAMPLES]
    for module in (pexip_location, pexip_global_settings, pexip_resource, pexip_resource_info):
        tasks += yaml.safe_load(module.EXAMPLES)
    secrets = dict.fromkeys(re.findall(r"\bPEXIP_(?:AWS|POLICY)_\w+", str(tasks)), AWS_SECRET)
    with lab_factory(seed="platform") as lab:
        done = play(lab, [{"hosts": "manager", "gather_facts": False, "tasks": tasks}], "-vvvv", environment=secrets)
        done.succeeded()
        [location] = rows(lab, "system_location", name="London")
        assert location["policy_server"] is not None
    assert len(done.events) >= len(tasks)


def test_resources_of_every_family(lab, run):
    done, (servers, licences) = run(
        ("pexip_resource_info", {"resource": "system_location", "filters": {"name__startswith": "Lon"}}),
        ("pexip_resource_info", {"resource": "licensing", "family": "status"}),
    )
    done.succeeded()
    assert [row["name"] for row in servers["resources"]] == ["London"]
    assert len(licences["resources"]) == 1


def node(**changes: Any) -> tuple[str, dict[str, Any]]:
    """A new node's task, with other values."""
    good = {
        "name": "conf88",
        "hostname": "conf88",
        "domain": "example.com",
        "address": "127.99.0.88",
        "subnet": "127.99.0.0/20",
        "system_location": "London",
        "node_password": NODE_PASSWORD,
        "config_path": "/tmp",
    }
    return "pexip_node", {**good, **changes}


BAD_INPUT = {
    "wrong password": (
        ("pexip_location", {"name": "London"}),
        ["refuses user 'admin' (401)", "PEXIP_PASSWORD"],
        {"password": "wrong"},
    ),
    "nobody there": (("pexip_location", {"name": "London"}), ["no connection to the management API"], {"port": 9}),
    "untrusted certificate": (
        ("pexip_location", {"name": "London"}),
        ["is not trusted", "tls_fingerprint"],
        {"tls_fingerprint": ""},
    ),
    "another certificate": (
        ("pexip_location", {"name": "London"}),
        ["is not the pinned one"],
        {"tls_fingerprint": "00" * 32},
    ),
    "host with a path": (("pexip_location", {"name": "London"}), ["host", "without scheme"], {"host": "https://x/"}),
    "name too long": (("pexip_location", {"name": "x" * 251}), ["name", "251 characters", "at most 250"], {}),
    "node name too long": (node(name="x" * 33), ["name", "33 characters", "at most 32"], {}),
    "empty name": (("pexip_location", {"name": ""}), ["name", "empty"], {}),
    "out of range": (("pexip_location", {"name": "London", "mtu": 9000}), ["mtu", "9000", "512 to 1500"], {}),
    "unknown location": (node(system_location="Lundon"), ["system_location", "'Lundon'", "'London'"], {}),
    "unknown DNS server": (
        ("pexip_location", {"name": "London", "dns_servers": ["203.0.113.99"]}),
        ["dns_servers", "'203.0.113.99'", "Existing"],
        {},
    ),
    "address outside the subnet": (node(address="127.99.99.1"), ["127.99.99.1", "outside the subnet"], {}),
    "reserved address": (node(address="127.99.0.3"), ["127.99.0.3", "reserved by AWS"], {}),
    "no password": (node(node_password=None), ["does not exist yet", "node_password"], {}),
    "nowhere for the document": (node(config_path=None), ["bootstrap", "config_path"], {}),
    "no such directory": (node(config_path="/nonexistent"), ["config_path", "/nonexistent"], {}),
    "fixed at creation": (
        ("pexip_node", {"name": "conf01", "address": "127.99.0.5"}),
        ["conf01", "address", "127.99.0.5", "fixed at creation"],
        {},
    ),
    "unknown resource": (
        ("pexip_resource", {"resource": "dns_servers", "identity": {"address": "203.0.113.1"}}),
        ["'dns_servers'", "'dns_server'"],
        {},
    ),
    "a resource with a path": (
        ("pexip_resource", {"resource": "../../command/v1/platform", "identity": {"name": "x"}}),
        ["resource", "not the name of an API resource"],
        {},
    ),
    "unknown field": (
        (
            "pexip_resource",
            {"resource": "dns_server", "identity": {"address": "203.0.113.1"}, "settings": {"describtion": "x"}},
        ),
        ["'describtion'", "'description'"],
        {},
    ),
    "a whole list is never deleted": (
        ("pexip_resource", {"resource": "dns_server", "state": "absent"}),
        ["identity is required"],
        {},
    ),
}


@pytest.mark.parametrize(("task", "words", "defaults"), BAD_INPUT.values(), ids=BAD_INPUT.keys())
def test_bad_input_is_refused_and_nothing_is_written(lab, run, task, words, defaults):
    lab.requests(reset=True)
    options = {key: value for key, value in task[1].items() if value is not None}
    done, _results = run((task[0], options), defaults=defaults)
    (message,) = done.failed().failures
    assert [word for word in words if word not in message] == [], message
    assert lab.writes() == 0, lab.requests()


def test_the_platforms_own_refusal_is_told(lab, run, tmp_path):
    octet = lab.env["LAB_NETWORK"].split(".")[1]
    taken = rows(lab, "worker_vm", name="conf01")[0]["address"]
    documents = tmp_path / "documents"
    documents.mkdir()
    done, _results = run(node(address=taken, subnet=f"127.{octet}.0.0/20", config_path=str(documents)))
    assert "address" in done.failed().failures[0]
    assert rows(lab, "worker_vm", name="conf88") == []
    assert list(documents.iterdir()) == []


def test_a_refused_upload_takes_the_registration_back(lab, run):
    """An instance waits for a document; it gets one that is for another address."""
    octet = lab.env["LAB_NETWORK"].split(".")[1]
    (group,) = lab.ec2().describe_security_groups(Filters=[{"Name": "group-name", "Values": ["pexip-nodes"]}])[
        "SecurityGroups"
    ]
    launched = lab.ec2().run_instances(
        ImageId=CONFERENCING_11_0_0,
        InstanceType="c4.2xlarge",
        MinCount=1,
        MaxCount=1,
        KeyName=lab.env["LAB_KEY_NAME"],
        NetworkInterfaces=[
            {
                "DeviceIndex": 0,
                "SubnetId": lab.env["LAB_SUBNET_A"],
                "Groups": [group["GroupId"]],
                "PrivateIpAddress": f"127.{octet}.0.88",
            }
        ],
    )["Instances"][0]
    bootstrap = {
        "host": launched["PrivateIpAddress"],
        "port": int(lab.env["LAB_BOOTSTRAP_PORT"]),
        "timeout": 60,
        "poll_interval": 1,
    }
    task = node(address=f"127.{octet}.0.89", subnet=f"127.{octet}.0.0/20", bootstrap=bootstrap)
    del task[1]["config_path"]
    done, _results = run(task)
    (message,) = done.failed().failures
    assert "did not take the configuration document" in message
    assert "was taken back" in message
    assert rows(lab, "worker_vm", name="conf88") == []
    # The instance is none the worse: the right document is taken, and the node reports in.
    task[1]["address"] = launched["PrivateIpAddress"]
    wait = ("pexip_node_info", {"name": ["conf88"], "wait": "contact", "poll_interval": 1, "wait_timeout": 120})
    done, (first, second, again) = run(task, wait, task)
    done.succeeded()
    assert (first["changed"], second["complete"], again["changed"]) == (True, True, False)
    status = {row["name"]: row["sync_status"] for row in lab.api("/api/admin/status/v1/worker_vm/?limit=0")["objects"]}
    assert status["conf88"] == "SYNCED"
    run(("pexip_node", {"name": "conf88", "state": "absent"}))[0].succeeded()
    lab.ec2().terminate_instances(InstanceIds=[launched["InstanceId"]])


def test_an_instance_that_never_comes_up_is_waited_for_and_named(lab, run):
    octet = lab.env["LAB_NETWORK"].split(".")[1]
    bootstrap = {"port": int(lab.env["LAB_BOOTSTRAP_PORT"]), "timeout": 2, "poll_interval": 1}
    task = node(address=f"127.{octet}.0.90", subnet=f"127.{octet}.0.0/20", bootstrap=bootstrap)
    del task[1]["config_path"]
    started = time.monotonic()
    done, _results = run(task)
    assert time.monotonic() - started > 2
    (message,) = done.failed().failures
    assert "upload listener" in message
    assert f"127.{octet}.0.90:8443" in message
    assert rows(lab, "worker_vm", name="conf88") == []
