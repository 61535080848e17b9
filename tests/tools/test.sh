#!/usr/bin/env bash
# Everything that is checked; run through `make test`. Sanity shares the machine with lint and the unit tests; what
# waits for labs follows alone. All parts run even when one fails, and a summary closes the output. SIDE_EFFECTS=1 runs
# molecule whole, as .ci/run does.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

reports=.cache/reports
rm -rf "$reports"
mkdir -p "$reports"
make stage

run() { # part, command...: its output and exit status go to files
  local part=$1 started=$SECONDS status=0
  shift
  "$@" >"$reports/$part.log" 2>&1 </dev/null || status=$?
  echo "$status $((SECONDS - started))" >"$reports/$part.status"
}

show() { # part
  local status seconds
  read -r status seconds <"$reports/$1.status"
  printf '\n==== make %s: %s, %d:%02d\n' "$1" "$([ "$status" -eq 0 ] && echo passed || echo "FAILED ($status)")" \
    $((seconds / 60)) $((seconds % 60))
  cat "$reports/$1.log"
}

echo "==== running: lint, sanity and units side by side"
# The scripts themselves, for make would stage the collection again under the other's feet. A process group of its own
# for what runs in the background, so that an interruption ends it whole.
set -m
run sanity python tests/tools/sanity.py &
sanity=$!
set +m
trap 'kill -- "-$sanity" 2>/dev/null' EXIT
run lint tests/tools/lint.sh
show lint
run units make units
show units
wait "$sanity"
trap - EXIT
show sanity

for part in integration molecule resilience; do
  printf '\n==== running: %s\n' "$part"
  started=$SECONDS
  quick=1
  if [ "$part" = molecule ] && [ -n "${SIDE_EFFECTS:-}" ]; then quick=; fi
  make "$part" QUICK="$quick" </dev/null 2>&1 | tee "$reports/$part.log"
  echo "${PIPESTATUS[0]} $((SECONDS - started))" >"$reports/$part.status"
done

python tests/tools/summary.py "$reports"
