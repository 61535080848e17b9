# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin: hosts, groups and variables, requests counted, cache, filters, names, the join with EC2, errors."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.doc_fragments import constructed, inventory_cache
from ansible_collections.pexip.infinity.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.pexip.infinity.plugins.inventory import pexip_nodes
from ansible_collections.pexip.infinity.plugins.module_utils.module import CONNECTION_OPTIONS
from ansible_collections.pexip.infinity.plugins.plugin_utils import ec2_instances
from ansible_collections.pexip.infinity.plugins.plugin_utils.node_hosts import (
    ALWAYS_ON,
    OVERFLOW,
    bursts,
    instance_facts,
)
from ansible_collections.pexip.infinity.tests.unit.support import PASSWORD, Memory, Reply, Server, authority
from moto.server import ThreadedMotoServer

NAME = "pexip.infinity.pexip_nodes"
NOW, EARLIER = "2026-11-23T10:05:00", "2026-11-23T09:00:00"
READ = ["GET cloud_node/", "GET worker_vm/", "GET worker_vm/"]
SYNCED = {"sync_status": "SYNCED", "last_updated": NOW, "version": "11.0.0 (26902.0.0)"}
# What of the configuration the filters of these tests can be about.
FIELDS = ("id", "name", "hostname", "address", "node_type", "system_location", "snmp_community")
TEMPLATE = "{{ lookup('ansible.builtin.pipe', 'echo evaluated') }}"


def load() -> pexip_nodes.InventoryModule:
    """The plugin with its options, as Ansible's loader makes it: a test process has no such loader for collections."""
    fragments = [ModuleDocFragment.PLUGIN, constructed.ModuleDocFragment.DOCUMENTATION]
    fragments += [inventory_cache.ModuleDocFragment.DOCUMENTATION, pexip_nodes.DOCUMENTATION]
    options = {name: option for text in fragments for name, option in yaml.safe_load(text)["options"].items()}
    constants.config.initialize_plugin_configuration_definitions("inventory", NAME, options)
    plugin = pexip_nodes.InventoryModule()
    plugin._load_name = plugin.ansible_name = NAME
    plugin._redirected_names = [NAME]
    return plugin


def platform(names: list[str], *, without_status: tuple[str, ...] = ()) -> Memory:
    """A platform with nodes in London and, whose names begin with burst, in AWS burst."""
    memory = Memory(
        {"system_location": [{"name": "London"}, {"name": "AWS burst"}, {"name": "Oslo"}], "worker_vm": []},
        hidden=(),
        schemas={"worker_vm": {"fields": {name: {"type": "string"} for name in FIELDS}}},
    )
    uris = {row["name"]: row["resource_uri"] for row in memory.of("system_location")}
    memory.status = {"worker_vm": [], "cloud_node": []}
    for number, name in enumerate(names):
        location = "AWS burst" if name.startswith("burst") else "London"
        node = memory.add(
            "worker_vm",
            {
                "name": name,
                "hostname": name.lower(),
                "domain": "example.com",
                "address": f"10.0.{number // 250}.{number % 250 + 4}",
                "node_type": "CONFERENCING",
                "system_location": uris[location],
                "enable_distributed_database": location == "London",
                "static_nat_address": None,
                "snmp_community": "hunter2",
            },
        )
        if name not in without_status:
            row = {"configuration_id": node["id"], "name": name, "system_location": location}
            memory.status["worker_vm"].append({**row, **SYNCED})
    return memory


@pytest.fixture
def memory() -> Memory:
    return platform(["conf02", "conf01", "burst01"])


@pytest.fixture
def api(serve: Callable[..., Server], memory: Memory) -> Server:
    return serve(memory)


