#!/usr/bin/env bash
# The program's `inspect`, end to end, on the golden files.
set -euo pipefail
heed=$1/heed golden=$(dirname "$0")/../golden
out=$("$heed" inspect "$golden/formats.safetensors")
for dtype in BOOL F4 F8_E4M3 F8_E5M2 F8_E8M0 U16 C64 U64 BF16; do
  grep -q " $dtype " <<< "$out" || { echo "no $dtype in: $out"; exit 1; }
done
"$heed" inspect "$golden/formats.npz" | grep -q "columns" || { echo "no array 'columns'"; exit 1; }
if "$heed" inspect "$0" 2> /dev/null; then echo "a script is no file of tensors"; exit 1; fi
[[ $("$heed" inspect "$0" 2>&1) == *"neither safetensors, npy nor npz"* ]]
