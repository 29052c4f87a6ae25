#!/usr/bin/env bash
# The floors hold, and tools/check-floors fails where one does not: each line of `bad` is a file and an include that looks
# upwards, sideways, or out of the installed headers.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
"$root/tools/check-floors" "$root" || { echo "the floors do not hold"; exit 1; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
attempt() {  # FILE INCLUDE: a tree with this one file; the checker's exit status
  rm -rf "$folder"/* && mkdir -p "$folder/$(dirname "$1")" "$folder/src" "$folder/include/heed"
  echo "#include $2" > "$folder/$1"
  "$root/tools/check-floors" "$folder" > "$folder/said" 2>&1
}

while read -r file include; do
  if attempt "$file" "$include"; then echo "accepted: $file includes $include"; exit 1; fi
  grep -q "$file" "$folder/said" || { echo "says nothing of $file:"; cat "$folder/said"; exit 1; }
done <<'bad'
src/kernels/product.cc "tensor/tensor.h"
src/kernels/product.cc <heed/tensor.h>
src/base/error.cc "kernels/softmax.h"
src/tensor/view.h "autograd/tape.h"
src/ops/norm.cc <heed/nn.h>
src/ops/norm.cc <heed/heed.h>
src/ops/norm_test.cc "nn/linear.h"
src/text/words.cc "nn/linear.h"
src/text/words.cc "vision/image.h"
src/train/loop.cc "explain/draw.h"
include/heed/tensor.h <heed/ops.h>
include/heed/base.h <fmt/format.h>
include/heed/base.h "base/check.h"
include/heed/surprise.h <string>
src/cellar/wine.cc <string>
bad

while read -r file include; do
  attempt "$file" "$include" || { echo "refused: $file includes $include"; cat "$folder/said"; exit 1; }
done <<'good'
src/kernels/product.cc "base/threads.h"
src/kernels/product.cc "kernels/tile-inl.h"
src/kernels/product.cc "hwy/highway.h"
src/ops/norm.cc <heed/tensor.h>
src/ops/norm.cc <heed/ops.h>
src/ops/norm_test.cc <heed/heed.h>
src/train/loop.cc "nn/linear.h"
include/heed/ops.h <heed/tensor.h>
include/heed/base.h <string>
good
echo "floors: ok"
