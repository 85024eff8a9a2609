#!/usr/bin/env bash
# Types and tests of the page. Needs what the build needs (see build_web.sh); where Node cannot be had, says so and passes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! bash scripts/build_web.sh; then
  echo 'page: not checked, because it cannot be built here (the lines above say why).' >&2
  command -v npm >/dev/null && exit 1
  exit 0
fi
if [[ -d .venv-node/node ]] && ! { command -v npm >/dev/null && [[ ${BUILD_WEB_NODE:-} != bundled ]]; }; then PATH="$PWD/.venv-node/node:$PATH"; fi
cd web
npm run --silent test
