"""A Management Node's API: Django models built from the facts, served by django-tastypie.

Start reading at `platform` (one Management Node); `models` and `resources` turn the facts into classes,
`decisions` holds what the facts leave open. Importing anything from here sets Django up for the process.
"""

from pexip_lab.api.setup import setup

setup()
