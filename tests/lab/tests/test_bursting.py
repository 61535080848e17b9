"""The bursting engine against the account: what it sees, what it may do, and what it says when it may not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from pexip_lab import launcher
from pexip_lab.client import Lab
from pexip_lab.testing import own_network

STATUS = "/api/admin/status/v1/"
CONFIGURATION = "/api/admin/configuration/v1/"
GLOBAL = f"{CONFIGURATION}global/1/"
START = "/api/admin/command/v1/platform/start_cloudnode/"
TAG = "pexip-cloud"


class Bursting:
    """A lab with the seed `bursting`, and what an administrator does with it."""

    def __init__(self, lab: Lab):
        self.lab = lab
        self.ec2, self.iam = lab.ec2(), lab.iam()
        self.instances = {item["name"]: item["id"] for item in lab.status()["instances"]}

    def rows(self, resource: str) -> list[dict[str, Any]]:
        return self.lab.api(f"{STATUS}{resource}/?limit=0")["objects"]

    def nodes(self) -> dict[str, dict[str, Any]]:
        return {row["cloud_instance_name"]: row for row in self.rows("cloud_node")}

    def state(self, name: str) -> str:
        return next(item["state"] for item in self.lab.status()["instances"] if item["name"] == name)

    def running(self) -> set[str]:
        """The overflow nodes that run or are about to."""
        return {name for name in ("burst01", "burst02") if self.state(name) in ("pending", "running")}

    def issues(self) -> list[str]:
        return [row["details"] for row in self.rows("alarm") if row["name"] == "cloud_bursting"]

    def configure(self, resource: str, name: str, **values: Any) -> None:
        (found,) = self.lab.api(f"{CONFIGURATION}{resource}/?name={name}")["objects"]
        self.lab.api(found["resource_uri"], "PATCH", values)

    def location(self, name: str) -> str:
        return self.lab.api(f"{CONFIGURATION}system_location/?name={name}")["objects"][0]["resource_uri"]

    def settings(self, **values: Any) -> None:
        self.lab.api(GLOBAL, "PATCH", values)

    def tag(self, name: str, value: str | None) -> None:
        resources = [self.instances[name]]
        if value is None:
            self.ec2.delete_tags(Resources=resources, Tags=[{"Key": TAG}])
        else:
            self.ec2.create_tags(Resources=resources, Tags=[{"Key": TAG, "Value": value}])

    def start(self, name: str) -> Any:
        return self.lab.api(START, "POST", {"instance_id": self.instances[name]})

    def actions(self, since: int = 0) -> list[tuple[str, str]]:
        return [(entry["action"], entry["node"]) for entry in self.lab.status()["bursting"][since:]]

    def await_looks(self, until) -> None:
        """Until the engine has looked with all that has happened so far."""
        self.lab.requests(reset=True)
        until(lambda: self.lab.requests().get("bursting DescribeInstances", 0) > 1, "two looks")

    def available(self, name: str) -> bool:
        return (row := self.nodes().get(name)) is not None and row["media_load"] is not None


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Bursting]:
    lab = Lab.up(tmp_path_factory.mktemp("bursting"), seed="bursting", network=own_network(2), time_scale=600)
    yield Bursting(lab)
    lab.down()


@pytest.fixture
def bursting(shared, until) -> Iterator[Bursting]:
    """The shared lab; afterwards it is quiet again."""
    until(lambda: set(shared.nodes()) == {"burst01", "burst02"}, "the overflow nodes to be seen")
    shared.before = len(shared.actions())
    yield shared
    assert shared.lab.status()["dropped"] == 0  # the engine stops only nodes that host nothing
    shared.lab.call_end()
    shared.ec2.stop_instances(InstanceIds=[shared.instances[name] for name in shared.running()])
    until(lambda: {shared.state(name) for name in ("burst01", "burst02")} == {"stopped"}, "the overflow nodes to stop")


def test_what_the_platform_shows(bursting):
    row = bursting.nodes()["burst01"]
    assert row["cloud_instance_id"] == row["aws_instance_id"] == bursting.instances["burst01"]
    for name in ("ip", "launch_time", "name", "state"):
        assert row[f"cloud_instance_{name}"] == row[f"aws_instance_{name}"]
    assert (row["cloud_instance_state"], row["max_hd_calls"], row["media_load"]) == ("stopped", 15, None)
    assert (row["workervm_configuration_name"], row["workervm_configuration_location_name"]) == ("burst01", "AWS burst")
    (overflow,) = bursting.rows("cloud_overflow_location")
    assert (overflow["name"], overflow["media_load"], overflow["free_hd_calls"]) == ("AWS burst", 0, 0)
    monitored = {row["name"]: row for row in bursting.rows("cloud_monitored_location")}
    assert set(monitored) == {"London", "Oslo"}
    assert (monitored["London"]["free_hd_calls"], monitored["London"]["max_hd_calls"]) == (15, 15)
    assert monitored["London"]["overflow_location"] == overflow["resource_uri"]
    assert bursting.issues() == []


def test_it_asks_aws_as_its_own_user_and_is_counted_apart(bursting, until):
    lab = bursting.lab
    lab.requests(reset=True)
    until(lambda: lab.requests().get("bursting DescribeInstances"), "a look")
    assert "aws DescribeInstances" not in lab.requests()
    lab.call_start("London", 10)
    until(lambda: lab.requests().get("bursting StartInstances"), "the start")
    assert lab.writes() == 0


def test_a_threshold_is_reached_and_the_node_takes_over(bursting, until):
    lab = bursting.lab
    call = lab.call_start("London", 9)
    until(
        lambda: {row["name"]: row["free_hd_calls"] for row in bursting.rows("cloud_monitored_location")}["London"] == 6,
        "a look",
    )
    assert bursting.running() == set()
    lab.call_join(call, 1)
    until(lambda: bursting.available("burst01"), "burst01")
    assert bursting.running() == {"burst01"}
    (entry,) = lab.status()["bursting"][bursting.before :]
    assert entry["why"] == "London has 5 HD connections left; the threshold is 5"
    assert (entry["node"], entry["instance"]) == ("burst01", bursting.instances["burst01"])
    lab.call_join(call, 6)
    assert lab.status()["calls"][0]["nodes"] == {"conf01": 15, "burst01": 1}
    until(lambda: bursting.nodes()["burst01"]["media_load"] == 14, "its load")  # 2 of 15


def test_calls_before_the_node_is_available_are_rejected(bursting, until):
    before = bursting.lab.status()["rejected"]
    bursting.lab.call_start("London", 18)
    assert bursting.lab.status()["rejected"] - before == 3
    until(lambda: bursting.running() == {"burst01"}, "the start")


def test_an_idle_node_stops_after_its_minimum_lifetime(bursting, until):
    bursting.settings(bursting_min_lifetime=120)
    bursting.start("burst01")
    until(lambda: bursting.available("burst01"), "burst01")
    call = bursting.lab.call_start("London", 16)
    bursting.lab.clock_advance("3h")
    bursting.await_looks(until)
    assert bursting.actions(bursting.before) == [("start", "burst01")]
    bursting.lab.call_end(call)
    until(lambda: bursting.state("burst01") == "stopped", "the stop")
    assert bursting.actions(bursting.before) == [("start", "burst01"), ("stop", "burst01")]
    assert re.fullmatch(r"idle, and running for \d+ minutes", bursting.lab.status()["bursting"][-1]["why"])
    bursting.settings(bursting_min_lifetime=50)


def test_starting_by_hand(bursting, until):
    answer = bursting.start("burst02")
    assert answer["status"] == "success"
    assert bursting.nodes()["burst02"]["cloud_instance_state"] in ("pending", "running")
    bursting.start("burst02")
    assert bursting.actions(bursting.before) == [("start", "burst02")]
    until(lambda: bursting.available("burst02"), "burst02")
    with pytest.raises(launcher.LabError, match="400.*Failed to find cloud node"):
        bursting.lab.api(START, "POST", {"instance_id": bursting.instances["conf01"]})


def test_a_node_in_maintenance_starts_deaf(bursting, until):
    """Bursting does not look at the maintenance mode: DESIGN, conversion to overflow."""
    bursting.configure("worker_vm", "burst01", maintenance_mode=True)
    bursting.lab.call_start("London", 15)
    until(lambda: bursting.available("burst01"), "burst01")
    before = bursting.lab.status()["rejected"]
    bursting.lab.call_start("London", 1)
    assert bursting.lab.status()["rejected"] == before + 1
    assert bursting.running() == {"burst01"}
    bursting.configure("worker_vm", "burst01", maintenance_mode=False)
    bursting.lab.call_start("London", 1)
    assert bursting.lab.status()["rejected"] == before + 1


def test_two_overflow_locations_act_by_themselves(bursting, until):
    servers = {"dns_servers": [f"{CONFIGURATION}dns_server/1/"], "ntp_servers": [f"{CONFIGURATION}ntp_server/1/"]}
    bursting.lab.api(f"{CONFIGURATION}system_location/", "POST", {"name": "AWS burst 2", **servers})
    first, second = bursting.location("AWS%20burst"), bursting.location("AWS%20burst%202")
    bursting.configure("worker_vm", "burst02", system_location=second)
    bursting.configure("system_location", "Oslo", overflow_location1=second)
    until(lambda: len(bursting.rows("cloud_overflow_location")) == 2, "the second location")
    bursting.lab.call_start("Oslo", 10)
    until(lambda: bursting.running() == {"burst02"}, "burst02")
    bursting.lab.call_start("London", 10)
    until(lambda: bursting.running() == {"burst01", "burst02"}, "burst01")
    bursting.configure("system_location", "Oslo", overflow_location1=first)
    bursting.configure("worker_vm", "burst02", system_location=first)


def test_the_secondary_overflow_location_never_bursts(bursting, until):
    burst = bursting.location("AWS%20burst")
    bursting.configure("system_location", "London", overflow_location1=None, overflow_location2=burst)
    until(lambda: [row["name"] for row in bursting.rows("cloud_monitored_location")] == ["Oslo"], "a look")
    bursting.lab.call_start("London", 15)
    bursting.await_looks(until)
    assert bursting.running() == set()
    # its nodes are used when they run
    bursting.start("burst01")
    until(lambda: bursting.available("burst01"), "burst01")
    bursting.lab.call_start("London", 2)
    assert bursting.lab.status()["calls"][-1]["nodes"] == {"burst01": 2}
    bursting.configure("system_location", "London", overflow_location1=burst, overflow_location2=None)


def test_a_wrong_tag_value_hides_the_node(bursting, until):
    bursting.tag("burst01", "manager.example.com")
    until(lambda: set(bursting.nodes()) == {"burst02"}, "burst01 to vanish")
    bursting.lab.call_start("London", 12)
    until(lambda: bursting.running() == {"burst02"}, "the other node to start")
    bursting.tag("burst01", "manager")


def test_a_tagged_instance_without_a_node_is_an_issue(bursting, until):
    before = len(bursting.rows("alarm"))
    bursting.tag("manager", "manager")
    row = until(lambda: bursting.nodes().get("manager"), "the instance")
    assert (row["workervm_configuration_id"], row["workervm_configuration_name"]) == (None, None)
    assert bursting.issues() == [
        f"Instance manager (with IP {row['cloud_instance_ip']}) was found, but no corresponding Conferencing Node has "
        "been configured"
    ]
    bursting.tag("manager", None)
    until(lambda: len(bursting.rows("alarm")) == before, "the issue to disappear")


def test_without_permission(bursting, until):
    (user,) = [user["UserName"] for user in bursting.iam.list_users()["Users"] if "lab" not in user["UserName"]]
    (policy,) = bursting.iam.list_attached_user_policies(UserName=user)["AttachedPolicies"]
    forbidden = "Not authorized to perform an operation on {}. Check the policy created for the AWS user."
    bursting.iam.put_user_policy(
        UserName=user,
        PolicyName="no-start",
        PolicyDocument='{"Version": "2012-10-17", "Statement": '
        '[{"Effect": "Deny", "Action": "ec2:StartInstances", "Resource": "*"}]}',
    )
    bursting.lab.call_start("London", 12)
    sentence = forbidden.format(bursting.instances["burst01"])
    until(lambda: bursting.issues() == [sentence], "the refusal")
    with pytest.raises(launcher.LabError, match="Not authorized"):
        bursting.start("burst02")
    assert bursting.actions(bursting.before) == []
    bursting.iam.delete_user_policy(UserName=user, PolicyName="no-start")
    until(lambda: bursting.running() == {"burst01"}, "the start")
    until(lambda: bursting.issues() == [], "the issue to disappear")

    bursting.iam.detach_user_policy(UserName=user, PolicyArn=policy["PolicyArn"])
    until(lambda: bursting.issues() == [forbidden.format("eu-west-1")], "the refusal")
    assert bursting.nodes() == {}
    bursting.iam.attach_user_policy(UserName=user, PolicyArn=policy["PolicyArn"])
    until(bursting.nodes, "the nodes")


def test_without_a_valid_key(bursting, until):
    key = bursting.lab.api(GLOBAL)["aws_access_key"]
    bursting.settings(aws_access_key="AKIAWRONG")
    until(lambda: any("not able to validate" in issue for issue in bursting.issues()), "the refusal")
    bursting.settings(aws_access_key="")
    until(lambda: any("No AWS access key" in issue for issue in bursting.issues()), "the complaint")
    bursting.settings(aws_access_key=key)
    until(lambda: bursting.issues() == [], "the issue to disappear")


def test_disabled(bursting, until):
    bursting.settings(bursting_enabled=False)
    for resource in ("cloud_node", "cloud_monitored_location", "cloud_overflow_location"):
        until(lambda resource=resource: bursting.rows(resource) == [], resource)
    with pytest.raises(launcher.LabError, match="Failed to find cloud node"):
        bursting.start("burst01")
    bursting.lab.requests(reset=True)
    bursting.lab.call_start("London", 15)
    bursting.lab.clock_advance("1h")
    assert bursting.lab.requests() == {}
    bursting.lab.call_end()
    bursting.settings(bursting_enabled=True)
