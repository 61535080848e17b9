# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pexip_bursting_info: what it asks, and what it keeps to itself. Its rules are tested with `bursting`."""

from __future__ import annotations

import yaml
from ansible_collections.pexip.infinity.plugins.module_utils.bursting import Snapshot, overflow_nodes, view
from ansible_collections.pexip.infinity.plugins.modules import pexip_bursting_info
from ansible_collections.pexip.infinity.tests.unit.support import Memory, run_module, run_on

STATUS = ("worker_vm", "cloud_node", "cloud_monitored_location", "cloud_overflow_location", "alarm")


def test_one_request_a_resource_and_no_secret(serve):
    settings = {
        "bursting_enabled": True,
        "bursting_threshold": 5,
        "aws_access_key": "AKIA",
        "aws_secret_key": "hunter2",
    }
    memory = Memory({"global": [settings], "management_vm": [{"name": "mgr", "hostname": "manager", "primary": True}]})
    memory.status = {name: [] for name in STATUS}
    memory.status["cloud_monitored_location"] = [{"name": "London", "free_hd_calls": 5, "overflow_location": None}]
    server = serve(memory)
    done = run_on(server, pexip_bursting_info)
    assert (done["changed"], done["bursting"]["tag_value"]) == (False, "manager")
    assert [place["state"] for place in done["bursting"]["locations"]] == ["bursting threshold reached"]
    assert "hunter2" not in done["stdout"]
    asked = ["GET global/1/", "GET management_vm/", *(f"GET {name}/" for name in STATUS)]
    assert server.lines == asked
    assert run_on(server, pexip_bursting_info, check=True)["bursting"] == done["bursting"]


def test_an_error_of_the_platform_is_told(serve):
    done = run_on(serve(Memory({"global": [{}]})), pexip_bursting_info)
    assert done["failed"]
    assert "management_vm" in done["msg"]


def test_without_a_platform_yet_check_mode_tells_of_none():
    assert run_module(pexip_bursting_info, check=True, host="")["bursting"] == view(Snapshot())


def test_what_is_returned_is_documented():
    documented = yaml.safe_load(pexip_bursting_info.RETURN)["bursting"]["contains"]
    assert set(documented) == set(view(Snapshot()))
    [node] = overflow_nodes([{}], [])
    assert set(documented["nodes"]["contains"]) == set(node)
    [place] = view(Snapshot(monitored=[{}]))["locations"]
    assert set(documented["locations"]["contains"]) == set(place)