@pytest.fixture
def make(tmp_path: Path, api: Server) -> Callable[..., InventoryData]:
    """Makes an inventory of the platform as Ansible does; options are the file's, None takes one of these away."""

    def maker(*, flush: bool = False, **options: Any) -> InventoryData:
        place = {"host": "127.0.0.1", "port": api.port, "password": PASSWORD, "tls_fingerprint": api.fingerprint}
        given = {"plugin": NAME, **place, **options}
        path = tmp_path / "pexip_nodes.yml"
        path.write_text(yaml.safe_dump({name: value for name, value in given.items() if value is not None}))
        plugin, inventory = load(), InventoryData()
        assert plugin.verify_file(str(path))
        plugin.parse(inventory, DataLoader(), str(path), cache=not flush)
        if options.get("cache"):
            plugin.update_cache_if_changed()
        inventory.reconcile_inventory()
        return inventory

    return maker


def members(inventory: InventoryData) -> dict[str, list[str]]:
    """The hosts of every group that has some."""
    found = {name: sorted(host.name for host in group.get_hosts()) for name, group in inventory.groups.items()}
    return {name: names for name, names in found.items() if names and name not in ("all", "ungrouped")}


def variables(inventory: InventoryData, host: str) -> dict[str, Any]:
    return inventory.get_host(host).get_vars()


def test_the_environment_names_are_those_of_the_modules():
    plugin, module = (
        yaml.safe_load(getattr(ModuleDocFragment, name))["options"] for name in ("PLUGIN", "DOCUMENTATION")
    )
    assert list(plugin) == list(module) == list(CONNECTION_OPTIONS)
    for name, option in CONNECTION_OPTIONS.items():
        [twin] = option["fallback"][1:]
        assert plugin[name]["env"] == [{"name": entry} for entry in twin]
        assert (plugin[name]["type"], plugin[name].get("default")) == (option["type"], option.get("default"))
        assert {key: value for key, value in plugin[name].items() if key not in ("env", "description")} == {
            key: value for key, value in module[name].items() if key != "description"
        }


def test_only_files_of_its_own_name_are_read(tmp_path):
    plugin = load()
    for name, mine in (
        ("pexip_nodes.yml", True),
        ("eu.pexip_nodes.yaml", True),
        ("hosts.yml", False),
        ("x.json", False),
    ):
        (tmp_path / name).write_text("")
        assert plugin.verify_file(str(tmp_path / name)) is mine
    assert plugin.verify_file(str(tmp_path / "missing_pexip_nodes.yml")) is False


def test_nodes_are_hosts_with_their_variables_in_the_groups_of_the_playbooks(make, api, memory):
    memory.of("worker_vm")[0] |= {"maintenance_mode": True, "maintenance_mode_reason": "disk"}
    memory.status["worker_vm"][2] |= {"last_updated": EARLIER}
    inventory = make(management_node="manager")
    assert sorted(api.lines) == READ
    assert members(inventory) == {
        "pexip_nodes": ["burst01", "conf01", "conf02"],
        "pexip_always_on": ["conf01", "conf02"],
        "pexip_overflow": ["burst01"],
        "pexip_management": ["manager"],
    }
    seen = variables(inventory, "conf02")
    wanted = {
        "ansible_host": "10.0.0.4",
        "pexip_address": "10.0.0.4",
        "pexip_name": "conf02",
        "pexip_node_id": 4,
        "pexip_fqdn": "conf02.example.com",
        "pexip_location": "London",
        "pexip_node_type": "CONFERENCING",
        "pexip_kind": ALWAYS_ON,
        "pexip_maintenance_mode": True,
        "pexip_maintenance_mode_reason": "disk",
        "pexip_sync_status": "SYNCED",
        "pexip_last_updated": NOW,
        "pexip_in_contact": True,
        "pexip_node_version": "11.0.0 (26902.0.0)",
        "pexip_static_nat_address": None,
    }
    assert {name: seen[name] for name in wanted} == wanted
    assert (seen["pexip_status"]["version"], seen["pexip_configuration"]["hostname"]) == (SYNCED["version"], "conf02")
    # SYNCED it still is, but an hour ago: it is stopped.
    assert variables(inventory, "burst01")["pexip_in_contact"] is False
    place = {"pexip_host": "127.0.0.1", "pexip_port": api.port, "pexip_tls_fingerprint": api.fingerprint}
    for host in ("manager", "conf01"):
        assert place.items() <= variables(inventory, host).items()
    everything = repr([variables(inventory, name) for name in inventory.hosts])
    assert PASSWORD not in everything and "hunter2" not in everything and "pexip_instance_id" not in everything


