# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an option's value means to every module that reconciles a resource: stated once, here."""

from __future__ import annotations


class ModuleDocFragment:
    """C(extends_documentation_fragment: pexip.infinity.semantics), and C(pexip.infinity.semantics.secrets)."""

    DOCUMENTATION = r"""
options:
  clear:
    description:
      - Names of fields to clear, that is, to set to null. For the fields that neither V("") nor V([]) can clear, such as
        numbers.
      - A field cannot be given a value and be cleared in the same task.
    type: list
    elements: str
notes:
  - An option that is left out, or null, leaves the field as it is. V("") clears a string or a reference, V([]) a list,
    and O(clear) the rest.
  - A list is compared and written whole. It never adds to what is there. Where order means nothing to the platform, order is not compared.
  - References to other resources are given by name, or by address where an address is what names the thing. A resource URI
    or an id is accepted too. A reference to something that does not exist is an error that lists what does.
  - A default named in a field's description is what the platform gives a new object. It is never sent, so an existing
    object keeps its value.
"""

    # For resources with fields that the platform does not give back, or gives back only hashed.
    SECRETS = r"""
options:
  update_secrets:
    description:
      - When to send the fields that the platform does not give back, or only hashed, such as passwords. They cannot be compared.
      - V(on_create) sends them when the object is created, and never again.
      - V(always) sends them on every run, which then always reports a change.
    type: str
    choices:
      - always
      - on_create
    default: on_create
"""
