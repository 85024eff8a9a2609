#!/usr/bin/env bash
# Makes or refreshes the environment FOLDER from the hash-pinned LOCK, then links this checkout into it.
# Usage: make_env.sh FOLDER LOCK          PYTHON=… picks the interpreter (default: the first that is new enough)
# Nothing is built in isolation and nothing is resolved: only files whose hash stands in the lock are installed.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
lock=$2
oldest='3.11'

fail() {
  printf 'make: %s\n' "$@" >&2
  exit 1
}

new_enough() {
  "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
  local candidate
  if [[ -n ${PYTHON:-} ]]; then
    new_enough "$PYTHON" || fail "PYTHON=$PYTHON does not run, or is older than Python $oldest." \
      "Give the path of a newer one: make PYTHON=/path/to/python3.12 …"
    echo "$PYTHON"
    return
  fi
  for candidate in python3 python3.13 python3.12 python3.11 python; do
    if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
      echo "$candidate"
      return
    fi
  done
  fail "no Python $oldest or newer found (looked for python3, python3.13, python3.12, python3.11, python on the PATH)." \
    "Install one, for instance 'apt-get install python3.11 python3.11-venv', or say: make PYTHON=/path/to/python3.12 …"
}

parent=$(dirname "$folder")
if ! mkdir -p "$parent" 2>/dev/null || { [[ ! -d $folder ]] && [[ ! -w $parent ]]; } || { [[ -d $folder ]] && [[ ! -w $folder ]]; }; then
  fail "cannot write the environment $folder as user $(id -un)." "Put it elsewhere: make VENV=\"\$HOME/.cache/paperdesk-venv\" …"
fi

if ! new_enough "$folder/bin/python"; then
  python=$(find_python)
  echo "make: new environment $folder with $("$python" --version)" >&2
  rm -rf "$folder"
  if command -v uv >/dev/null; then
    uv venv --quiet --python "$("$python" -c 'import sys; print(sys.executable)')" "$folder"
  else
    "$python" -m venv "$folder" || fail "'$python -m venv' failed." \
      "On Debian and Ubuntu the module lies in a package of its own: apt-get install python3-venv"
  fi
fi

echo "make: installing what $lock pins" >&2
if command -v uv >/dev/null; then
  install=(uv pip install --quiet --python "$folder/bin/python")
else
  "$folder/bin/python" -m pip --version >/dev/null 2>&1 || "$folder/bin/python" -m ensurepip --default-pip >/dev/null
  install=("$folder/bin/python" -m pip install --quiet --no-input)
  if [[ $(id -u) == 0 ]]; then install+=(--root-user-action ignore); fi
fi
"${install[@]}" --require-hashes -r "$lock" || fail "installing $lock failed; pip's own message is above." \
  "A hash mismatch means a file differs from the one that was pinned: do not work around it."
"${install[@]}" --no-deps --no-build-isolation --editable .
