#!/usr/bin/env bash
# Leave a working .venv, from nothing but Python 3.11 to 3.13. Usage: deploy/setup.sh [serve|test]
# Safe to run again: what is already there is not done twice, and then no network is needed.
set -euo pipefail
cd "$(dirname "$0")/.."
purpose=${1:-serve}

say() { printf '\033[36m==>\033[0m %s\n' "$*" >&2; }

find_python() {
  for name in python3.11 python3.12 python3.13 python3; do
    if command -v "$name" >/dev/null && "$name" -c \
      'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$name"; return
    fi
  done
  echo "Atelier needs Python 3.11, 3.12 or 3.13, and none was found. Install one (on Debian or" \
    "Ubuntu: apt-get install python3 python3-pip) and run the same command again." >&2
  exit 1
}

find_uv() {
  if command -v uv >/dev/null && uv --version >/dev/null 2>&1; then command -v uv; return; fi
  if [ ! -x .tools/bin/uv ]; then
    say "uv is not installed: getting it (pinned by hash)"
    "$1" -m pip install --quiet --disable-pip-version-check --target .tools --require-hashes \
      -r deploy/uv.lock.txt >&2
  fi
  echo "$PWD/.tools/bin/uv"
}

packages() {
  # Debian's packages: asked for only when missing, installed only when this user may
  local missing=()
  command -v bwrap >/dev/null || missing+=(bubblewrap)
  ldconfig -p 2>/dev/null | grep -q libseccomp.so.2 || missing+=(libseccomp2)
  if [ "$purpose" = test ]; then
    command -v chromium >/dev/null || missing+=(chromium)
    command -v npm >/dev/null || missing+=(nodejs npm)
    [ -x /usr/lib/postgresql/15/bin/initdb ] || compgen -G '/usr/lib/postgresql/*/bin/initdb' \
      >/dev/null || missing+=(postgresql)
  fi
  [ ${#missing[@]} -eq 0 ] && return
  local run=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then run=(sudo -n); else
      say "Not installed: ${missing[*]}. Ask an administrator to run:"
      say "    apt-get update && apt-get install -y ${missing[*]}"
      say "Going on without: the seal falls back to bubblewrap from the lock file, or to Landlock."
      return
    fi
  fi
  if ! command -v apt-get >/dev/null; then
    say "Not installed: ${missing[*]}, and this system has no apt-get. Install them with its own tool."
    return
  fi
  say "Installing ${missing[*]} from Debian or Ubuntu"
  "${run[@]}" apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive "${run[@]}" apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

python=$(find_python)
stamp=.venv/.atelier-lock
if ! cmp -s requirements.lock "$stamp" 2>/dev/null; then
  uv=$(find_uv "$python")
  [ -x .venv/bin/python ] || "$uv" venv --quiet --python "$python" .venv
  say "Installing the locked packages (about 220, hashes checked)"
  VIRTUAL_ENV=$PWD/.venv "$uv" pip sync --require-hashes requirements.lock
  VIRTUAL_ENV=$PWD/.venv "$uv" pip install --quiet --no-deps --editable .
  cp requirements.lock "$stamp"
fi
packages
.venv/bin/python -m guardrails.detect.fetch
if [ "$purpose" = test ]; then
  .venv/bin/python -m sandbox.broker.practice_model --fallback
  if ! cmp -s tests/e2e/package-lock.json .tools/node_modules/.atelier-lock; then
    say "Getting axe-core, a real OpenID provider and a tool server for the tests (locked)"
    mkdir -p .tools && cp tests/e2e/package.json tests/e2e/package-lock.json .tools/
    npm ci --prefix .tools --silent --no-audit --no-fund >&2
    cp tests/e2e/package-lock.json .tools/node_modules/.atelier-lock
  fi
fi
say "Ready: .venv"
