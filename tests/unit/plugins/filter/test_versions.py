# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""version_defaults: the guide's values for its day, others for newer versions."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.pexip.infinity.plugins.filter.versions import TABLE, version_defaults


def test_the_guides_own_version():
    assert version_defaults("11.0.0") == {
        "management_instance_types": ["m4.large", "m3.large"],
        "conferencing_instance_types": ["c4.2xlarge", "c3.2xlarge"],
        "port_profile": "default",
    }


@pytest.mark.parametrize(("version", "profile"), [("27.4", "default"), ("28", "current"), ("36.1.0", "current")])
def test_the_row_is_the_last_that_has_begun(version, profile):
    assert version_defaults(version)["port_profile"] == profile


def test_rows_ascend_and_say_the_same_things():
    assert [since for since, _values in TABLE] == sorted({since for since, _values in TABLE})
    assert len({frozenset(values) for _since, values in TABLE}) == 1


def test_a_caller_cannot_change_the_table():
    version_defaults("11")["management_instance_types"].append("t2.nano")
    assert "t2.nano" not in version_defaults("11")["management_instance_types"]


@pytest.mark.parametrize("version", ["", "v11", "eleven", None])
def test_what_is_no_version_is_refused(version):
    with pytest.raises(AnsibleFilterError, match="is not a version"):
        version_defaults(version)
