"""What a twin runs: a script for any image with a shell and nc, and the lines that it writes.

The words behind the script say what to do: ``wait,SECONDS`` (for one attempt), ``listen,PROTOCOL,PORT`` and
``try,NUMBER,PROTOCOL,ADDRESS,PORT,TOKEN``. Every line of its own begins with :data:`MARK`::

    rf1 start 1700000000 busybox udp       when it began, whose nc it found, whether that one speaks UDP
    rf1 self TCP 8080 open                 it reached its own listener
    rf1 down TCP 80 nc: bind: ...          a listener ended, and why
    rf1 heard 5353 TOKEN.ROUND             a datagram arrived
    rf1 try 3 17 silent 1700000009 ...     round, number of the connection, outcome, when it began, nc's words
    rf1 fault no nc in this image          nothing can be tried
"""

from __future__ import annotations

from typing import Final

MARK: Final = "rf1"
"""The first word of every line that a twin writes."""
WAIT: Final = 2
"""Seconds that one attempt may take; policies that drop are seen as that much silence."""
BATCH: Final = 8
"""Attempts at a time, of one source."""

SCRIPT: Final = r"""trap 'exit 0' TERM INT
say() { echo "rf1 $*"; }
help=$(nc --help 2>&1 </dev/null; nc -h 2>&1 </dev/null)
kind=other loud='-n -v' keep= udp=udp
case $help in
  *"not found"*|'') say fault no nc in this image; exit 1;;
  *BusyBox*)
    kind=busybox loud= udp=no-udp
    case $help in *'-v'*Verbose*) loud='-n -v -v';; esac
    case $help in *'-u'*UDP*) udp=udp;; esac
    case $help in *-lk*) keep=-lk;; *-ll*) keep=-ll;; *) keep=-l;; esac;;
  *OpenBSD*) kind=openbsd;;
esac
wait=2 batch=8 tries= listens=
for word in "$@"; do
  case $word in
    wait,*) wait=${word#*,};;
    listen,*) listens="$listens ${word#*,}";;
    try,*) tries="$tries ${word#*,}";;
  esac
done

outcome() {
  case $1 in
    *rf-open*|*"rf-got $2"*) echo open;;
    *efused*|*"o route"*|*denied*|*"not permitted"*) echo refused;;
    *imed\ out*|*imeout*|*TIMEOUT*|*"in progress"*) echo silent;;
    *) echo "${3:-error}";;
  esac
}
tcp() {
  if [ $kind = busybox ]; then
    # old ones make the connection the error stream too, and nothing may be sent; 3 and 4 are their own
    nc $loud -w "$wait" "$1" "$2" -e sh -c 'exec 2>/dev/null; echo rf-open >&9' 9>&1 2>&1 </dev/null
  else
    nc -v -z -n -w "$wait" "$1" "$2" 2>&1 </dev/null && echo rf-open
  fi
}
udp() {
  if [ $kind = busybox ]; then
    printf '%s\n' "$3" | nc -u $loud -w "$wait" "$1" "$2" 2>&1
  else
    # OpenBSD's nc sends letters of its own first when it is to tell more
    [ $kind = openbsd ] && loud=-n
    { printf '%s\n' "$3"; sleep "$wait"; } | nc -u $loud -w "$wait" "$1" "$2" 2>&1
  fi
}
reach() {
  if [ "$1" = TCP ]; then
    out=$(tcp "$2" "$3")
    result=$(outcome "$out" -)
  elif [ "$1" = UDP ] && [ $udp = udp ]; then
    out=$(udp "$2" "$3" "$4")
    result=$(outcome "$out" "$4" silent)
    case $result:$out in silent:*invalid*|silent:*"an't"*|silent:*sage:*|silent:*nreachable*) result=error;; esac
  else
    out="the nc of this image does not speak $1"
    result=error
  fi
  out=$(echo $out)
}

hear() {
  answer='t=$(head -n 1); echo "rf-got $t"; echo "rf1 heard '$2' $t" >&2'
  told=
  while :; do
    if [ "$1" = UDP ]; then
      any=0
      read -r first 2>/dev/null </proc/net/if_inet6 && any=::
      if command -v udpsvd >/dev/null; then
        udpsvd -E $any "$2" sh -c "$answer" </dev/null
      elif [ $kind = busybox ] && [ $udp = udp ]; then
        nc -u -l -p "$2" -e sh -c "$answer" </dev/null
        continue
      else
        say down UDP "$2" nothing in this image can listen for UDP
        return
      fi
      out=
    elif [ $kind = busybox ]; then
      out=$(nc $keep -p "$2" -e sh -c : 2>&1 </dev/null)
    elif [ $kind = openbsd ]; then
      out=$(nc -l -k -n "$2" 2>&1 </dev/null)
    else
      out=$(nc -l -n -p "$2" 2>&1 </dev/null)
    fi
    [ "$out" != "$told" ] && say down "$1" "$2" $out
    [ -n "$out" ] && sleep 1
    told=$out
  done
}
itself() {
  left=10 result=
  while [ $left -gt 0 ]; do
    reach "$1" 127.0.0.1 "$2" rf-self
    [ "$result" = open ] && break
    [ "$result" = error ] && break
    left=$((left - 1))
    sleep 1
  done
  say self "$1" "$2" "$result" "$out"
}
attempt() {
  began=$(date +%s)
  reach "$3" "$4" "$5" "$6.$1"
  say try "$1" "$2" "$result" "$began" "$out"
}

say start "$(date +%s)" $kind $udp
for one in $listens; do
  hear "${one%%,*}" "${one#*,}" &
done
[ -n "$listens" ] && sleep 1
for one in $listens; do
  itself "${one%%,*}" "${one#*,}"
done
round=0
while [ -n "$tries" ]; do
  round=$((round + 1)) pids= count=0
  for one in $tries; do
    number=${one%%,*} rest=${one#*,}
    protocol=${rest%%,*} rest=${rest#*,}
    address=${rest%%,*} rest=${rest#*,}
    attempt $round "$number" "$protocol" "$address" "${rest%%,*}" "${rest#*,}" &
    pids="$pids $!" count=$((count + 1))
    if [ $count -ge $batch ]; then
      wait $pids
      pids= count=0
      sleep 1
    fi
  done
  wait $pids
  # servers count those who hang up: no hundred times in ten minutes
  pause=1
  [ $round -ge 12 ] && pause=2
  [ $round -ge 30 ] && pause=4
  [ $round -ge 50 ] && pause=10
  sleep $pause
done
wait
# no listener is left; what is written says why, and a pod that ended would say less
while [ -n "$listens" ]; do sleep 5; done
"""
