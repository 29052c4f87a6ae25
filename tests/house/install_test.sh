#!/usr/bin/env bash
# Installs heed into an empty folder and builds a small outside project against it in each way that is promised:
# find_package with the shared and the static library, pkg-config with both.
#
#   install_test.sh BUILD
set -euo pipefail
build=$1
source=$(cd "$(dirname "$0")/outside" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
prefix=$folder/prefix
run() { "$@" > "$folder/said" 2>&1 || { cat "$folder/said"; echo "failed: $*"; exit 1; }; }
expect_heed() {  # WHAT COMMAND...
  local what=$1
  shift
  run "$@"
  grep -q '^heed 0\.' "$folder/said" || { cat "$folder/said"; echo "$what does not run"; exit 1; }
  echo "$what: ok"
}

run cmake --install "$build" --prefix "$prefix"
# Only public headers leave the house.
[[ $(find "$prefix/include" -name '*.h' | wc -l) == $(find "$source/../../../include" -name '*.h' | wc -l) ]]

run cmake -S "$source" -B "$folder/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release
run cmake --build "$folder/cmake"
expect_heed "find_package, shared" "$folder/cmake/with_heed"
expect_heed "find_package, static" "$folder/cmake/with_static"
run cmake -S "$source" -B "$folder/bare" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_DISABLE_FIND_PACKAGE_hwy=ON \
  -DCMAKE_DISABLE_FIND_PACKAGE_fmt=ON
run cmake --build "$folder/bare"
expect_heed "find_package, shared, without what the static library needs" "$folder/bare/with_heed"
[[ ! -e $folder/bare/with_static ]]

libdir=$(dirname "$(find "$prefix" -name libheed.a)")
export PKG_CONFIG_PATH=$libdir/pkgconfig
read -ra flags <<< "$(pkg-config --cflags heed)"
read -ra shared <<< "$(pkg-config --libs heed)"
read -ra static <<< "$(pkg-config --static --libs heed)"
run g++ -std=c++20 "${flags[@]}" "$source/main.cc" "${shared[@]}" -o "$folder/shared"
expect_heed "pkg-config, shared" env LD_LIBRARY_PATH="$libdir" "$folder/shared"
run g++ -std=c++20 "${flags[@]}" "$source/main.cc" "${static[@]/-lheed/-l:libheed.a}" -o "$folder/static"
expect_heed "pkg-config, static" "$folder/static"
expect_heed "the program" "$prefix/bin/heed" --version
