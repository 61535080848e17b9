#!/usr/bin/env bash
# The demonstration: a fresh lab, a whole platform from nothing, the same run again without a change, the lab down.
# KEEP=1 leaves the lab up and says how to use it. Run through `make demo`.
set -euo pipefail
cd "$(dirname "$0")/../.."

state=${LAB:-.lab}
say() { printf '\n== %s\n' "$*"; }

finish() {
  local status=$?
  trap - EXIT INT TERM HUP
  if [ "$status" -eq 0 ] && [ -n "${KEEP:-}" ]; then
    say "The lab is up. To use it:"
    cat <<TXT
  source .venv/bin/activate
  eval "\$(pexip-lab env --state $state)"
  ansible-playbook -i $state/inventory.yml pexip.infinity.site --check --diff
  make lab-down$([ "$state" = .lab ] || echo " LAB=$state")        when done
TXT
  else
    say "Taking the lab down"
    pexip-lab down --state "$state" || status=1
    # After a failure its logs are of use.
    [ "$status" -ne 0 ] || rm -rf "$state"
  fi
  exit "$status"
}

say "A fresh lab: a simulated AWS account and Pexip's images"
# A former demonstration's platform is not what this one shows.
pexip-lab down --state "$state" >/dev/null
rm -rf "$state"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
pexip-lab up --state "$state"
eval "$(pexip-lab env --state "$state")"
pexip-lab inventory --state "$state" >"$state/inventory.yml"
# Pipelining keeps module files, and so secrets, off the disk.
export ANSIBLE_PIPELINING=1 ANSIBLE_LOCALHOST_WARNING=0

say "From nothing to a working platform: pexip.infinity.site"
ansible-playbook -i "$state/inventory.yml" pexip.infinity.site

say "The same again: nothing may change"
ansible-playbook -i "$state/inventory.yml" pexip.infinity.site | tee "$state/second-run.log"
python tests/tools/unchanged.py "$state/second-run.log"

if [ -z "${KEEP:-}" ]; then
  say "What to try next"
  cat <<TXT
  KEEP=1 make demo                leave the lab up, and get the commands to work with it
  docs/architecture.md            how it is made, and how to add a resource
  make help                       the developer's commands
TXT
fi
