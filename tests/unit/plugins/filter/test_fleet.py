# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""wanted_hosts: what the inventory and the environment ask for of a host."""

from __future__ import annotations

from ansible_collections.pexip.infinity.plugins.filter.fleet import wanted_hosts
from jinja2 import StrictUndefined

HOSTVARS = {
    "conf01.lab": {
        "pexip_region": "eu-west-1",
        "pexip_hostname": "manager",
        "pexip_node_password": "x",
        "pexip_private_ip": "10.0.0.8",
        "conferencing_node_private_ip": "10.0.0.9",
        "group_names": ["pexip_nodes", "pexip_overflow"],
    },
    "manager": {"pexip_hostname": "mgr", "pexip_password": ""},
}


def test_a_node():
    (node,) = wanted_hosts(["conf01.lab"], HOSTVARS, "conferencing_node")
    assert node["name"] == "conf01.lab"
    assert node["hostname"] == "conf01"  # pexip_hostname is the Management Node's
    assert node["private_ip"] == "10.0.0.9"
    assert node["region"] == "eu-west-1"
    assert node["public_address"] == "none"
    assert node["overflow"] is True
    assert node["secrets"]["pexip_node_password"] is True
    assert "x" not in node.values()


def test_a_management_node():
    (manager,) = wanted_hosts(["manager"], HOSTVARS, "management_node")
    assert manager["hostname"] == "mgr"
    assert manager["host"] is None
    assert manager["secrets"]["pexip_password"] is False
    assert manager["overflow"] is False


def test_a_variable_that_refers_to_nothing_is_named(monkeypatch):
    monkeypatch.setenv("PEXIP_PASSWORD", "secret")  # a variable goes before its twin, defined or not
    nothing = StrictUndefined(name="vault")
    variables = {"pexip_location": nothing, "conferencing_node_location": "London", "pexip_password": nothing}
    (node,) = wanted_hosts(["conf01"], {"conf01": variables}, "conferencing_node")
    assert node["undefined"] == {"password": "pexip_password: 'vault' is undefined"}
    assert node["secrets"]["pexip_password"] is False
    assert node["location"] == "London"


def test_the_connection_may_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("PEXIP_HOST", "192.0.2.1")
    monkeypatch.setenv("PEXIP_PASSWORD", "secret")
    monkeypatch.setenv("PEXIP_NODE_PASSWORD", "read by nobody")
    (manager,) = wanted_hosts(["manager"], HOSTVARS, "management_node")
    assert manager["host"] == "192.0.2.1"
    assert manager["secrets"] == {"pexip_password": True, "pexip_admin_password": False, "pexip_node_password": False}
    (given,) = wanted_hosts(["m"], {"m": {"management_node_host": "10.0.0.9"}}, "management_node")
    assert given["host"] == "10.0.0.9"
