#!/usr/bin/env bash
# Shows the main job on the Task API example: $1 is the command, $2 the directory of manifests.
set -euo pipefail
ringfence=$1 example=$2
say() { printf '\n== %s\n\n' "$1"; }
run() {
  printf '$ ringfence'
  for word in "$@"; do case $word in *' '*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac; done
  printf '\n\n'
  "$ringfence" "$@"
}

say "Who can reach whom? The cluster of $example, as its manifests say."
run matrix "$example"
say "Who can reach my database, and why?"
run matrix "$example" --to database/postgres
say "Why does curl from the test pod fail? Both ends deny it."
run explain "$example" "task-api/test-pod -> task-api/task-api:8000"
say "What if somebody forgets the DNS rule? Nothing resolves any more."
run explain "$example" --without task-api/allow-dns-egress "task-api/task-api -> kube-system/kube-dns:53/UDP"
say "Does the kernel agree? Every pod becomes a network namespace here, and every pair is tried with packets."
run prove "$example"
printf '\nNext: README.md, then docs/tutorial.md. The command is at %s.\n' "$ringfence"
