#!/usr/bin/env bash
# Runs every linter, all of them even when one finds something; run through `make lint`.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

failed=()
step() { # name, command...
  local name=$1 log
  shift
  printf -- '-- %s\n' "$name"
  if log=$("$@" 2>&1); then return; fi
  printf '%s\n' "$log"
  failed+=("$name")
}

copy=.cache/ansible_collections/pexip/infinity
step "ruff check" ruff check .
step "ruff format" ruff format --check .
step "ansible-lint" ansible-lint --nocolor -q
step "changelog" antsibull-changelog lint
# Works on the copy, where the collection has its real name and nothing else is around.
step "module documentation" env ANSIBLE_COLLECTIONS_PATH="$PWD/.cache" antsibull-docs lint-collection-docs \
  --plugin-docs --validate-collection-refs dependent --skip-rstcheck "$copy"
step "galaxy-importer" tests/tools/importer.sh
step "coverage table" python tests/tools/coverage.py --check
step "IAM policies" python tests/tools/iam_policies.py --check
step "project laws" pytest -q --tb=short tests/unit/test_project.py

if [ "${#failed[@]}" -gt 0 ]; then
  printf 'lint: FAILED: %s\n' "$(IFS=,; echo "${failed[*]}")"
  exit 1
fi
echo "lint: passed"
