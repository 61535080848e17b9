#!/usr/bin/env bash
# The scenario from beginning to end, on a lab of its own. The roles find the lab as they find AWS, by the environment, so
# that is read between `create` and the rest.
set -euo pipefail
cd "$(dirname "$0")"
export MOLECULE_EPHEMERAL_DIRECTORY=$PWD/.molecule
lab=$MOLECULE_EPHEMERAL_DIRECTORY/lab

# What a killed run left behind.
if [ -d "$lab" ]; then pexip-lab down --state "$lab"; fi
rm -rf "$MOLECULE_EPHEMERAL_DIRECTORY"
trap 'pexip-lab down --state "$lab"' EXIT
trap 'exit 130' INT TERM HUP

ansible-galaxy collection install -r requirements.yml
molecule create
eval "$(pexip-lab env --state "$lab")"
for step in converge idempotence verify side-effect; do molecule "$step"; done
# Else it would not see a role that mends nothing.
if molecule verify; then echo "verify does not see what the side effect broke" >&2; exit 1; fi
for step in converge verify destroy; do molecule "$step"; done
