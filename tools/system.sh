#!/usr/bin/env bash
# Installs what pip cannot give and the packet lab needs: $@ names what to look for, out of libnftables, curl, nslookup.
set -euo pipefail

there() {
  case $1 in
    libnftables) python3 -c 'import ctypes; ctypes.CDLL("libnftables.so.1")' 2>/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}
declare -A package=([libnftables]=libnftables1 [curl]=curl [nslookup]=bind9-dnsutils)
missing=() packages=()
for what in "$@"; do
  if ! there "$what"; then missing+=("$what"); packages+=("${package[$what]}"); fi
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "the packet lab needs ${missing[*]}, which this system's package manager has to give; going on without" >&2
  exit 0
fi
root=()
if [ "$(id -u)" != 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "the packet lab needs ${missing[*]}: as root, run apt-get install ${packages[*]}; going on without" >&2
    exit 0
  fi
  root=(sudo)
fi
echo "installing ${packages[*]} with apt: the packet lab needs ${missing[*]}, which pip cannot give"
"${root[@]}" apt-get update -qq
"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