def test_groups_are_there_although_they_are_empty(make, serve, memory):
    memory.tables["worker_vm"].clear()
    inventory = make()
    assert {"pexip_nodes", "pexip_always_on", "pexip_overflow"} <= set(inventory.groups)
    assert (members(inventory), "pexip_management" in inventory.groups) == ({}, False)


@pytest.mark.parametrize(
    ("cloud", "tags", "database", "kind"),
    [
        ([], {}, True, ALWAYS_ON),
        ([7], {}, True, OVERFLOW),  # the platform says so
        ([8, None], {}, True, ALWAYS_ON),
        ([], {"pexip-cloud": "manager"}, True, OVERFLOW),  # bursting is disabled, and the instance tagged
        ([], {}, False, OVERFLOW),  # taken out by stop_nodes
    ],
)
def test_overflow_nodes_are_known_by_platform_tag_or_database(cloud, tags, database, kind):
    node = {"id": 7, "enable_distributed_database": database}
    assert (OVERFLOW if bursts(node, {"tags": tags}, cloud) else ALWAYS_ON) == kind


def test_a_thousand_nodes_take_three_requests(make, api, serve):
    api.answer = platform([f"conf{number:04}" for number in range(1000)])
    began = time.monotonic()
    inventory = make(keyed_groups=[{"key": "pexip_location", "prefix": "location"}])
    assert sorted(api.lines) == READ
    assert len(members(inventory)["location_London"]) == 1000
    assert time.monotonic() - began < 30


def test_locations_are_asked_for_only_where_no_status_names_them(make, api):
    api.answer = platform(["conf01", "conf02", "burst01"], without_status=("conf02",))
    inventory = make()
    assert sorted(api.lines) == READ
    seen = variables(inventory, "conf02")
    assert (seen["pexip_location"], seen["pexip_status"], seen["pexip_sync_status"]) == ("London", {}, None)
    assert (seen["pexip_in_contact"], seen["pexip_last_updated"]) == (False, None)

    api.answer = platform(["conf01", "burst01"], without_status=("burst01",))
    before = len(api.lines)
    assert variables(make(), "burst01")["pexip_location"] == "AWS burst"
    assert sorted(api.lines[before:]) == ["GET cloud_node/", "GET system_location/", "GET worker_vm/", "GET worker_vm/"]


def test_constructed_groups_and_variables(make):
    inventory = make(
        strict=True,
        compose={"label": "pexip_name ~ '@' ~ pexip_location"},
        groups={"away": "not pexip_in_contact", "lon-don": "label == pexip_name ~ '@London'"},
        keyed_groups=[
            {"key": "pexip_location", "prefix": "in", "parent_group": "by_location"},
            {"key": "pexip_static_nat_address", "prefix": "nat", "default_value": "none"},
            {"key": "pexip_kind", "prefix": "", "separator": "_"},
        ],
        leading_separator=False,
    )
    assert variables(inventory, "conf01")["label"] == "conf01@London"
    found = members(inventory)
    assert found["lon_don"] == ["conf01", "conf02"]
    assert found["in_AWS_burst"] == found["overflow"] == ["burst01"]
    assert found["by_location"] == found["nat_none"] == ["burst01", "conf01", "conf02"]
    assert "away" not in found


@pytest.mark.parametrize(
    "options",
    [
        {"compose": {"x": "pexip_nothing"}},
        {"groups": {"x": "pexip_nothing"}},
        {"keyed_groups": [{"key": "pexip_nothing"}]},
    ],
)
def test_strict_makes_a_bad_expression_an_error(make, options):
    with pytest.raises(AnsibleParserError if "compose" not in options else Exception, match="pexip_nothing"):
        make(strict=True, **options)
    assert members(make(**options))["pexip_nodes"] == ["burst01", "conf01", "conf02"]


