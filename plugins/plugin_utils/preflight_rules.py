# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight rules, in the order in which they are told.

Each reads a plan and yields sentences that name object, field, value and remedy. Sources are the deployment guide's
sections (named at each rule) and the lengths that the management API enforces.
"""

from __future__ import annotations

from ansible_collections.pexip.infinity.plugins.plugin_utils import preflight_account as account
from ansible_collections.pexip.infinity.plugins.plugin_utils import preflight_inputs as inputs
from ansible_collections.pexip.infinity.plugins.plugin_utils import preflight_platform as platform

ERRORS = (
    inputs.undefined_variables,
    inputs.required_variables,
    inputs.legal_names,
    inputs.unique_names,
    inputs.name_servers,
    inputs.declared_locations,
    inputs.management_stations,
    account.one_region,
    account.security_groups_vpc,
    account.prerequisites,
    account.images,
    account.instance_types,
    account.addresses,
    account.public_addresses,
    platform.instances,
    platform.same_instance,
    platform.orphans,
    platform.identity,
    platform.locations,
    platform.existing_locations,
)
WARNINGS = (
    inputs.login_key,
    account.unwanted_public_addresses,
    platform.unknown_instances,
    platform.spread_locations,
    platform.large_fleet,
    platform.mixed_overflow,
)
