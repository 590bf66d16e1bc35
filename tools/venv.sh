#!/usr/bin/env bash
# Makes the virtual environment $2 with the Python $1; installs what Debian keeps apart when it is missing.
set -euo pipefail
python=$1 venv=$2

if ! command -v "$python" >/dev/null || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "ringfence needs Python 3.11 or newer, and '$python' is not that; name one with make PYTHON=python3.12" >&2
  exit 1
fi

if "$python" -m venv "$venv" >/dev/null 2>&1; then exit 0; fi

# Debian's python3 comes without the part that makes environments; pip cannot give it, apt can.
rm -rf "$venv"
root=()
[ "$(id -u)" = 0 ] || root=(sudo)
echo "installing python3-venv with apt: this Python cannot make virtual environments without it"
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq python3-venv >/dev/null
"$python" -m venv "$venv"
