# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How playbooks end that cannot go on: nothing is written, the cause is told, and the last line resumes."""

from __future__ import annotations

import copy

import pytest

WRONG_PASSWORD = "not-the-right-Secret"
TRUSTED_BY_INVENTORY = {"PEXIP_TLS_FINGERPRINT": ""}


@pytest.fixture(scope="module")
def lab(lab_factory):
    """An installed platform with conf01 and conf02, which all tests leave as it is."""
    with lab_factory(seed="nodes") as lab:
        yield lab


@pytest.fixture
def refused(lab, play):
    """Runs a playbook that must fail without a write."""

    def run(playbook: str, *args: str, **options):
        lab.requests(reset=True)
        failed = play(lab, playbook, *args, **options).failed()
        assert lab.writes() == 0
        return failed

    return run


def with_nodes(lab, **hosts: dict) -> dict:
    """The lab's inventory with more nodes, or with other variables for one that it has."""
    inventory = copy.deepcopy(lab.inventory)
    nodes = inventory["all"]["children"]["pexip_nodes"]["children"]["pexip_always_on"]["hosts"]
    for name, variables in hosts.items():
        nodes[name] = {**nodes.get(name, {}), **variables}
    return inventory


def last_word(run) -> str:
    """The message that says how to resume."""
    return str(run.results("Say how to resume")[-1]["msg"]).splitlines()[-1]


def test_a_plan_is_judged_whole_when_site_is_limited_to_nodes(lab, refused):
    taken = lab.api("/api/admin/configuration/v1/worker_vm/?name=conf01")["objects"][0]["address"]
    free = str(lab.network.subnets[0][99])
    long = "c" * 33
    inventory = with_nodes(
        lab,
        conf11={"pexip_location": "London", "pexip_private_ip": taken},
        conf12={"pexip_location": "London", "pexip_private_ip": free},
        conf13={"pexip_location": "Londres", "pexip_private_ip": free},
        **{long: {"pexip_location": "London"}},
    )
    run = refused("site", "--limit", "conf12", "--tags", "all", inventory=inventory)
    (message,) = run.failures
    for said in (
        f"conf11: pexip_private_ip {taken} is in use by instance i-",
        f"conf11: pexip_private_ip {taken} is the address of the platform's node conf01",
        f"conf12, conf13: pexip_private_ip {free} is given 2 times",
        "conf13: pexip_location Londres does not exist",
        f"{long}: the name has 33 characters",
    ):
        assert said in message
    assert last_word(run).startswith("Nothing was made.")
    assert last_word(run).endswith("inventory.yml pexip.infinity.site --limit conf12")


@pytest.mark.parametrize("playbook", ["deploy_management", "onboard_nodes"])
def test_a_wrong_password(refused, playbook):
    run = refused(playbook, extra_vars={"pexip_password": WRONG_PASSWORD})
    assert "refuses user 'admin' (401)" in run.failures[0]
    assert WRONG_PASSWORD not in run.output
    assert last_word(run).endswith(f"inventory.yml -e pexip_password=<value> pexip.infinity.{playbook}")


@pytest.mark.parametrize(
    ("fingerprint", "said"),
    [("", "is not trusted"), ("00" * 32, "is not the pinned one")],
    ids=["a certificate that nobody vouches for", "another certificate than the pinned one"],
)
def test_an_untrusted_certificate(lab, play, refused, fingerprint, said):
    inventory = play.with_vars(lab.inventory, pexip_tls_fingerprint=fingerprint)
    run = refused("site", inventory=inventory, environment=TRUSTED_BY_INVENTORY)
    assert said in run.failures[0]
    assert set(run.stats) == {"manager"}, "the nodes' plays do not follow"
    assert last_word(run).endswith("inventory.yml pexip.infinity.site")


def test_an_unreachable_management_node(lab, play, refused):
    nobody = str(lab.network.subnets[0][250])
    run = refused("onboard_nodes", inventory=play.with_vars(lab.inventory, pexip_host=nobody))
    assert f"no connection to the management API at {nobody}:{lab.network.api_port}" in run.failures[0]


def test_a_variable_that_refers_to_nothing(lab, refused):
    """As in the README's inventories, without the vault that they need."""
    inventory = with_nodes(lab, conf11={"pexip_location": "London"})
    inventory["all"]["vars"]["pexip_node_password"] = "{{ vault_pexip_node_password }}"
    inventory["all"]["vars"]["pexip_admin_password"] = "{{ vault_pexip_admin_password }}"  # nothing is installed
    run = refused("site", inventory=inventory)
    assert "1. conf11: pexip_node_password: 'vault_pexip_node_password' is undefined: define it" in run.failures[0]
    assert "1 problem(s)" in run.failures[0]


def test_no_management_node(lab, play, refused):
    inventory = play.with_vars(lab.inventory, pexip_host=None, pexip_hostname="other")
    run = refused("onboard_nodes", inventory=inventory, environment={"PEXIP_HOST": ""})
    first, second = run.failures
    assert first.startswith("There is no Management Node other: no instance carries the tags")
    assert "pexip.infinity.deploy_management first" in first
    assert second.endswith("why it was not found, the failure of conf01 says.")
    assert last_word(run).endswith("pexip.infinity.onboard_nodes")


def test_a_node_that_is_refused_alone_is_the_one_to_go_on_with(lab, refused):
    inventory = with_nodes(lab, conf01={"conferencing_node_tenancie": "default"})
    run = refused("onboard_nodes", inventory=inventory)
    assert {name: counts["failures"] for name, counts in run.stats.items()} == {"conf01": 1, "conf02": 0}
    assert last_word(run).startswith("Not finished: conf01.")
    assert last_word(run).endswith("pexip.infinity.onboard_nodes --limit conf01")
