#!/usr/bin/env bash
# Compiles requirements.lock (to run) and requirements-dev.lock (to test): every version pinned, every file hashed,
# one lock for all supported Pythons and machines, no registry named. With UPGRADE=1 newer versions are taken.
set -euo pipefail
cd "$(dirname "$0")/.."

uv=${UV:-uv}
if ! command -v "$uv" >/dev/null; then
  echo "make lock: uv is not on the PATH. Install it ('python3 -m pip install uv') or give its path: make lock UV=/path/to/uv" >&2
  exit 1
fi

compile() {
  "$uv" pip compile pyproject.toml "$@" ${UPGRADE:+--upgrade} --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet
}

compile --group build --output-file requirements.lock
compile --group build --group dev --constraints requirements.lock --output-file requirements-dev.lock
