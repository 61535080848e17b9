# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for awx.awx.controller_api: gives the objects of an endpoint that the test has written down, and notes the query."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.plugins.lookup import LookupBase


class LookupModule(LookupBase):
    """Of the query only names and description are looked at."""

    def run(self, terms, variables=None, query_params=None, return_all=False):
        (endpoint,) = terms
        query = query_params or {}
        with open(os.environ["AWX_CALLS"], "a", encoding="utf-8") as calls:
            calls.write(json.dumps({"endpoint": endpoint, "query": query}) + "\n")
        found = json.loads(Path(os.environ["AWX_FOUND"]).read_text()).get(endpoint, [])
        names = query["name__in"].split(",") if "name__in" in query else None
        return [
            item
            for item in found
            if (names is None or item["name"] in names)
            and all(query.get(key, item.get(key)) == item.get(key) for key in ("name", "description"))
        ]