def test_what_a_server_says_is_no_template(make, memory):
    memory.of("worker_vm")[0]["maintenance_mode_reason"] = TEMPLATE
    memory.status["worker_vm"][0]["hypervisor"] = TEMPLATE
    inventory = make(
        strict=True,
        compose={"copy": "pexip_maintenance_mode_reason", "inner": "pexip_status.hypervisor | default(none)"},
        keyed_groups=[{"key": "pexip_maintenance_mode_reason", "prefix": "why", "default_value": "none"}],
    )
    seen = variables(inventory, "conf02")
    assert seen["copy"] == seen["inner"] == seen["pexip_maintenance_mode_reason"] == TEMPLATE
    assert [name for name in inventory.groups if name == "why_evaluated"] == []


# Names, prefix, templates


@pytest.mark.parametrize(
    ("preferences", "name"),
    [
        (["name"], "conf01"),
        (["fqdn"], "conf01.example.com"),
        (["static_nat_address", "address"], "10.0.0.5"),
        (["static_nat_address"], "conf01"),
        (["hostname"], "conf01"),
    ],
)
def test_hosts_are_named_by_preference(make, preferences, name):
    assert name in make(hostnames=preferences).hosts


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hostnames": ["hostnam"]}, "hostnames: 'hostnam' is nothing that is known of a node. Existing: 'hostname'"),
        ({"hostnames": ["node_type"]}, "the nodes burst01 and conf01 would both be the host CONFERENCING"),
        ({"management_node": "conf01"}, "management_node: conf01 is the name of a Conferencing Node"),
        ({"hostname": ["name"]}, "unknown option 'hostname'. Existing: 'hostnames'"),
        ({"host": None}, r"host is required: .* \(or PEXIP_HOST\)"),
        ({"password": None}, r"password is required: .* \(or PEXIP_PASSWORD\)"),
        ({"host": "https://manager"}, "host: 'https://manager' is not a host name or address"),
        ({"port": 70000}, "port: 70000 is not a TCP port"),
        ({"timeout": 0}, "timeout: 0 is not a time in seconds"),
        ({"tls_fingerprint": None, "ca_path": "/nowhere"}, "ca_path: there is no file or directory /nowhere"),
        ({"ec2": True}, "management_node is required with ec2"),
        ({"host": "{{ nobody_defined_this }}"}, "host: .*nobody_defined_this.* is undefined"),
        ({"filters": {"limit": 5}}, "filters: limit is no field"),
        ({"filters": {"name__in": []}}, "filters: name__in has no value, so it would filter nothing"),
        ({"status_filters": {"name": None}}, "status_filters: name has no value"),
        ({"filters": {"snmp_community": "x"}}, "filters: snmp_community is secret"),
        ({"filters": {"nam": "conf01"}}, "filters: 'nam' is not a field of worker_vm. Existing: 'name'"),
        ({"filters": {"name": "true"}}, "filters: name: the platform takes 'true' for a boolean or null"),
    ],
)
def test_an_error_says_what_is_wrong_and_what_to_do(make, options, words):
    with pytest.raises(AnsibleParserError, match=words) as caught:
        make(**options)
    assert PASSWORD not in str(caught.value)


def test_a_wrong_password_is_named_and_not_shown(make, api):
    api.answer = lambda request: Reply(401)
    with pytest.raises(AnsibleParserError, match=r"refuses user 'admin' \(401\).*PEXIP_PASSWORD") as caught:
        make()
    assert PASSWORD not in str(caught.value)


def test_another_prefix_is_for_all_variables_of_the_plugin(make):
    seen = variables(make(hostvars_prefix="px_"), "conf01")
    assert seen["px_location"] == "London" and seen["px_host"] == "127.0.0.1"
    assert [name for name in seen if name.startswith("pexip_")] == []


