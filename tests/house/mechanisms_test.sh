#!/usr/bin/env bash
# `heed mechanisms`, end to end: the table, a page, languages, plain characters, wrong names; and docs/mechanisms is what
# the table gives.
#
#   mechanisms_test.sh BUILD
set -euo pipefail
heed=$1/heed docs=$(cd "$(dirname "$0")/../../docs/mechanisms" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed() { echo "mechanisms: $*"; exit 1; }
expect() { grep -qF -- "$2" <<< "$1" || failed "'$2' is not in: $1"; }
expect_exit() {  # CODE ARGS...
  local want=$1 got=0
  shift
  said=$("$heed" "$@" 2>&1) || got=$?
  ((got == want)) || failed "heed $*: exit $got, wanted $want: $said"
}

expect "$("$heed" mechanisms)" "softmax(Q Kᵀ / √D) V"
page=$("$heed" mechanisms scaled_dot)
for part in "33.486 36.950" "0.0304 0.9696" "[[64, 72], [128,"; do expect "$page" "$part"; done
expect "$("$heed" mechanisms scaled_dot --lang zh)" "算例"
expect "$page" "█"
for plain in NO_COLOR=1 TERM=dumb; do
  page=$(env "$plain" "$heed" mechanisms scaled_dot)
  expect "$page" "##"
  ! grep -q "█" <<< "$page" || failed "$plain still draws blocks"
done
"$heed" mechanisms --json | python3 -c 'import json, sys; assert len(json.load(sys.stdin)) > 1'
"$heed" mechanisms scaled_dot --json | python3 -c '
import json, sys
assert json.load(sys.stdin)["example"]["steps"]["Q Kᵀ"] == [[58, 64], [139, 154]]'
expect_exit 2 mechanisms scaled_dto
expect "$said" "scaled_dot"
expect_exit 2 mechanisms --lang fr
expect_exit 2 mechanisms --wirte x
expect_exit 2 mechanisms --write "$folder/nowhere"

"$heed" mechanisms --write "$folder"
diff -r "$docs" "$folder" > "$folder.said" || { head -20 "$folder.said"; rm -f "$folder.said"; failed "docs/mechanisms is not what the table gives: run make docs"; }
rm -f "$folder.said"

# What docs/choosing.md recommends exists, and both languages recommend the same.
recommended() { grep '^|' "$1" | cut -d'|' -f3 | grep -o '`[a-z0-9_]*`' | tr -d '`'; }
[[ $(recommended "$docs/../choosing.md") == $(recommended "$docs/../choosing.zh.md") ]] || failed "choosing.md and choosing.zh.md differ"
for name in $(recommended "$docs/../choosing.md"); do expect_exit 0 mechanisms "$name"; done
# And it has a place for every mechanism, besides what each costs.
names=$("$heed" mechanisms --json | python3 -c 'import json, sys; print(*(row["name"] for row in json.load(sys.stdin)))')
for name in $names; do grep -q "\`$name\`" <(grep '^|' "$docs/../choosing.md" | grep -v '| [0-9.]* |$') || failed "choosing.md has no place for $name"; done
