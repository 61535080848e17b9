#!/usr/bin/env bash
# Runs molecule scenarios, some at a time (WORKERS): all of them, or those that are named. Run through `make molecule [ROLE=name]`.
# Each has a lab on a network of its own, and works in .cache/molecule/NAME. `reuse` is that of docs/examples/role-reuse.
# QUICK leaves out what comes after the first verify, the side effect and its mending, and `reuse`.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "${1:-}" = --one ]; then
  if [ "$2" = reuse ]; then exec tests/tools/reuse.sh; fi
  work=$PWD/.cache/molecule/$2
  lab=$work/lab
  export MOLECULE_EPHEMERAL_DIRECTORY=$work ANSIBLE_NOCOLOR=1 NO_COLOR=1
  # What a killed run left behind.
  if [ -d "$lab" ]; then pexip-lab down --state "$lab" >/dev/null; fi
  rm -rf "$work"
  mkdir -p "$work"
  trap 'pexip-lab down --state "$lab" >/dev/null' EXIT
  trap 'exit 130' INT TERM HUP
  molecule create --scenario-name "$2"
  eval "$(pexip-lab env --state "$lab")"
  step() { molecule "$1" --scenario-name "$2"; }
  if [ -e "extensions/molecule/$2/refused.yml" ] && [ -z "${QUICK:-}" ]; then  # its order is its own
    step test "$2"
    exit
  fi
  for part in converge idempotence verify; do step "$part" "$2"; done
  if [ -z "${QUICK:-}" ]; then
    step side-effect "$2"
    if step verify "$2"; then echo "error: verify does not see what the side effect broke" >&2; exit 1; fi
    for part in converge verify; do step "$part" "$2"; done
    # Further looks of its own, which molecule has no command for.
    while read -r playbook; do
      ANSIBLE_CONFIG=$work/ansible.cfg ansible-playbook -i "$work/inventory" "extensions/molecule/$2/$playbook" </dev/null
    done < <(sed -n 's/^ *- verify \(..*\)$/\1/p' "extensions/molecule/$2/molecule.yml")
  fi
  step destroy "$2"
  exit
fi

scenarios=("$@")
if [ "${#scenarios[@]}" -eq 0 ]; then
  for file in extensions/molecule/*/molecule.yml; do
    scenarios+=("$(basename "$(dirname "$file")")")
  done
  if [ -z "${QUICK:-}" ]; then scenarios+=(reuse); fi
fi
for scenario in "${scenarios[@]}"; do
  [ "$scenario" = reuse ] || [ -f "extensions/molecule/$scenario/molecule.yml" ] || { echo "no such scenario: $scenario" >&2; exit 1; }
done

logs=.cache/reports/molecule
mkdir -p "$logs"
export logs
# shellcheck disable=SC2016  # the inner shell expands
printf '%s\n' "${scenarios[@]}" | xargs -P "${WORKERS:-3}" -I '{}' bash -c '
  rm -f "$logs/$1.passed"
  if tests/tools/molecule.sh --one "$1" >"$logs/$1.log" 2>&1 </dev/null; then touch "$logs/$1.passed"; fi
  echo "molecule: $1: $([ -e "$logs/$1.passed" ] && echo passed || echo FAILED), $((SECONDS / 60)):$(printf %02d $((SECONDS % 60)))"
' _ '{}'

failed=()
for scenario in "${scenarios[@]}"; do
  [ -e "$logs/$scenario.passed" ] && continue
  printf '\n==== %s\n' "$scenario"
  cat "$logs/$scenario.log"
  failed+=("$scenario")
done
if [ "${#failed[@]}" -gt 0 ]; then
  echo "molecule: FAILED: ${failed[*]}"
  exit 1
fi
echo "molecule: ${#scenarios[@]} scenarios passed"
