#!/usr/bin/env bash
# Makes .venv, or brings it up to date, when what it is made from has changed; says nothing when there is nothing to do.
# PYTHON=python3.12 chooses the interpreter; without it the first suitable one of the usual names is taken.
set -euo pipefail
cd "$(dirname "$0")/../.."

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

version_of() { # interpreter -> "3.11", or a failure when it cannot run
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null
}

unfit() { # interpreter -> why it will not do; nothing when it will
  local version
  version=$(version_of "$1") || { echo "is not there or does not run"; return; }
  case $version in
    3.11 | 3.12 | 3.13) ;;
    *) echo "is Python $version, and 3.11, 3.12 or 3.13 is needed"; return ;;
  esac
  "$1" -c 'import ensurepip, venv' 2>/dev/null || echo "has no venv module (Debian: apt-get install python$version-venv)"
}

choose_python() {
  local candidate reason
  if [ -n "${PYTHON:-}" ]; then
    reason=$(unfit "$PYTHON")
    [ -z "$reason" ] || die "PYTHON=$PYTHON $reason"
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11; do
    [ -n "$(unfit "$candidate")" ] || { echo "$candidate"; return; }
  done
  die "no Python 3.11, 3.12 or 3.13 with its venv module found: install one, or name it with PYTHON=..."
}

missing=()
for program in git ssh ssh-keygen tar; do
  command -v "$program" >/dev/null || missing+=("$program")
done
[ "${#missing[@]}" -eq 0 ] || die "missing programs: ${missing[*]} (Debian: apt-get install git openssh-client tar)"

venv=.venv
sources=(requirements.txt requirements-dev.txt tests/lab/pyproject.toml tests/tools/venv.sh)
stamp="$PWD $(cat "${sources[@]}" | cksum)"

fits() { # the environment runs, and with the asked-for version of Python
  [ -x "$venv/bin/python" ] && [ -z "$(unfit "$venv/bin/python")" ] || return 1
  [ -z "${PYTHON:-}" ] || [ "$(version_of "$venv/bin/python")" = "$(version_of "$PYTHON")" ]
}

if fits && [ "$(cat "$venv/.stamp" 2>/dev/null)" = "$stamp" ]; then
  exit 0
fi

if ! fits; then
  python=$(choose_python)
  echo "Setting up $venv with $("$python" --version) (a minute or two) ..."
  rm -rf "$venv"
  "$python" -m venv "$venv"
else
  echo "Bringing $venv up to date ..."
fi
rm -f "$venv/.stamp"
# Not compiled: most of what the ansible package brings is never imported, and the rest is compiled when it is.
pip=("$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check)
"${pip[@]}" -r requirements-dev.txt
# compat: a plain path instead of an import hook, which every module that a playbook runs would pay for.
"${pip[@]}" --no-deps -e tests/lab --config-settings editable_mode=compat
# The collection under the name that it is called by: pexip.infinity, for playbooks and for Python alike.
collections=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/ansible_collections
mkdir -p "$collections/pexip"
ln -sfn "$PWD" "$collections/pexip/infinity"
echo "$stamp" > "$venv/.stamp"
