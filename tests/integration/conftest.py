# Copyright (c) 2026, the pexip.infinity authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fixtures of the integration tests; playing.py says what they give."""

from ansible_collections.pexip.infinity.tests.integration import playing

lab, nursery, lab_factory, warm_python = playing.lab, playing.nursery, playing.lab_factory, playing.warm_python
play, module_play = playing.play, playing.module_play
