#!/usr/bin/env bash
# Records what the command line says: every verb on small, fixed things, in text and as JSON, its errors, help, tables.
# usage: ops/record-outputs.sh LUT OUT   LUT: path of a lut.dll; OUT: a folder that does not exist yet. Five minutes on
# two cores; needs Python and git. Two recordings are compared with `diff -r A B`: of one build they are equal, of two
# builds they differ in what a change was meant to change, if nothing else changed.
# Each call leaves VERB-CASE.text (standard output), .json (the same with --json), .stderr and .exit. mask.py masks what
# depends on time, machine, path, process, commit or version; results stay. The cases are in the folder record-outputs.
# THROUGH='flock FILE' runs each call that trains or measures through that command.
# shellcheck disable=SC2034,SC2317 # what the sourced files use; the parts are called by name
set -euo pipefail
[ $# = 2 ] || { sed -n '2,8s/^# //p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
fixtures=$here/../tests/fixtures
hello=$(find "$here/../harness" -name "hello@1.toml" -not -path "*/bin/*" -not -path "*/obj/*" | head -1)
[ -f "$1" ] || { echo "there is no $1" >&2; exit 2; }
lut_dll=$(realpath "$1")
[ ! -e "$2" ] || { echo "$2 exists already" >&2; exit 2; }
mkdir -p "$2"
out=$(realpath "$2")
read -ra through <<<"${THROUGH:-}"
work=$(mktemp -d "${TMPDIR:-/tmp}/lut-record.XXXXXX")
raw=$work/raw
trap 'rm -rf "$work"' EXIT
mkdir "$raw" "$work/here" "$work/home"
cd "$work/here"

# the surroundings of every call are the same
export HOME=$work/home XDG_CACHE_HOME=$work/home/cache LC_ALL=C TZ=UTC LUT_TRIGGER=manual
export GIT_AUTHOR_DATE=2026-01-01T00:00:00Z GIT_COMMITTER_DATE=2026-01-01T00:00:00Z
unset CI GITHUB_ACTIONS GITHUB_STEP_SUMMARY SLURM_JOB_ID KUBERNETES_SERVICE_HOST LUT_LIBRARIES

lut() { dotnet "$lut_dll" "$@" </dev/null; }
# a call that takes long
heavy() { "${through[@]}" dotnet "$lut_dll" "$@" </dev/null; }

# NAME FORMAT ARGS: one call; its standard output to NAME.FORMAT, the rest beside it
call() {
  local name=$1 format=$2 code=0
  shift 2
  [ ! -e "$raw/$name.$format" ] || { echo "$name.$format is recorded twice" >&2; exit 1; }
  case $name in
    run-* | pretrain-* | finetune-* | eval-* | classify-* | bench-* | nightly-* | trace-* | export-step-*) heavy \
      "$@" ;;
    *) lut "$@" ;;
  esac >"$raw/$name.$format" 2>"$work/stderr-$name" || code=$?
  echo "$format $code" >>"$raw/$name.exit"
  { echo "[$format]"; cat "$work/stderr-$name"; } >>"$raw/$name.stderr"
}
text() { local name=$1; shift; call "$name" text "$@"; }
json() { local name=$1; shift; call "$name" json "$@" --json; }
# a call that changes nothing, or the same again: in text, then as JSON
both() { text "$@"; json "$@"; }
# a call that makes something: the text's goes to FOLDER-text, the JSON's to FOLDER-json
made() {
  local name=$1 folder=$2
  shift 2
  text "$name" "$@" -o "$folder-text"
  json "$name" "$@" -o "$folder-json"
}
# the one run (or night) in a folder
run_in() { ls -d "$1"/*/; }
keep() { mkdir -p "$raw/files/$(dirname "$2")"; cp -r "$1" "$raw/files/$2"; }
contents() { python3 "$here/record-outputs/mask.py" contents "$1" >"$raw/$2.contents"; }
# changes the bits of one byte in the middle of a file
flip() {
  local at=$(($(stat -c %s "$1") / 2)) byte
  byte=$(od -An -tu1 -j "$at" -N1 "$1")
  printf "%b" "\\x$(printf %x "$((byte ^ 255))")" | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}

for cases in things verbs errors; do
  # shellcheck source=/dev/null
  source "$here/record-outputs/$cases.sh"
done

### two at a time, as far as they are independent
parts() {
  local part began
  for part in "$@"; do
    began=$SECONDS
    $part
    echo "$part: $((SECONDS - began)) s" >&2
  done
}
beside() { # PART PARTS...: one beside the others
  parts "$1" &
  local first=$!
  parts "${@:2}"
  wait "$first"
}

main() {
  things
  beside runs help_and_schema protocols errors_of_words
  beside looking data_and_weights errors_of_data errors_of_stores
  parts machine
  lut doctor --json >"$work/doctor.json"
  python3 "$here/record-outputs/mask.py" mask "$raw" "$out" "$work" "$lut_dll" "$(lut --version)" \
    "$work/doctor.json"
  local codes
  codes=$(cat "$out"/*.exit | cut -d' ' -f2 | sort -n | uniq -c | awk '{ printf " %s(%s)", $2, $1 }')
  echo "$out: $(find "$out" -type f | wc -l) files, $(find "$out" -name 'error-*.exit' | wc -l) errors" >&2
  echo "exit codes, and how often:$codes" >&2
}
# bash has read all of this when it begins: an edit meanwhile does no harm
{
  main
  exit
}
