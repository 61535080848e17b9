# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""unknown_variables: which names are refused, and what is suggested."""

from __future__ import annotations

from ansible_collections.pexip.infinity.plugins.filter.role_variables import known_names, unknown_variables

SPECS = {
    "argument_specs": {
        "main": {"options": {"my_role_sip_udp": {}, "my_role_tags": {}}},
        "locate": {"options": {"my_role_host": {}}},
        "plain": {},
    }
}


def test_known_names_are_those_of_every_entry_point():
    assert known_names(SPECS) == {"my_role_sip_udp", "my_role_tags", "my_role_host"}
    assert known_names(["a", "b"]) == {"a", "b"}


def test_a_misspelt_variable_is_named_with_the_nearest():
    (message,) = unknown_variables(["my_role_sip_upd", "my_role_host", "ansible_host"], "my_role", SPECS)
    assert message == "my_role_sip_upd is not a variable of the role my_role: did you mean my_role_sip_udp?"


def test_internal_and_foreign_names_are_left_alone():
    assert unknown_variables(["my_role__state", "my_rolex", "other_role_tags"], "my_role", SPECS) == []


def test_a_dictionary_of_variables_will_do():
    assert len(unknown_variables({"my_role_b": 1, "my_role_a": 2}, "my_role", SPECS)) == 2
