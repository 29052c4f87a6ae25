#!/usr/bin/env bash
# The program as a person meets it: version and help at once, exit codes, the nearest name to a wrong one.
#
#   program_test.sh BUILD
set -euo pipefail
heed=$1/heed
failed() { echo "program: $*"; exit 1; }

expect_exit() {  # CODE ARGS...: runs heed, leaves what it said in $said
  local want=$1 got=0
  shift
  said=$("$heed" "$@" 2>&1) || got=$?
  ((got == want)) || failed "heed $*: exit $got, wanted $want: $said"
}
expect_said() { [[ $said == *"$1"* ]] || failed "'$1' is not in: $said"; }

expect_exit 0 --version
for word in "heed 0." Highway oneDNN fmt libzip OpenMP "instruction set" "compiled for" threads; do expect_said "$word"; done
expect_exit 0 --help
[[ $said == Examples:* ]] || failed "--help does not start with examples: $said"
expect_exit 2
expect_exit 2 bnech
expect_said "did you mean 'bench'"
expect_exit 2 bench ops --fliter x
expect_said "did you mean '--filter'"
HEED_THREADS=none expect_exit 2 --version
expect_said HEED_THREADS

page=$(cd "$(dirname "$0")/../../docs" && pwd)/options.md
diff "$page" <("$heed" options) || failed "docs/options.md is not what heed options prints: run make docs"
