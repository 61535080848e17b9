"""Calls: capacity, placement, overflow, loads, and who loses a call (guide: Dynamic bursting, How it works)."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import pytest
from pexip_lab import cli, document, launcher
from pexip_lab.api.testkit import ROOT

pytest_plugins = ("pexip_lab.api.fixtures",)

STATUS = "/api/admin/status/v1/"


class Platform:
    """A Management Node with nodes that are in contact; no machines are behind them."""

    def __init__(self, api):
        self.api = api
        self.calls = api.platform.calls
        self._tokens: dict[str, str] = {}

    def location(self, name: str, **overflow: str) -> str:
        given = {field: f"{ROOT}system_location/{key}/" for field, key in overflow.items()}
        return self.api.add("system_location", name=name, **given)

    def node(self, location: str, instance_type: str = "c4.2xlarge", **given) -> str:
        """Register a node that reports in; returns its name."""
        number = len(self._tokens) + 1
        name, address = f"conf{number:02}", f"127.16.0.{20 + number}"
        answer = self.api.node(location, name=name, address=address, **given)
        self._tokens[address] = document.parse(answer.content).token
        assert self.report(address, instance_type) == "ok"
        return name

    def report(self, address: str, instance_type: str = "c4.2xlarge", **given) -> str:
        report = {"version": "11.0.0", "vcpus": 8, "ram_mb": 15360, "boot_time": self.api.clock.now()}
        return self.api.platform.contact(
            token=self._tokens[address], address=address, instance_type=instance_type, **report | given
        )

    def maintain(self, number: int, mode: bool = True) -> None:
        assert self.api("PATCH", f"worker_vm/{number}/", {"maintenance_mode": mode}).status_code == 202

    def load(self, number: int) -> int:
        return self.api.get(f"{STATUS}worker_vm/{number}/")["media_load"]

    def where(self) -> list[dict[str, int]]:
        return [call["nodes"] for call in self.calls.listed()]


@pytest.fixture
def platform(api):
    return Platform(api)


def test_capacity_follows_the_kind_of_call(platform):
    platform.node(platform.location("London"))
    for kind, capacity in (("hd", 15), ("sd", 34), ("audio", 175)):
        call = platform.calls.start("London", 200, kind)
        assert (call["participants"], call["rejected"]) == (capacity, 200 - capacity), kind
        assert platform.load(1) == 100
        platform.calls.end(call["id"])
        assert platform.load(1) == 0
    assert platform.calls.board.rejected == 600 - 15 - 34 - 175


def test_kinds_share_a_node(platform):
    platform.node(platform.location("London"))
    assert platform.calls.start("London", 17, "sd")["rejected"] == 0
    assert platform.load(1) == 50
    assert platform.calls.start("London", 8)["participants"] == 7


def test_each_further_node_of_a_conference_reserves_one_connection(platform):
    london = platform.location("London")
    for _number in range(3):
        platform.node(london)
    call = platform.calls.start("London", 45)
    assert call["nodes"] == {"conf01": 15, "conf02": 14, "conf03": 14}
    assert call["rejected"] == 2


def test_the_emptiest_node_takes_a_new_conference(platform):
    london = platform.location("London")
    platform.node(london)
    platform.node(london, "c4.4xlarge")
    for _number in range(3):
        platform.calls.start("London", 10)
    assert platform.where() == [{"conf02": 10}, {"conf02": 10}, {"conf01": 10}]


def test_overflow_goes_to_the_primary_and_then_the_secondary_location(platform):
    first, second = platform.location("First"), platform.location("Second")
    other = platform.location("Elsewhere")
    london = platform.location("London", overflow_location1="1", overflow_location2="2")
    for location in (second, first, other, london):
        platform.node(location)
    call = platform.calls.start("London", 50)
    assert call["nodes"] == {"conf04": 15, "conf02": 14, "conf01": 14}
    assert call["rejected"] == 7
    # new participants use what becomes free in the location itself first
    again = platform.calls.start("London", 1)
    assert (again["participants"], again["rejected"]) == (0, 1)
    platform.calls.end(call["id"])
    assert platform.calls.join(again["id"], 2)["nodes"] == {"conf04": 2}
    # and those of another location their own
    assert platform.calls.join(again["id"], 1, "Elsewhere")["nodes"] == {"conf04": 2, "conf03": 1}
    assert platform.load(3) == 14  # the participant and the backplane: 2 of 15


def test_maintenance_keeps_new_conferences_away_and_lets_old_ones_grow(platform):
    london = platform.location("London")
    platform.node(london)
    call = platform.calls.start("London", 3)
    platform.maintain(1)
    assert platform.calls.start("London", 1)["rejected"] == 1
    assert platform.calls.join(call["id"], 1)["participants"] == 4
    platform.node(london)
    assert platform.calls.start("London", 2)["nodes"] == {"conf02": 2}
    assert platform.calls.join(call["id"], 12)["nodes"] == {"conf01": 15, "conf02": 1}
    platform.maintain(1, False)
    assert platform.calls.board.dropped == 0


def test_nodes_out_of_contact_and_proxying_nodes_take_nothing(platform):
    london = platform.location("London")
    platform.node(london)
    platform.node(london, node_type="PROXYING")
    call = platform.calls.start("London", 2)
    platform.calls.left("127.16.0.21")
    assert platform.calls.start("London", 1)["rejected"] == 1
    assert platform.calls.join(call["id"], 1)["rejected"] == 1
    assert platform.api.objects(f"{STATUS}system_location/")[0]["max_hd_calls"] == 0
    # its calls have gone on, until it loses its power
    assert platform.where()[0] == {"conf01": 2}
    platform.calls.lost("127.16.0.21")
    assert (platform.where()[0], platform.calls.board.dropped) == ({}, 2)


@pytest.mark.parametrize("change", ["system_location", "node_type"])
def test_a_change_of_location_or_type_drops_the_calls_and_restarts_the_node(platform, change):
    london = platform.location("London")
    for _number in range(2):
        platform.node(london)
    call = platform.calls.start("London", 20)
    booted = platform.api.clock.now()
    platform.api.clock.advance(minutes=1)
    values = {"system_location": platform.location("Oslo"), "node_type": "PROXYING"}
    assert platform.api("PATCH", "worker_vm/1/", {change: values[change]}).status_code == 202
    (now,) = platform.calls.listed()
    assert (now["nodes"], now["dropped"]) == ({"conf02": 5}, 15)
    assert platform.load(2) == 34  # it is the only node now, so its backplane is free again
    assert platform.calls.board.dropped == 15
    assert [row["node"] for row in platform.api.objects(f"{STATUS}conference_shard/")] == ["127.16.0.22"]
    assert platform.report("127.16.0.21", boot_time=booted) == "restart"
    assert platform.api.get(f"{STATUS}worker_vm/1/")["sync_status"] == "SYNCING"
    platform.api.clock.advance(minutes=2)
    assert platform.report("127.16.0.21") == "ok"
    assert platform.api.get(f"{STATUS}worker_vm/1/")["sync_status"] == "SYNCED"
    assert call["id"] == now["id"]


def test_other_changes_and_refused_ones_drop_nothing(platform):
    london = platform.location("London")
    platform.node(london)
    platform.calls.start("London", 4)
    for change in ({"description": "x"}, {"enable_distributed_database": False}, {"system_location": london}):
        assert platform.api("PATCH", "worker_vm/1/", change).status_code == 202
    refused = {"system_location": platform.location("Oslo"), "name": ""}
    assert platform.api("PATCH", "worker_vm/1/", refused).status_code == 400
    assert platform.api("PATCH", london, {"name": "Londinium"}).status_code == 202
    (call,) = platform.calls.listed()
    assert (call["location"], call["nodes"], call["dropped"]) == ("Londinium", {"conf01": 4}, 0)


def test_a_deleted_node_drops_its_calls(platform):
    platform.node(platform.location("London"))
    platform.calls.start("London", 4)
    assert platform.api("DELETE", "worker_vm/1/").status_code == 204
    assert platform.calls.board.dropped == 4
    assert platform.api.objects(f"{STATUS}conference/") == []


def test_status_resources(platform):
    platform.location("Overflow")
    london = platform.location("London", overflow_location1="1")
    platform.node(london)
    platform.node(f"{ROOT}system_location/1/")
    call = platform.calls.start("London", 18)
    get = platform.api.objects
    (conference,) = get(f"{STATUS}conference/")
    assert (conference["id"], conference["is_started"]) == (call["id"], True)
    shards = {(shard["node"], shard["system_location"]) for shard in get(f"{STATUS}conference_shard/")}
    assert shards == {("127.16.0.21", "London"), ("127.16.0.22", "Overflow")}
    people = get(f"{STATUS}participant/?limit=0&conference={conference['name']}")
    assert len(people) == len({person["id"] for person in people}) == 18
    assert sum(person["media_node"] == "127.16.0.22" for person in people) == 3
    loads = {row["name"]: row["media_load"] for row in get(f"{STATUS}system_location/")}
    assert loads == {"London": 100.0, "Overflow": 27.0}  # 4 of 15 connections
    assert platform.api.get(f"{STATUS}worker_vm/2/statistics/") == {"media_load": 27.0}
    platform.calls.end()
    for resource in ("conference", "conference_shard", "participant"):
        assert get(f"{STATUS}{resource}/") == []
    assert {row["media_load"] for row in get(f"{STATUS}system_location/")} == {0.0}


def test_what_cannot_be_called(platform):
    platform.node(platform.location("London"))
    with pytest.raises(ValueError, match="no location 'Paris'; there are London"):
        platform.calls.start("Paris", 1)
    with pytest.raises(ValueError, match="no kind of call 'smell'"):
        platform.calls.start("London", 1, "smell")
    with pytest.raises(ValueError, match="at least one"):
        platform.calls.start("London", 0)
    with pytest.raises(ValueError, match="no conference"):
        platform.calls.join("nobody", 1)
    assert platform.calls.listed() == []


def test_hundreds_of_participants_are_placed_quickly(platform):
    london = platform.location("London")
    for _number in range(10):
        platform.node(london)
    began = time.monotonic()
    call = platform.calls.start("London", 1000, "audio")
    assert call["participants"] == 1000
    assert time.monotonic() - began < 5


def test_machines_behind_the_calls(another_lab, until, capsys):
    """A stop drops the calls of a node; a restart by a change of location takes about five lab minutes."""
    lab = another_lab("nodes", capacities={"c4.2xlarge": 20})
    state = ("--state", str(lab.files.directory))
    assert cli.main(["call", "start", "--location", "London", "--participants", "25", *state]) == 0
    said = capsys.readouterr()
    assert "5 participants were rejected" in said.err
    identity = said.out.strip()
    assert cli.main(["call", "join", "--id", identity, "--location", "Oslo", "--participants", "3", *state]) == 0
    (call,) = lab.status()["calls"]
    assert call == {
        "id": identity,
        "location": "London",
        "kind": "hd",
        "participants": 23,
        "nodes": {"conf01": 20, "conf02": 3},
        "rejected": 5,
        "dropped": 0,
    }
    assert cli.main(["call", "list", *state]) == 0
    assert identity in capsys.readouterr().out
    nodes = {row["name"]: row for row in lab.api("/api/admin/configuration/v1/worker_vm/")["objects"]}
    instances = {item["name"]: item["id"] for item in lab.status()["instances"]}
    lab.ec2().stop_instances(InstanceIds=[instances["conf01"]])
    until(lambda: lab.status()["dropped"] == 20, "the calls to drop")
    assert lab.status()["calls"][0]["nodes"] == {"conf02": 3}
    london = nodes["conf01"]["system_location"]
    lab.api(nodes["conf02"]["resource_uri"], "PATCH", {"system_location": london})
    assert lab.status()["calls"][0]["nodes"] == {}
    assert (lab.status()["dropped"], lab.status()["rejected"]) == (23, 5)
    with pytest.raises(launcher.LabError, match="no call"):
        lab.call_end("nobody")
    restarted = f"{STATUS}worker_vm/{nodes['conf02']['id']}/"
    until(lambda: lab.api(restarted)["sync_status"] == "SYNCED", "the restart")
    lab.call_end()
    lab.call_start("London", 1)
    assert lab.status()["calls"][0]["nodes"] == {"conf02": 1}
    assert cli.main(["call", "end", *state]) == 0
    assert lab.status()["calls"] == []


def test_a_stopped_node_with_a_new_location_is_there_after_one_boot(another_lab, until):
    """Its start is the restart."""
    lab = another_lab("nodes")
    nodes = {row["name"]: row for row in lab.api("/api/admin/configuration/v1/worker_vm/")["objects"]}
    instance = next(item["id"] for item in lab.status()["instances"] if item["name"] == "conf01")
    ec2 = lab.ec2()
    ec2.stop_instances(InstanceIds=[instance])
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance], WaiterConfig={"Delay": 0})
    lab.api(nodes["conf01"]["resource_uri"], "PATCH", {"system_location": nodes["conf02"]["system_location"]})
    ec2.start_instances(InstanceIds=[instance])
    path = f"{STATUS}worker_vm/{nodes['conf01']['id']}/"
    until(lambda: lab.api(path)["sync_status"] == "SYNCED", "the contact")
    launched = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["LaunchTime"]
    booted = datetime.fromisoformat(lab.api(path)["boot_time"])
    assert booted - launched.replace(tzinfo=None) < timedelta(minutes=2)
    lab.call_start("Oslo", 16)
    assert set(lab.status()["calls"][0]["nodes"]) == {"conf01", "conf02"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("up", "--capacity", "c4.2xlarge"),
        ("up", "--capacity", "c4.2xlarge=none"),
        ("call", "start", "--location", "London", "--kind", "smell"),
        ("call", "join", "--participants", "2"),
    ],
)
def test_bad_commands_are_refused(arguments, capsys):
    with pytest.raises(SystemExit):
        cli.main(arguments)
    assert "error:" in capsys.readouterr().err


def test_a_call_needs_a_place(lab, capsys):
    state = ("--state", str(lab.files.directory))
    assert cli.main(["call", "start", *state]) == 1
    assert "--location" in capsys.readouterr().err
    assert cli.main(["call", "start", "--location", "London", *state]) == 1
    assert "no Management Node is installed" in capsys.readouterr().err
    assert cli.main(["call", "list", *state]) == 0
    assert capsys.readouterr().out == "  none\n"
