#!/usr/bin/env bash
# `heed data`, end to end: the same bytes on stdout and in a file, examples first, and what is said when it cannot write.
#
#   data_test.sh BUILD
set -euo pipefail
heed=$1/heed
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
failed() { echo "data: $*"; exit 1; }
expect() { grep -qF -- "$2" <<< "$1" || failed "'$2' is not in: $1"; }
expect_exit() {  # CODE ARGS...
  local want=$1 got=0
  shift
  said=$("$heed" "$@" 2>&1) || got=$?
  ((got == want)) || failed "heed $*: exit $got, wanted $want: $said"
}

for name in dates numbers reviews copy reverse; do
  "$heed" data "$name" -n 500 --seed 7 > "$folder/$name.stdout"
  "$heed" data "$name" -n 500 --seed 7 -o "$folder/$name"
  cmp "$folder/$name.stdout" "$folder/$name" || failed "$name is not the same on stdout and in a file"
  [[ $(awk -F'\t' 'NF == 2' "$folder/$name" | wc -l) == 500 ]] || failed "$name is not 500 lines of two columns"
done
[[ $("$heed" data copy | wc -l) == 20000 ]] || failed "20000 lines are not what is made where nothing is said"
[[ $("$heed" data copy -n 0 | wc -c) == 0 ]] || failed "-n 0 makes something"
[[ $("$heed" data reviews -n 50 --lang en --marked | awk -F'\t' 'NF == 3 && /«/' | wc -l) == 50 ]] || failed "no marks"
! "$heed" data dates -n 50 --lang en | grep -q 年 || failed "--lang en is not English"
[[ $("$heed" data copy -n 9 --length 3,3 | awk '{print NF}' | sort -u) == 6 ]] || failed "--length is not kept"

[[ $("$heed" data --help) == Examples:* ]] || failed "--help does not begin with examples"
expect_exit 2 data
expect_exit 2 data dats
expect "$said" "there are dates, numbers"
expect_exit 2 data dates --length 1,2
expect_exit 2 data copy --length 5
expect_exit 2 data copy --lnegth 5,6
expect "$said" "did you mean '--length'"
expect_exit 2 data dates -n -1
expect_exit 2 data dates --lang fr

# Nothing is left of a file that was not finished; what was there stays.
expect_exit 1 data dates -o "$folder/nowhere/dates.tsv"
expect "$said" "nowhere"
expect_exit 1 data dates -o "$folder"
got=0
said=$("$heed" data dates 2>&1 > /dev/full) || got=$?
((got == 1)) || failed "a full disk: exit $got"
expect "$said" "stdout: cannot be written"
got=0
said=$("$heed" data dates 2>&1 >&-) || got=$?
((got == 1)) || failed "a closed stdout: exit $got"
expect "$said" "stdout: cannot be written"
said=$({ "$heed" data dates -n 200000 || true; } 2>&1 | head -c 1000 | wc -c)  # whoever reads has enough: a quiet end
((said == 1000)) || failed "a reader that goes away: $said"
