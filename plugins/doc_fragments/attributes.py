# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module can do: the attributes block. One for modules that change things, one for info modules."""

from __future__ import annotations


class ModuleDocFragment:
    """C(extends_documentation_fragment: pexip.infinity.attributes), or C(pexip.infinity.attributes.info)."""

    DOCUMENTATION = r"""
options: {}
attributes:
  diff_mode:
    description: Tells with C(--diff) what was or would be changed, only the changed fields, with secrets masked.
    support: full
  check_mode:
    description: Can run in check mode and tell what would change, without changing anything.
    support: full
  idempotent:
    description: Run again with the same options, it changes nothing.
    support: full
  platform:
    description: Where the module runs. It speaks to the platform over the network, so plays have C(connection) V(local).
    support: full
    platforms: posix
  action_group:
    description: Use C(group/pexip.infinity.pexip) in C(module_defaults) to give the connection options once.
    support: full
    membership:
      - pexip.infinity.pexip
"""

    INFO = r"""
options: {}
attributes:
  diff_mode:
    description: Tells with C(--diff) what was or would be changed.
    support: N/A
    details:
      - It changes nothing.
  check_mode:
    description: Can run in check mode and tell what would change, without changing anything.
    support: full
  idempotent:
    description: Run again with the same options, it changes nothing.
    support: full
  platform:
    description: Where the module runs. It speaks to the platform over the network, so plays have C(connection) V(local).
    support: full
    platforms: posix
  action_group:
    description: Use C(group/pexip.infinity.pexip) in C(module_defaults) to give the connection options once.
    support: full
    membership:
      - pexip.infinity.pexip
"""
