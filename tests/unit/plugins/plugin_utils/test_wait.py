# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one wait: when it looks again, what it says meanwhile and how it ends. Time passes only by its sleeps."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display
from ansible_collections.pexip.infinity.plugins.action import (
    pexip_cloud_node,
    pexip_node,
    pexip_node_info,
    pexip_node_maintenance,
)
from ansible_collections.pexip.infinity.plugins.plugin_utils.wait import WaitAction, seconds


@pytest.fixture
def said(monkeypatch):
    """The lines that the operator sees."""
    lines = []
    monkeypatch.setattr(Display, "display", lambda self, msg, *args, **options: lines.append(msg))
    return lines


class Looks:
    """What one look after the other returns; the last one repeats. Counts time by the sleeps and by each look."""

    def __init__(self, *results, takes=0.0):
        self.results = list(results)
        self.takes = takes
        self.now = 1000.0
        self.pauses = []
        self.asked = []

    def action(self, args=None, base=WaitAction, **members):
        """An action plugin in front of these looks."""

        def look(action, **asked):
            self.asked.append(asked)
            self.now += self.takes
            return dict(self.results.pop(0) if len(self.results) > 1 else self.results[0])

        def sleep(pause):
            self.pauses.append(pause)
            self.now += pause

        timing = {} if base is not WaitAction else {"MODULE": "a.b.c", "timing": lambda self, args: (60.0, 10.0)}
        tools = {"sleep": staticmethod(sleep), "clock": staticmethod(lambda: self.now), "_execute_module": look}
        kind = type("ActionModule", (base,), {**timing, **tools, **members})
        task = SimpleNamespace(args=args or {}, async_val=0, check_mode=False, diff=False)
        connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir="unused"))
        return kind(task, connection, SimpleNamespace(), None, None, None)


def waiting(*progress, **more):
    """A result that is not there yet."""
    return {"changed": False, "complete": False, "waiting_for": "the node", "progress": list(progress), **more}


DONE = {"changed": False, "complete": True, "node": {"name": "x"}}


@pytest.mark.parametrize("result", [DONE, {"changed": True}, {"failed": True, "msg": "no", "complete": False}])
def test_what_is_complete_or_failed_ends_at_once(said, result):
    looks = Looks(result)
    ended = looks.action({"name": "x"}).run(task_vars={"a": 1})
    assert ended == {"changed": False, **result}
    assert looks.asked == [{"module_name": "a.b.c", "module_args": {"name": "x"}, "task_vars": {"a": 1}}]
    assert (looks.pauses, said) == ([], [])


def test_only_what_is_new_is_said_with_host_and_time(said):
    looks = Looks(
        waiting("a: never", "b: never"), waiting("a: never", "b: never"), waiting("a: never", "b: here"), DONE
    )
    ended = looks.action().run(task_vars={"inventory_hostname": "conf01"})
    assert said == ["  [conf01]    0 s  a: never", "  [conf01]    0 s  b: never", "  [conf01]   20 s  b: here"]
    assert looks.pauses == [10.0] * 3
    assert ended == DONE


AWAY = {"failed": True, "away": True, "msg": "no connection to manager.example.com"}


def test_a_management_node_that_is_away_for_a_while_is_waited_for(said):
    looks = Looks(waiting("a: conferences 1", nodes=["a"], changed=True), AWAY, AWAY, waiting("a: conferences 1"), DONE)
    ended = looks.action().run(task_vars={"inventory_hostname": "conf01"})
    assert ended == {**DONE, "changed": True}
    assert [line.split(" s  ")[1] for line in said] == ["a: conferences 1", AWAY["msg"], "a: conferences 1"]


def test_one_that_stays_away_is_told_and_what_was_seen_before_is_kept(said):
    looks = Looks(waiting("a: conferences 1", nodes=["a"], remedy="Ask."), AWAY)
    ended = looks.action().run(task_vars={})
    assert ended["failed"] and AWAY["msg"] in ended["msg"] and ended["msg"].endswith("Ask.")
    assert ended["nodes"] == ["a"] and "away" not in ended


def test_one_that_is_away_from_the_start_or_refuses_ends_at_once(said):
    assert Looks(AWAY).action().run(task_vars={}) == {"changed": False, "failed": True, "msg": AWAY["msg"]}
    refused = {"failed": True, "msg": "refuses user 'admin' (401)", "status": 401}
    ended = Looks(waiting("a: conferences 1"), refused, DONE).action().run(task_vars={})
    assert ended["failed"] and ended["msg"] == refused["msg"]