def test_options_can_be_templates_and_come_from_the_environment(make, api, monkeypatch):
    monkeypatch.setenv("MY_PORT", str(api.port))
    monkeypatch.setenv("PEXIP_HOST", "127.0.0.1")
    monkeypatch.setenv("PEXIP_PASSWORD", "{{ not a template }}")
    monkeypatch.setenv("PEXIP_TLS_FINGERPRINT", api.fingerprint)
    monkeypatch.setenv("PEXIP_TIMEOUT", "7")
    from_environment = {"host": None, "password": None, "tls_fingerprint": None}
    inventory = make(
        **from_environment,
        port="{{ lookup('env', 'MY_PORT') }}",
        filters={"name": "{{ 'conf' ~ '01' }}"},
    )
    assert members(inventory)["pexip_nodes"] == ["conf01"]
    assert variables(inventory, "conf01")["pexip_timeout"] == 7
    user, _colon, password = api.requests[-1].headers["Authorization"].partition(" ")
    assert (user, password) == ("Basic", "YWRtaW46e3sgbm90IGEgdGVtcGxhdGUgfX0=")


# Filters


def test_a_ca_file_is_a_variable_only_where_the_inventorys_file_names_it(make, tmp_path, monkeypatch):
    """One that the environment names may be there for this run alone."""
    path = str(tmp_path / "ca.pem")
    authority().cert_pem.write_to_path(path)
    monkeypatch.setenv("PEXIP_CA_PATH", path)
    assert "pexip_ca_path" not in make(tls_fingerprint=None).get_host("conf01").get_vars()
    assert make(tls_fingerprint=None, ca_path=path).get_host("conf01").get_vars()["pexip_ca_path"] == path


@pytest.mark.parametrize("given", [{}, {"ca_path": ""}])
def test_an_empty_ca_is_none_as_awx_gives_it(make, monkeypatch, given):
    asked = []
    really = pexip_nodes.open_client
    monkeypatch.setenv("PEXIP_CA_PATH", "")
    monkeypatch.setattr(pexip_nodes, "open_client", lambda place: asked.append(place.ca_path) or really(place))
    assert "pexip_ca_path" not in make(**given).get_host("conf01").get_vars()
    assert asked == [None]


def test_filters_are_evaluated_by_the_platform(make, api):
    inventory = make(filters={"name": "conf01"}, status_filters={"sync_status": "SYNCED"})
    assert members(inventory)["pexip_nodes"] == ["conf01"]
    asked = [{**request.query} for request in api.requests if request.line == "GET worker_vm/"]
    assert asked == [{"limit": "1000", "name": "conf01"}, {"limit": "1000", "sync_status": "SYNCED"}]
    assert len(api.requests) == 3


def test_a_status_filter_leaves_out_who_does_not_pass_and_who_has_no_status(make, api):
    api.answer = platform(["conf01", "conf02", "conf03"], without_status=("conf03",))
    api.answer.status["worker_vm"][1]["sync_status"] = "OUT_OF_SYNC"
    assert members(make(status_filters={"sync_status": "SYNCED"}))["pexip_nodes"] == ["conf01"]


def test_a_filter_that_finds_nothing_is_checked_against_the_schema(make, api):
    assert members(make(filters={"name": "nobody"})) == {}
    assert sorted(api.lines) == ["GET cloud_node/", "GET worker_vm/", "GET worker_vm/", "GET worker_vm/schema/"]


def test_a_refused_filter_names_the_option(make, api):
    api.script = [Reply(400, {"error": "The 'name' field does not support relations."})]
    with pytest.raises(AnsibleParserError, match="filters: GET .*does not support relations"):
        make(filters={"name__x": "1"})


# Cache


@pytest.fixture
def cached(make, tmp_path):
    """Makes the inventory with a cache in files."""
    kept = {"cache": True, "cache_plugin": "jsonfile", "cache_connection": str(tmp_path / "cache")}
    return lambda **options: make(**{**kept, **options})


