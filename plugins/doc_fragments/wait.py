# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the modules that wait. Their defaults differ: a module adds its own C(default) to each option."""

from __future__ import annotations


class ModuleDocFragment:
    """C(extends_documentation_fragment: pexip.infinity.wait)."""

    DOCUMENTATION = r"""
options:
  wait_timeout:
    description:
      - Seconds to wait before giving up. The error then says what was waited for, how long, and what was seen last.
    type: int
  poll_interval:
    description:
      - Seconds between two looks. What changed since the last one is shown while the task runs.
    type: int
notes:
  - In check mode nothing is waited for.
"""