def test_a_look_without_progress_says_what_it_waits_for(said):
    Looks(waiting(), DONE).action().run(task_vars={})
    assert said == ["  [localhost]    0 s  waiting for the node"]


def test_a_change_in_any_look_is_a_change(said):
    ended = Looks({**waiting("a"), "changed": True}, waiting("a"), DONE).action().run(task_vars={})
    assert ended == {**DONE, "changed": True}


def test_what_an_earlier_look_did_stays_in_the_result(said):
    looks = Looks(
        {**waiting("a"), "diff": [1], "started": ["a"], "why": "first"},
        {**waiting("a"), "diff": [2], "started": ["a", "b"], "why": "second"},
        {**DONE, "started": [], "why": "third"},
    )
    ended = looks.action(KEPT=("started", "why")).run(task_vars={})
    assert ended == {**DONE, "diff": [1, 2], "started": ["a", "b"], "why": "first"}


def test_time_that_is_up_says_what_how_long_last_seen_and_what_to_do(said):
    looks = Looks(waiting("a: never", "b: never", remedy="Replace it."))
    ended = looks.action(timing=lambda self, args: (25.0, 10.0)).run(task_vars={})
    assert ended["failed"]
    message = "waited 25 seconds (time-out 25) for the node, in vain. Last seen: a: never; b: never. Replace it."
    assert ended["msg"] == message
    assert looks.pauses == [10.0, 10.0, 5.0]
    assert not {"waiting_for", "progress", "remedy"} & set(ended)
    assert ended["complete"] is False


def test_a_time_out_of_zero_looks_once(said):
    looks = Looks(waiting("a"))
    assert looks.action(timing=lambda self, args: (0.0, 10.0)).run(task_vars={})["failed"]
    assert (len(looks.asked), looks.pauses) == (1, [])


def test_slow_looks_count(said):
    looks = Looks(waiting("a"), takes=40.0)
    assert looks.action().run(task_vars={})["failed"]
    assert looks.pauses == [10.0]


def test_a_failure_while_waiting_is_the_result(said):
    looks = Looks(waiting("a"), {"failed": True, "msg": "gone", "changed": False})
    assert looks.action().run(task_vars={}) == {"failed": True, "msg": "gone", "changed": False}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"bootstrap": {"poll_interval": 0}}, "poll_interval: 0 is not a number of seconds above zero"),
        ({"bootstrap": {"poll_interval": -1}}, "poll_interval: -1"),
        ({"bootstrap": {"timeout": -5}}, "timeout: -5"),
        ({"bootstrap": {"timeout": "soon"}}, "timeout: 'soon' is not a number of seconds"),
        ({"bootstrap": {"timeout": [1]}}, r"timeout: \[1\]"),
        ({"bootstrap": {"timeout": "nan"}}, "timeout: 'nan'"),
    ],
)
def test_a_time_that_is_none_is_refused_before_anything_is_asked(said, args, words):
    looks = Looks(DONE)
    with pytest.raises(AnsibleActionFail, match=words):
        looks.action(args, pexip_node.ActionModule).run(task_vars={})
    assert looks.asked == []


@pytest.mark.parametrize(
    ("plugin", "args", "timing"),
    [
        (pexip_node, {}, (900, 5)),
        (pexip_node, {"bootstrap": None}, (900, 5)),
        (pexip_node, {"bootstrap": "host=x"}, (900, 5)),
        (pexip_node, {"bootstrap": {"timeout": "30", "poll_interval": None}}, (30, 5)),
        (pexip_node_info, {}, (900, 10)),
        (pexip_node_info, {"wait_timeout": 5, "poll_interval": "1"}, (5, 1)),
        (pexip_node_maintenance, {}, (3600, 15)),
        (pexip_node_maintenance, {"drain_timeout": "5", "poll_interval": 1}, (5, 1)),
        (pexip_cloud_node, {"wait_timeout": None}, (900, 15)),
    ],
)
def test_times_are_the_options_own_with_their_defaults(plugin, args, timing):
    assert Looks(DONE).action(args, plugin.ActionModule).timing(args) == timing


def test_null_is_the_default():
    assert seconds({"a": None}, "a", 7) == seconds({}, "a", 7) == 7.0
    assert seconds({"a": 0}, "a", 7) == 0.0


