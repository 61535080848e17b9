#!/usr/bin/env bash
# The demonstration: a fresh lab, a bursting platform from nothing, the same run again without a change, calls that rise
# until an overflow node starts, the status as a table and as a page, the lab down.
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
  ansible-playbook -i $state/inventory pexip.infinity.site --check --diff
  ansible-playbook -i $state/inventory pexip.infinity.check_bursting
  pexip-lab call --help --state $state
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
# A former demonstration's platform is not what this one shows. What is no lab's directory is nobody's to remove.
if [ -d "$state" ] && [ ! -e "$state/inventory" ] && [ ! -e "$state/log" ] && [ -n "$(ls -A "$state")" ]; then
  echo "error: LAB=$state is a directory that no lab has made" >&2
  exit 1
fi
pexip-lab down --state "$state" >/dev/null
rm -rf "$state"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
pexip-lab up --state "$state"
eval "$(pexip-lab env --state "$state")"
mkdir "$state/inventory"
pexip-lab inventory --state "$state" >"$state/inventory/lab.yml"
# What an operator adds to an inventory to have it burst.
cat >"$state/inventory/overflow.yml" <<YML
---
all:
  vars:
    pexip_overflow: {London: AWS burst, Oslo: AWS burst}
    pexip_bursting_threshold: 5
  children:
    pexip_overflow:
      hosts:
        burst01: {pexip_location: AWS burst}
YML
# Pipelining keeps module files, and so secrets, off the disk.
export ANSIBLE_PIPELINING=1 ANSIBLE_LOCALHOST_WARNING=0

say "From nothing to a bursting platform: pexip.infinity.site"
ansible-playbook -i "$state/inventory" pexip.infinity.site

say "The same again: nothing may change"
ansible-playbook -i "$state/inventory" pexip.infinity.site | tee "$state/second-run.log"
python tests/tools/unchanged.py "$state/second-run.log"

waited=0
say "A conference in London takes 25 of its 30 HD connections: the platform starts an overflow node"
pexip-lab call start --state "$state" --location London --participants 25
until pexip-lab status --state "$state" | grep -Eq 'start +burst01'; do
  [ $((waited += 1)) -le 60 ] || { echo "FAILED: the platform started no overflow node in a minute"; exit 1; }
  sleep 1
done
say "It has started burst01; until the node can host calls"
ansible-playbook -i "$state/inventory" pexip.infinity.start_overflow_nodes -e '{"cloud_bursting_start_names": ["burst01"]}'

say "More join than London can take: the overflow node hosts them"
pexip-lab call start --state "$state" --location London --participants 9
page=.cache/bursting-status.html
mkdir -p .cache
ansible-playbook -i "$state/inventory" pexip.infinity.bursting_status -e bursting_report_html="$PWD/$page"
say "The status as a page, kept for you to look at: $page"

if [ -z "${KEEP:-}" ]; then
  say "What to try next"
  cat <<TXT
  KEEP=1 make demo                leave the lab up, and get the commands to work with it
  docs/architecture.md            how it is made, and how to add a resource
  make help                       the developer's commands
TXT
fi
