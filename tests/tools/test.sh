#!/usr/bin/env bash
# Everything that is checked; run through `make test`. Sanity shares the machine with lint and the unit tests; what
# waits for labs follows alone. All parts run even when one fails, and a summary closes the output.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

reports=.cache/reports
rm -rf "$reports"
mkdir -p "$reports"
make stage

pids=()
trap '[ "${#pids[@]}" -eq 0 ] || kill "${pids[@]}" 2>/dev/null' EXIT

run() { # part: its output and exit status go to files
  local started=$SECONDS status=0
  make "$1" >"$reports/$1.log" 2>&1 </dev/null || status=$?
  echo "$status $((SECONDS - started))" >"$reports/$1.status"
}

show() { # part
  local status seconds
  read -r status seconds <"$reports/$1.status"
  printf '\n==== make %s: %s, %d:%02d\n' "$1" "$([ "$status" -eq 0 ] && echo passed || echo "FAILED ($status)")" \
    $((seconds / 60)) $((seconds % 60))
  cat "$reports/$1.log"
}

printf '==== running: lint, sanity and units side by side\n'
run sanity &
pids=($!)
run lint
show lint
run units
show units
wait "${pids[0]}"
pids=()
show sanity

for part in integration molecule; do
  printf '\n==== running: %s\n' "$part"
  started=$SECONDS
  make "$part" </dev/null 2>&1 | tee "$reports/$part.log"
  echo "${PIPESTATUS[0]} $((SECONDS - started))" >"$reports/$part.status"
done

python tests/tools/summary.py "$reports"