def test_a_second_run_asks_nobody(cached, api):
    first = cached(management_node="manager")
    assert len(api.requests) == 3
    second = cached(management_node="manager", password=None)
    assert len(api.requests) == 3
    assert members(second) == members(first)
    assert [variables(second, name) for name in second.hosts] == [variables(first, name) for name in first.hosts]


def test_expired_flushed_and_disabled_caches_are_not_read(cached, api, memory, tmp_path):
    cached()
    memory.add("worker_vm", {**memory.of("worker_vm")[0], "id": 99, "name": "conf99", "address": "10.0.0.99"})
    assert "conf99" not in cached().hosts
    assert "conf99" in cached(cache=False).hosts  # and does not touch it
    assert "conf99" not in cached().hosts
    assert "conf99" in cached(flush=True).hosts
    before = len(api.requests)
    assert "conf99" in cached().hosts and len(api.requests) == before  # the flush has put the new ones there
    del memory.tables["worker_vm"][99]
    for file in (tmp_path / "cache").iterdir():
        os.utime(file, (time.time() - 100, time.time() - 100))
    assert "conf99" in cached(cache_timeout=200).hosts
    assert "conf99" not in cached(cache_timeout=50).hosts
    before = len(api.requests)
    assert "conf99" not in cached(cache_timeout=50).hosts and len(api.requests) == before


def test_another_question_is_not_answered_from_the_cache(cached, api):
    assert len(members(cached())["pexip_nodes"]) == 3
    assert members(cached(filters={"name": "conf01"}))["pexip_nodes"] == ["conf01"]
    assert len(members(cached())["pexip_nodes"]) == 3
    assert len(api.requests) == 6
    cached(username="somebody")
    assert len(api.requests) == 9


def test_no_secret_is_in_the_cache_or_its_name(cached, tmp_path):
    cached(cache_prefix="mine_", aws_secret_key="aws-Secret#2")
    [file] = (tmp_path / "cache").iterdir()
    assert file.name.startswith("mine_") and NAME in file.name
    for secret in (PASSWORD, "hunter2", "aws-Secret#2"):
        assert secret not in file.read_text() and secret not in file.name
    assert "conf01" in file.read_text()


def test_a_failed_run_leaves_the_cache_alone(cached, api):
    api.script = [Reply(500), Reply(500), Reply(500), Reply(500), Reply(500)]
    with pytest.raises(AnsibleParserError):
        cached()
    api.script.clear()
    assert len(cached().hosts) == 3


# EC2


@pytest.fixture(scope="module")
def moto():
    """moto over a real socket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def ec2(moto, monkeypatch):
    """An empty account, which boto3 finds by the environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    client = boto3.client("ec2", region_name="eu-west-1")
    instances = [i["InstanceId"] for r in client.describe_instances()["Reservations"] for i in r["Instances"]]
    if instances:
        client.terminate_instances(InstanceIds=instances)
    return client


@pytest.fixture
def launch(ec2):
    """Launches an instance with a private address, in a subnet of its own network, with tags."""
    places: dict[int, str] = {}

    def launcher(address: str, *, network: int = 0, public: bool = False, **tags: str) -> str:
        if network not in places:
            vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
            places[network] = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/20")["Subnet"]["SubnetId"]
        listed = [{"Key": key.replace("_", "-"), "Value": value} for key, value in tags.items()]
        made = ec2.run_instances(
            ImageId=ec2.describe_images()["Images"][0]["ImageId"],
            InstanceType="c4.2xlarge",
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": places[network],
                    "PrivateIpAddress": address,
                    "AssociatePublicIpAddress": public,
                }
            ],
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}] if listed else [],
        )
        return made["Instances"][0]["InstanceId"]

    return launcher


@pytest.fixture
def joined(make, monkeypatch):
    """The inventory joined with EC2, and the warnings."""
    warnings: list[str] = []
    monkeypatch.setattr(
        "ansible.utils.display.Display.warning", lambda self, text, *args, **kwargs: warnings.append(text)
    )
    options = {"ec2": True, "management_node": "manager.example.com", "aws_regions": ["eu-west-1"]}
    return lambda **more: (make(**{**options, **more}), warnings)


