#!/usr/bin/env bash
# Makes the virtual environment $2 with the Python $1; installs what Debian keeps apart when it is missing.
set -euo pipefail
python=$1 venv=$2
stop() { echo "$1" >&2; exit 1; }

if ! command -v "$python" >/dev/null || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  stop "ringfence needs Python 3.11 or newer, and '$python' is not that; name one with make PYTHON=python3.12"
fi

# Half an environment, left by a run that was stopped, would look like a whole one.
rm -rf "$venv"
if said=$("$python" -m venv "$venv" 2>&1); then exit 0; fi
rm -rf "$venv"
if "$python" -c 'import ensurepip' 2>/dev/null; then
  stop "'$python -m venv' failed, and not for want of a package: $said"
fi

# Debian's python3 comes without the part that makes environments; pip cannot give it, apt can.
package=python3-venv
if [ "$(readlink -f "$(command -v "$python")")" != "$(readlink -f /usr/bin/python3)" ]; then
  package=$("$python" -c 'import sys; print(f"python3.{sys.version_info.minor}-venv")')
fi
command -v apt-get >/dev/null || stop "'$python' lacks ensurepip; install what gives it $package or the like, then run make again"
root=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || stop "'$python' lacks ensurepip; as root, run apt-get install $package, then run make again"
  root=(sudo)
fi
echo "installing $package with apt: this Python cannot make virtual environments without it"
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq "$package" >/dev/null
"$python" -m venv "$venv"
