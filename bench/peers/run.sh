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
  # Without what it asks for: the part that is compared needs torch, einops and jaxtyping alone.
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps openretina==1.1.1
  cp "$here/requirements.txt" "$venv/installed.txt"
fi
circuit=$here/.venv-circuit
if ! cmp -s "$here/requirements-circuit.txt" "$circuit/installed.txt"; then
  python3 -m venv "$circuit"
  "$circuit/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-circuit.txt"
  cp "$here/requirements-circuit.txt" "$circuit/installed.txt"
fi
spiking=$here/.venv-spiking
if ! cmp -s "$here/requirements-spiking.txt" "$spiking/installed.txt"; then
  python3 -m venv "$spiking"
  "$spiking/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements-spiking.txt"
  cp "$here/requirements-spiking.txt" "$spiking/installed.txt"
fi
cd "$root"
# Only the examples named peer_*: one for each comparison.
for crate in crates/*; do
  examples=()
  for path in "$crate"/examples/peer_*; do
    [ -e "$path" ] && examples+=(--example "$(basename "$path" .rs)")
  done
  if [ ${#examples[@]} -gt 0 ]; then
    cargo build --release -p "chiasm-$(basename "$crate")" "${examples[@]}"
  fi
done
exec "$venv/bin/python" "$here/common.py" "$@"