def ours(name: str) -> dict[str, str]:
    return {"pexip_infinity_node": name, "pexip_infinity_platform": "manager"}


def test_nodes_are_joined_with_their_instances(joined, launch, ec2, memory, monkeypatch):
    memory.of("worker_vm")[0]["static_nat_address"] = "192.0.2.1"
    memory.of("worker_vm")[2]["enable_distributed_database"] = True
    conf02 = launch("10.0.0.4", **ours("conf02"), secret="Tag")
    burst01 = launch("10.0.0.6", **ours("burst01"), pexip_cloud="manager")
    ec2.stop_instances(InstanceIds=[burst01])
    monkeypatch.setattr(ec2_instances, "PAGE_SIZE", 5)  # the least that EC2 takes
    inventory, warnings = joined(keyed_groups=[{"key": "pexip_instance_state", "prefix": "is"}])
    seen = variables(inventory, "conf02")
    found = {name.removeprefix("pexip_"): seen[name] for name in seen}
    assert (found["instance_id"], found["instance_type"], found["instance_state"]) == (conf02, "c4.2xlarge", "running")
    assert (found["region"], found["availability_zone"][:9]) == ("eu-west-1", "eu-west-1")
    assert found["subnet_id"].startswith("subnet-") and found["instance_tags"]["secret"] == "Tag"
    assert (found["public_ip"], found["public_address"]) == (None, "dynamic")
    assert variables(inventory, "burst01")["pexip_public_address"] == "none"
    assert members(inventory)["is_stopped"] == members(inventory)["pexip_overflow"] == ["burst01"]
    assert "pexip_instance_id" not in variables(inventory, "conf01") and warnings == []


def test_public_addresses_are_those_of_ec2(joined, launch, ec2, memory):
    for node in memory.of("worker_vm"):
        node["static_nat_address"] = "192.0.2.1"
    launch("10.0.0.5", **ours("conf01"), public=True)
    conf02 = launch("10.0.0.4", **ours("conf02"))
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=conf02)
    inventory, _warnings = joined()
    seen = variables(inventory, "conf02")
    assert (seen["pexip_public_ip"], seen["pexip_public_address"]) == (address["PublicIp"], "elastic")
    seen = variables(inventory, "conf01")
    [reservation] = ec2.describe_instances(InstanceIds=[seen["pexip_instance_id"]])["Reservations"]
    assert seen["pexip_public_ip"] == reservation["Instances"][0]["PublicIpAddress"]


@pytest.mark.parametrize(("owner", "kind"), [("amazon", "dynamic"), ("123456789012", "elastic")])
def test_whose_a_public_address_is_decides_what_it_is(owner, kind):
    """moto, unlike EC2, says of every address that it is the account's."""
    card = {"Association": {"PublicIp": "192.0.2.1", "IpOwnerId": owner}}
    raw = {"InstanceId": "i-1", "InstanceType": "c4.2xlarge", "State": {"Name": "running"}, "NetworkInterfaces": [card]}
    instance = ec2_instances.instance_of({**raw, "PublicIpAddress": "192.0.2.1"}, "eu-west-1")
    facts = instance_facts({"static_nat_address": "192.0.2.1"}, instance)
    assert (facts["public_ip"], facts["public_address"]) == ("192.0.2.1", kind)


