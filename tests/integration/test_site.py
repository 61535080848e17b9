# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""site from nothing, in each of the guide's deployment options, judged by what EC2 and the platform then say."""

from __future__ import annotations

import copy

import pytest

KEPT = ("conf01", "conf03")  # one node in each location is enough here


@pytest.fixture(scope="module", params=["private", "public", "hybrid"])
def site(request, lab_factory, module_play):
    """The deployment option, its lab, its inventory, a check on the empty account, and the first run."""
    deployment = request.param
    with lab_factory(seed="hybrid" if deployment == "hybrid" else None) as lab:
        hosts = copy.deepcopy(lab.inventory_for(deployment))
        nodes = hosts["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
        for name in set(nodes) - set(KEPT):
            del nodes[name]

        def run(**options):
            return module_play(lab, "site", inventory=hosts, **options)

        lab.requests(reset=True)
        check = run(check=True)
        written = lab.writes()
        first = run()
        yield {"deployment": deployment, "lab": lab, "run": run, "check": check, "written": written, "first": first}


def instances(lab) -> dict[str, dict]:
    """The live instances by node name."""
    live = [{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    found = [i for r in lab.ec2().describe_instances(Filters=live)["Reservations"] for i in r["Instances"]]
    return {next(tag["Value"] for tag in i["Tags"] if tag["Key"] == "pexip-infinity-node"): i for i in found}


def test_check_on_an_empty_account_tells_all_and_writes_nothing(site):
    check = site["check"].succeeded()
    assert site["written"] == 0
    for name in KEPT:
        assert f"would launch {name}" in check.output
        assert f"would register {name}" in check.output


def test_all_nodes_are_in_contact(site):
    site["first"].succeeded()
    lab = site["lab"]
    rows = {row["name"]: row for row in lab.api("/api/admin/status/v1/worker_vm/")["objects"]}
    assert {name: row["sync_status"] for name, row in rows.items()} == dict.fromkeys(KEPT, "SYNCED")
    assert {name: row["system_location"] for name, row in rows.items()} == {"conf01": "London", "conf03": "Oslo"}
    assert set(instances(lab)) == {*KEPT, *(() if site["deployment"] == "hybrid" else ("manager",))}


def test_static_nat_address_is_the_public_address(site):
    lab, machines = site["lab"], instances(site["lab"])
    nodes = {node["name"]: node for node in lab.api("/api/admin/configuration/v1/worker_vm/")["objects"]}
    public = {name: machines[name].get("PublicIpAddress") for name in KEPT}
    assert {name: nodes[name]["static_nat_address"] for name in KEPT} == public
    assert all(public.values()) == (site["deployment"] == "public")


def test_elastic_addresses_are_ours_one_a_node(site):
    addresses = site["lab"].ec2().describe_addresses()["Addresses"]
    owners = sorted(
        (next(tag["Value"] for tag in a["Tags"] if tag["Key"] == "pexip-infinity-node"), a.get("InstanceId"))
        for a in addresses
    )
    machines = instances(site["lab"])
    wanted = ("conf01", "manager") if site["deployment"] == "public" else ()
    assert owners == sorted((name, machines[name]["InstanceId"]) for name in wanted)


def test_table_is_the_last_word(site):
    shown = site["first"].results("Show the nodes")[-1]["msg"]
    assert [row.split()[0] for row in shown] == ["Node", *KEPT]
    assert all("SYNCED" in row for row in shown[1:])


def test_again_changes_nothing(site):
    site["lab"].requests(reset=True)
    site["run"]().unchanged()
    assert site["lab"].writes() == 0


def test_check_then_reports_nothing(site):
    site["lab"].requests(reset=True)
    site["run"](check=True).unchanged()
    assert site["lab"].writes() == 0
