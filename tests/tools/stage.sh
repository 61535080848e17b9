#!/usr/bin/env bash
# Copies the collection to .cache/ansible_collections/pexip/infinity: a real directory of that name, without what git
# ignores, is what ansible-test and antsibull-docs want to work on. amazon.aws stands beside it.
set -euo pipefail
cd "$(dirname "$0")/../.."

stage=.cache/ansible_collections
copy=$stage/pexip/infinity
rm -rf "$copy"
mkdir -p "$copy" "$stage/amazon"
# A deleted file that git still lists is left out.
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --create --null --files-from=- | tar --extract --directory="$copy"
# A repository of its own: ansible-test asks git for the files, and the project's own git ignores this directory.
git init --quiet "$copy"

amazon=$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections/amazon/aws
ln -sfn "$amazon" "$stage/amazon/aws"