def test_regions_are_taken_as_the_modules_of_aws_take_them(joined, launch, make, monkeypatch):
    launch("10.0.0.5", **ours("conf01"))
    for regions in (["eu-west-1", "", "eu-west-1"], "eu-west-1,eu-west-1"):
        inventory, warnings = joined(aws_regions=regions)
        assert "pexip_instance_id" in variables(inventory, "conf01") and warnings == []
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    inventory = make(ec2=True, management_node="manager")
    assert variables(inventory, "conf01")["pexip_region"] == "eu-west-1"
    with pytest.raises(AnsibleParserError, match="ec2: failed to describe the instances of eu west"):
        joined(aws_regions=["eu west"])


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL_EC2", "AWS_ROLE_ARN"])
def test_another_account_of_the_environment_is_not_answered_from_the_cache(cached, ec2, moto, monkeypatch, api, name):
    options = {"ec2": True, "management_node": "manager.example.com", "aws_regions": ["eu-west-1"]}
    # To moto a path makes no difference.
    first, second = (moto, f"{moto}/") if name == "AWS_ENDPOINT_URL_EC2" else ("testing", "another")
    for key, asked in ((first, 3), (first, 3), (second, 6)):
        monkeypatch.setenv(name, key)
        cached(**options)
        assert len(api.requests) == asked


def test_an_instance_without_tags_is_found_by_address_and_never_in_doubt(joined, launch):
    by_hand = launch("10.0.0.5")  # conf01
    launch("10.0.0.4", pexip_infinity_node="other")  # conf02's address, another node's tags
    first, second = launch("10.0.0.6"), launch("10.0.0.6", network=1)  # burst01 twice
    inventory, warnings = joined()
    assert variables(inventory, "conf01")["pexip_instance_id"] == by_hand
    assert "pexip_instance_id" not in variables(inventory, "conf02")
    assert "pexip_instance_id" not in variables(inventory, "burst01")
    [warning] = warnings
    assert "burst01: the instances" in warning and first in warning and second in warning
    inventory, _warnings = joined(ec2_filters={"instance-id": [second]})
    assert variables(inventory, "burst01")["pexip_instance_id"] == second


def test_an_instance_with_another_address_is_not_joined(joined, launch):
    launch("10.0.0.77", **ours("conf01"))
    inventory, [warning] = joined()
    assert "pexip_instance_id" not in variables(inventory, "conf01")
    assert "has the private address 10.0.0.77, and the node is registered with 10.0.0.5" in warning


def test_terminated_instances_are_nobodys(joined, launch, ec2):
    ec2.terminate_instances(InstanceIds=[launch("10.0.0.5", **ours("conf01"))])
    inventory, warnings = joined()
    assert ("pexip_instance_id" in variables(inventory, "conf01"), warnings) == (False, [])


def test_errors_of_ec2_say_what_was_tried(joined, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    tried = "ec2: failed to describe the instances of eu-west-1: .*DescribeInstances"
    with pytest.raises(AnsibleParserError, match=tried):
        joined(aws_access_key="AKIA", aws_secret_key="aws-Secret#2")
    with pytest.raises(AnsibleParserError, match="ec2: failed .*no_such_profile"):
        joined(aws_profile="no_such_profile")
    with pytest.raises(AnsibleParserError, match=r"ec2: failed .*\(no aws_regions given\): You must specify a region"):
        joined(aws_regions=None)
    monkeypatch.setattr(ec2_instances, "boto3", None)
    with pytest.raises(AnsibleParserError, match="needs the Python library boto3 on the controller: pip install boto3"):
        joined()


def test_options_of_aws_are_what_boto3_is_given(joined, monkeypatch):
    given: list[dict[str, Any]] = []

    def read(regions, filters, **session):
        given.append({"regions": regions, "filters": filters, **session})
        return []

    monkeypatch.setattr(pexip_nodes, "live_instances", read)
    monkeypatch.setenv("AWS_REGION", "eu-west-1,eu-north-1")
    joined(aws_regions=None, aws_profile="p", aws_access_key="k", aws_secret_key="s", aws_session_token="t")
    session = {"profile_name": "p", "aws_access_key_id": "k", "aws_secret_access_key": "s", "aws_session_token": "t"}
    assert given == [{"regions": ["eu-west-1", "eu-north-1"], "filters": {}, **session}]


def test_examples_hold_no_credentials_and_are_files_of_the_plugin():
    examples = list(yaml.safe_load_all(pexip_nodes.EXAMPLES))
    assert len(examples) == 4 and {example["plugin"] for example in examples} == {NAME}
    assert "password" not in json.dumps(examples[0])
