"""What runs inside the canary's pods: sh and nc, of which there are several kinds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

SECONDS: Final = 2
"""After so many seconds without an answer a connection counts as silent."""
MOST: Final = 1800
"""Attempts after which a client stops by itself, should nobody take it away."""

SERVER: Final = """\
serve() {
  while :; do
    nc -lk -p "$1" -e true 2>/dev/null || nc -ll -p "$1" -e true 2>/dev/null ||
    nc -l -k "$1" </dev/null 2>/dev/null || nc -l -p "$1" </dev/null 2>/dev/null || sleep 1
  done
}
for port in "$@"; do serve "$port" & done
wait
"""
"""Listens on every port that is given, with whatever kind of nc there is, and closes what comes."""

CLIENT: Final = f"""\
attempt() {{
  n=0
  while [ $n -lt {MOST} ]; do
    n=$((n + 1)); began=$(date +%s)
    said=$(nc -w {SECONDS} "$1" "$2" </dev/null 2>&1 >/dev/null) && result=open || result=error
    took=$(($(date +%s) - began))
    if [ $result = error ]; then
      case $said in
        *refused*|*reset*) result=refused ;;
        *"timed out"*) result=silent ;;
        *) if [ $took -ge {SECONDS} ]; then result=silent; else result="error $(echo $said)"; fi ;;
      esac
    fi
    echo "$n $1 $2 $result"
    sleep 1
  done
}}
for target in "$@"; do attempt "${{target%,*}}" "${{target#*,}}" & done
wait
while :; do sleep 3600; done
"""
"""Tries every ADDRESS,PORT that is given once a second, a new connection each time, and logs what came of it."""


def server(ports: Iterable[int]) -> list[str]:
    """The command of a server."""
    return ["sh", "-c", SERVER, "server", *map(str, ports)]


def client(targets: Iterable[tuple[str, int]]) -> list[str]:
    """The command of a client."""
    return ["sh", "-c", CLIENT, "client", *(f"{address},{port}" for address, port in targets)]
