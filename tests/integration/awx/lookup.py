# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for awx.awx.controller_api: gives the objects of an endpoint that the test has written down, and notes the query.

What a module was told to remove before, it gives no more.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.plugins.lookup import LookupBase


def kind_of(endpoint: str) -> str:
    """The module of an endpoint's objects."""
    return "inventory" if endpoint == "inventories" else endpoint.removesuffix("s")


class LookupModule(LookupBase):
    """Of the query only names, description and a credential's type are looked at."""

    def run(self, terms, variables=None, query_params=None, return_all=False):
        (endpoint,) = terms
        query = query_params or {}
        with open(os.environ["AWX_CALLS"], "a", encoding="utf-8") as calls:
            calls.write(json.dumps({"endpoint": endpoint, "query": query}) + "\n")
        found = json.loads(Path(os.environ["AWX_FOUND"]).read_text()).get(endpoint, [])
        names = query["name__in"].split(",") if "name__in" in query else None
        types = query["credential_type__name__in"].split(",") if "credential_type__name__in" in query else None
        calls = [json.loads(line) for line in Path(os.environ["AWX_CALLS"]).read_text().splitlines()]
        gone = {
            (call["module"], call["args"]["name"])
            for call in calls
            if "module" in call and call["args"].get("state") == "absent" and not call["check"]
        }
        return [
            item
            for item in found
            if (names is None or item["name"] in names)
            and (kind_of(endpoint), item["name"]) not in gone
            and (types is None or item["summary_fields"]["credential_type"]["name"] in types)
            and all(query.get(key, item.get(key)) == item.get(key) for key in ("name", "description"))
        ]
