#!/usr/bin/env bash
# Makes bench/peers/.venv, builds the examples that do our side, runs every comparison and writes
# bench/runs/DATE-MACHINE/. Arguments go to common.py: bench/peers/run.sh --only ntf --threads 1
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
venv=$here/.venv
if ! cmp -s "$here/requirements.txt" "$venv/installed.txt"; then
  python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
cd "$root"
# Only the examples named peer_*: one for each comparison.
examples=()
for path in crates/analysis/examples/peer_*; do
  [ -e "$path" ] && examples+=(--example "$(basename "$path" .rs)")
done
if [ ${#examples[@]} -gt 0 ]; then
  cargo build --release -p chiasm-analysis "${examples[@]}"
fi
exec "$venv/bin/python" "$here/common.py" "$@"
