#!/usr/bin/env bash
# The README's commands for role reuse, as they stand, on the collection as it is built and installed; run through
# `make molecule ROLE=reuse`. Ansible sees no collection here but what they install and amazon.aws, as if from Galaxy.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=$PWD/.cache/molecule/reuse
lab=$work/video/.molecule/lab
if [ -d "$lab" ]; then pexip-lab down --state "$lab" >/dev/null; fi
rm -rf "$work"
mkdir -p "$work/galaxy/ansible_collections/amazon"
ln -s "$PWD" "$work/pexip.infinity"
ln -s "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections/amazon/aws" \
  "$work/galaxy/ansible_collections/amazon/aws"
export ANSIBLE_COLLECTIONS_SCAN_SYS_PATH=false ANSIBLE_COLLECTIONS_PATH=$work/video/collections:$work/galaxy
export ANSIBLE_NOCOLOR=1 NO_COLOR=1

commands=$(sed -n '/^<!-- role reuse -->$/,/^```$/p' README.md | sed '1,2d;$d')
[ -n "$commands" ] || { echo "error: README.md has no commands for role reuse" >&2; exit 1; }
cd "$work"
bash -euo pipefail -c "$commands"
