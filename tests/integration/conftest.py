# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixtures of the integration tests; playing.py says what they give."""

from ansible_collections.pexip.infinity.tests.integration.playing import (  # noqa: F401
    lab,
    lab_factory,
    module_play,
    play,
    warm_python,
)
