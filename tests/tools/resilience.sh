#!/usr/bin/env bash
# The attacks of tests/resilience and the table of what was survived; run through `make resilience`. What is left to chance
# follows from a seed, which is printed: PEXIP_TEST_SEED=number makes the same choices again.
set -euo pipefail
cd "$(dirname "$0")/../.."

report=.cache/reports/resilience.xml
quick=()
if [ -n "${QUICK:-}" ]; then
  quick=(-m quick)
else
  export PEXIP_TEST_SEED=${PEXIP_TEST_SEED:-$RANDOM}
fi
status=0
# shellcheck disable=SC2086  # several arguments
pytest tests/resilience -n "${WORKERS:-2}" --dist loadgroup --junitxml="$report" "${quick[@]}" ${PYTEST_ARGS:-} || status=$?
python tests/tools/resilience.py "$report" || status=1
exit "$status"