@pytest.mark.parametrize(("missing", "failed"), [(None, True), ("true", True), ("no", False), (False, False)])
def test_nodes_that_stay_away_fail_the_task_unless_the_caller_looks_himself(said, missing, failed):
    args = {"wait_timeout": 10} if missing is None else {"wait_timeout": 10, "fail_on_missing": missing}
    looks = Looks(waiting("a: never", nodes=[{"name": "a", "in_contact": False}]))
    ended = looks.action(args, pexip_node_info.ActionModule).run(task_vars={})
    assert bool(ended.get("failed")) is failed
    assert (ended["nodes"], ended["complete"]) == ([{"name": "a", "in_contact": False}], False)
    assert "in vain" in ended["msg"]


def carrying(name, drained, ours=True):
    """A node in maintenance mode as pexip_node_maintenance returns it."""
    return {"name": name, "maintenance_mode": True, "ours": ours, "drained": drained}


BUSY = [carrying("a", True), carrying("b", False), carrying("c", False, ours=False)]


def drained_in_vain(looks, **args):
    """The end of a drain whose time is up."""
    args = {"name": ["a", "b", "c"], "drain": True, "drain_timeout": 0, **args}
    return looks.action(args, pexip_node_maintenance.ActionModule).run(task_vars={"x": 1})


@pytest.mark.parametrize(("missing", "failed", "left"), [(True, True, "a, b, c"), (False, False, "b, c")])
def test_a_drain_in_vain_leaves_the_nodes_in_maintenance_mode_and_says_so(said, missing, failed, left):
    looks = Looks(waiting("b: conferences 1", nodes=BUSY))
    ended = drained_in_vain(looks, fail_on_missing=missing)
    assert (ended["failed"], ended["nodes"]) == (failed, BUSY)
    assert ended["msg"].endswith(f"{left} left in maintenance mode.")
    assert len(looks.asked) == 1


@pytest.mark.parametrize(("missing", "names"), [(True, ["a", "b"]), ("no", ["b"])])
def test_a_drain_in_vain_takes_only_our_nodes_out_again_where_told_so(said, missing, names):
    gone = [{**carrying(name, False, ours=False), "maintenance_mode": False} for name in names]
    looks = Looks(waiting("b: conferences 1", nodes=BUSY), {"changed": True, "nodes": gone, "complete": True})
    ended = drained_in_vain(looks, on_timeout="restore", fail_on_missing=missing)
    asked = looks.asked[1]
    assert asked["task_vars"] == {"x": 1}
    assert {key: asked["module_args"][key] for key in ("name", "state", "drain")} == {
        "name": names,
        "state": "absent",
        "drain": False,
    }
    assert [node["maintenance_mode"] for node in ended["nodes"]] == [node not in names for node in "abc"]
    assert ended["failed"] is (missing is True)
    assert f"{', '.join(names)} taken out of maintenance mode again" in ended["msg"]
    assert ended["changed"]


def test_a_restoration_that_fails_is_a_failure(said):
    looks = Looks(waiting("b: conferences 1", nodes=BUSY), {"failed": True, "msg": "no connection"})
    ended = drained_in_vain(looks, on_timeout="restore", fail_on_missing=False)
    assert ended["failed"]
    assert "conferences 1" in ended["msg"] and "no connection" in ended["msg"]


def test_a_drain_in_vain_goes_on_with_a_warning_where_forced(said):
    ended = drained_in_vain(Looks(waiting("b: conferences 1", nodes=BUSY, warnings=["w"])), on_timeout="force")
    assert not ended.get("failed")
    assert ended["warnings"][0] == "w" and "drops their calls" in ended["warnings"][1]
    assert ended["nodes"] == BUSY


@pytest.mark.parametrize(
    ("args", "states", "start"),
    [
        ({"capacity": 20}, ("pending", "running"), False),
        ({"all": True, "location": "x", "start": True}, ("stopped",), False),
        ({"name": ["b1"]}, ("pending", "stopping"), True),
        ({"name": ["b1"], "start": "no"}, ("stopping",), False),
    ],
)
def test_the_nodes_that_were_chosen_are_waited_for_and_not_started_again(said, args, states, start):
    nodes = [{"instance_id": f"i-{number}", "state": state} for number, state in enumerate(states)]
    begun = {**waiting("x"), "changed": True, "nodes": nodes, "started": ["b1"], "explanation": "why"}
    looks = Looks(begun, {**DONE, "nodes": nodes, "started": [], "explanation": "asked for by name"})
    ended = looks.action({**args, "wait_timeout": 60}, pexip_cloud_node.ActionModule).run(task_vars={})
    assert looks.asked[1]["module_args"] == {
        "name": [node["instance_id"] for node in nodes],
        "start": start,
        "wait_timeout": 60,
    }
    assert (ended["changed"], ended["started"], ended["explanation"]) == (True, ["b1"], "why")
