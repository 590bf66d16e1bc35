#!/usr/bin/env bash
# Pins the newest versions that requirements/*.in allow, with the hashes of all their files and no address.
set -euo pipefail
bin=$1
"$bin/python" -m pip install --quiet --disable-pip-version-check pip-tools
cd requirements
for name in run dev; do
  CUSTOM_COMPILE_COMMAND="make requirements" "../$bin/pip-compile" --quiet --upgrade --generate-hashes --allow-unsafe \
    --strip-extras --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
    --output-file "$name.txt" "$name.in"
done
