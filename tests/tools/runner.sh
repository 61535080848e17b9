#!/usr/bin/env bash
# The built collection under ansible-runner, as AWX runs it; run through `make runner` (QUICK=1: job slices alone).
set -euo pipefail
cd "$(dirname "$0")/../.."

quick=()
if [ -n "${QUICK:-}" ]; then quick=(-m quick); fi
# shellcheck disable=SC2086  # several arguments
pytest tests/runner -n "${WORKERS:-2}" --dist loadfile --junitxml=.cache/reports/runner.xml "${quick[@]}" ${PYTEST_ARGS:-}
