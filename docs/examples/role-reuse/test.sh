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
molecule create --scenario-name platform
eval "$(pexip-lab env --state "$lab")"
molecule test --scenario-name platform
