# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one look of pexip_installation hands on to the next."""

import itertools
from types import SimpleNamespace

import pytest
from ansible.plugins.action import ActionBase
from ansible_collections.pexip.infinity.plugins.action.pexip_installation import ActionModule


@pytest.fixture
def run(monkeypatch):
    """Runs the task over given states of the installation and gives its result and the arguments of every look."""

    def runner(*states, tick=0, **options):
        looks = []
        answers = iter(states)

        def execute(_self, *, module_args, **_kwargs):
            looks.append(module_args)
            state, changed = next(answers)
            done = {"complete": state == "installed", "waiting_for": "it", "changed": changed}
            done |= {"progress": [f"it is {state}"], "remedy": "Look at the key"}
            return {**done, "installation": {"state": state}}

        monkeypatch.setattr(ActionBase, "_execute_module", execute)
        monkeypatch.setattr(ActionBase, "run", lambda _self, _tmp, _vars: {})
        action = ActionModule.__new__(ActionModule)
        action._task = SimpleNamespace(args={"host": "172.31.0.10", "poll_interval": 1, **options})
        action.sleep = lambda _seconds: None
        ticks = itertools.count(step=tick)
        action.clock = lambda: float(next(ticks))
        return action.run(task_vars={}), looks

    return runner


def told(looks):
    return [look.get("wizard_completed", False) for look in looks]


def test_after_the_wizard_ssh_is_left_alone(run):
    result, looks = run(
        ("booting", False), ("booting", True), ("rebooting", True), ("rebooting", False), ("installed", False)
    )
    assert told(looks) == [False, False, False, True, True]
    assert [look.get("tls_pin") for look in looks] == [None, None, None, "first_use", "first_use"]
    assert result["changed"] is True
    assert result["installation"]["state"] == "installed"


def test_a_reboot_that_takes_too_long_is_looked_at_again(run):
    _result, looks = run(("rebooting", True), ("rebooting", False), ("starting", False), ("installed", False), tick=140)
    assert told(looks) == [False, True, True, False]
    assert looks[-1]["tls_pin"] == "first_use"


def test_a_platform_that_seems_installed_is_still_looked_at(run):
    result, looks = run(("starting", False), ("starting", False), ("installed", False))
    assert told(looks) == [False, False, False]
    assert result["changed"] is False


def test_a_key_that_is_refused_for_too_long_ends_the_wait(run):
    refusals = [("refused", False)] * 5
    result, looks = run(*refusals, tick=30)
    assert (result["failed"], len(looks)) == (True, 3)
    assert result["msg"] == "it is refused, for 120 seconds now (refusal_timeout 120). Look at the key"
    result, looks = run(*refusals, tick=30, refusal_timeout=0)
    assert (result["failed"], len(looks)) == (True, 1)


def test_a_new_instance_may_refuse_the_key_for_a_moment(run):
    result, _looks = run(("refused", False), ("refused", False), ("rebooting", True), ("installed", False), tick=30)
    assert "failed" not in result
    # Once it says something else, the moment begins anew.
    states = [("refused", False), ("booting", False)] * 4
    result, _looks = run(*states, ("installed", False), tick=30)
    assert "failed" not in result


def test_the_time_may_be_given():
    action = ActionModule.__new__(ActionModule)
    assert action.timing({}) == (1800.0, 5.0)
    assert action.timing({"wait_timeout": 60, "poll_interval": "2"}) == (60.0, 2.0)
