#!/usr/bin/env bash
# Tries to make a run lose or change something: kills, failing system calls, two writers on one folder, full and read-only disks. Opt-in, about an hour on two cores.
# usage: ops/reliability-drill.sh [PART...]   parts: kills calls pairs disks; all of them by default. Needs Linux; strace for calls, root for disks.
# Figures go to docs/RELIABILITY.md by hand, with the date. KILLS, CALLS, PAIRS (how many) and SEED may be set; exit 3 when anything was lost, changed or called a bug.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

KILLS=${KILLS:-200} CALLS=${CALLS:-100} PAIRS=${PAIRS:-30}
RANDOM=${SEED:-1}
LUT_DLL=${LUT_DLL:-$PWD/harness/bin/Release/net10.0/lut.dll}
work=$(mktemp -d "${TMPDIR:-/tmp}/lut-drill.XXXXXX")
failures=0
trap 'echo "FAILED the drill itself stopped at line $LINENO" >&2' ERR

lut() { dotnet "$LUT_DLL" "$@"; }
# a checkpoint after every step: the most files and renames that a run can have
HELLO=(dotnet "$LUT_DLL" run hello@1 -q --threads 1 --checkpoint-minutes 0.00001)
hello() { "${HELLO[@]}" "$@"; }
fail() { echo "FAILED $*"; failures=$((failures + 1)); }
now_ms() { date +%s%3N; }
# exit codes that say what happened to the surroundings; 1 is a bug, above 128 a crash
told() { case $1 in 0 | 2 | 3 | 4 | 5 | 6 | 8 | 9 | 75) return 0 ;; *) return 1 ;; esac; }

# Goes on with the one run in a folder until it is complete; then it must have the reference's digests and the manifest's bytes.
finish() { # FOLDER LABEL
  local code=0
  hello -o "$1" --resume auto >"$1.out" 2>"$1.err" </dev/null || code=$?
  # nothing to go on with: it was stopped before its folder was a run, or just after it was complete
  if [ $code = 8 ] && ! ls "$1"/*/COMPLETE >/dev/null 2>&1; then
    code=0
    hello -o "$1" >"$1.out" 2>"$1.err" </dev/null || code=$?
  fi
  local run
  run=$(dirname "$(ls "$1"/*/COMPLETE 2>/dev/null | head -1)" 2>/dev/null) || true
  if [ -z "$run" ] || [ "$run" = . ]; then fail "$2: not complete, exit $code: $(head -3 "$1.err" | tr '\n' ' ')"; return; fi
  lut verify "$run" >"$1.out" 2>&1 || { fail "$2: $(tail -1 "$1.out")"; return; }
  grep -q 'exact=IDENTICAL .*integrity=ok' "$1.out" || fail "$2: $(tail -1 "$1.out")"
}

kills() {
  local began length done_=0 complete=0 early=0 folder="$work/kill-0" n=0
  began=$(now_ms); hello -o "$work/whole" >/dev/null 2>&1; length=$(($(now_ms) - began))
  while [ $done_ -lt "$KILLS" ]; do
    mkdir -p "$folder"
    local resume=()
    ls "$folder"/*/config.canonical.json >/dev/null 2>&1 && resume=(--resume auto)
    # not the function: its process would be a shell's, and what it started would live on
    "${HELLO[@]}" -o "$folder" "${resume[@]}" >/dev/null 2>"$folder.err" </dev/null & local pid=$!
    local after=$(((RANDOM * 32768 + RANDOM) % length))
    sleep "$(printf '%d.%03d' $((after / 1000)) $((after % 1000)))"
    if kill -9 $pid 2>/dev/null; then done_=$((done_ + 1)); else early=$((early + 1)); fi
    local code=0; wait $pid 2>/dev/null || code=$?
    told $code || [ $code = 137 ] || fail "kill $done_: exit $code"
    # one run is killed about four times, then finished
    if [ $((RANDOM % 4)) = 0 ] || ls "$folder"/*/COMPLETE >/dev/null 2>&1; then
      finish "$folder" "kills of run $n"; complete=$((complete + 1)); rm -rf "$folder"; n=$((n + 1)); folder="$work/kill-$n"
    fi
  done
  [ -d "$folder" ] && { finish "$folder" "kills of run $n"; complete=$((complete + 1)); }
  echo "kills: $done_ at uniform moments of $length ms, $early came too late; $complete runs finished and verified"
}

calls() {
  command -v strace >/dev/null || { fail "calls: strace is not here"; return; }
  local names=(openat pwrite64 fsync rename unlink pread64 mkdir flock ftruncate fallocate write read lseek fstat) errors=(EIO ENOSPC EACCES ESTALE EDQUOT EROFS)
  local hit=0 tried=0 refused=0 through=0
  while [ $hit -lt "$CALLS" ] && [ $tried -lt $((CALLS * 12)) ]; do
    local name=${names[$((RANDOM % ${#names[@]}))]} error=${errors[$((RANDOM % ${#errors[@]}))]} nth folder="$work/call-$tried" code=0
    # of some a run makes few
    case $name in mkdir | flock | ftruncate | fallocate | unlink) nth=$((RANDOM % 6 + 1)) ;; *) nth=$((RANDOM % 120 + 1)) ;; esac
    tried=$((tried + 1)); mkdir -p "$folder"
    # half of them while a run begins, half while an interrupted one goes on
    local resume=()
    if [ $((RANDOM % 2)) = 0 ]; then hello -o "$folder" --stop-after 5 >/dev/null 2>&1 || true; resume=(--resume auto); fi
    timeout 120 strace -f --seccomp-bpf -qq -y -e trace="$name" -e inject="$name:error=$error:when=$nth" -o "$folder.trace" "${HELLO[@]}" -o "$folder" "${resume[@]}" >"$folder.out" 2>"$folder.err" </dev/null || code=$?
    # only what was injected into the run's own files counts: the runtime's are its own affair
    if ! grep INJECTED "$folder.trace" | grep -qF "$folder"; then rm -rf "$folder" "$folder".*; continue; fi
    hit=$((hit + 1))
    if told $code; then [ $code = 0 ] && through=$((through + 1)) || refused=$((refused + 1)); else fail "call $name $error #$nth: exit $code: $(head -2 "$folder.err" | tr '\n' ' ')"; fi
    finish "$folder" "call $name $error #$nth (exit $code)"
    echo "call $hit of $CALLS: $name $error #$nth: exit $code" >&2
    rm -rf "$folder" "$folder".*
  done
  echo "calls: $hit failed calls on a run's files of $tried tries; $refused runs stopped and said so, $through went through; all finished and verified"
}

pairs() {
  local n both=0 refused=0
  for n in $(seq 1 "$PAIRS"); do
    local folder="$work/pair-$n" a=0 b=0
    mkdir -p "$folder"
    hello -o "$folder" --stop-after 6 >/dev/null 2>&1 || true
    "${HELLO[@]}" -o "$folder" --resume auto >/dev/null 2>"$folder.a" </dev/null & local first=$!
    sleep "0.$(printf '%03d' $((RANDOM % 1000)))"
    "${HELLO[@]}" -o "$folder" --resume auto >/dev/null 2>"$folder.b" </dev/null & local second=$!
    wait $first || a=$?
    wait $second || b=$?
    { told $a && told $b; } || fail "pair $n: exits $a and $b"
    # exactly one may work on it; the other is told who does, or that there is nothing left
    [ $a = 0 ] || [ $b = 0 ] || fail "pair $n: nobody finished, exits $a and $b"
    if [ $a = 0 ] && [ $b = 0 ]; then fail "pair $n: both say that they did it"; both=$((both + 1)); else refused=$((refused + 1)); fi
    finish "$folder" "pair $n"
    rm -rf "$folder" "$folder".*
  done
  echo "pairs: $PAIRS pairs of writers on one run, $refused times one was refused, $both times none; all verified"
}

disks() {
  [ "$(id -u)" = 0 ] || { fail "disks: only root can mount"; return; }
  local full="$work/full" source="$work/source" verbs=0 state
  mkdir -p "$full" "$source"
  local run pretrained tuned other
  hello -o "$source" >/dev/null 2>&1
  run=$(dirname "$(ls "$source"/hello*/COMPLETE)")
  hello -o "$source/other" --inject step=3,tensor=blocks.0.mlp.fc1.weight,bit=12 >/dev/null 2>&1
  other=$(dirname "$(ls "$source"/other/*/COMPLETE)")
  pretrained=$(ls "$run"/checkpoints/pretrain-*.safetensors | tail -1)
  lut finetune hello@1 -q --checkpoint "$pretrained" -o "$source/fine" >/dev/null 2>&1
  tuned=$(ls "$source"/fine/*/checkpoints/finetune-*.safetensors | tail -1)
  mkdir -p "$source/bench"; lut bench tiny --launches 1 --blocks 2 --seconds 0.2 -o "$source/bench" >/dev/null 2>&1 || true
  for state in full read-only; do
    mount -t tmpfs -o size=256k tmpfs "$full"
    if [ $state = full ]; then head -c 1m /dev/zero >"$full/filler" 2>/dev/null || true; else mount -o remount,ro "$full"; fi
    while IFS= read -r line; do
      local code=0
      verbs=$((verbs + 1))
      # shellcheck disable=SC2086
      lut $line >"$work/disk.out" 2>"$work/disk.err" </dev/null || code=$?
      case $code in 2 | 6 | 9) ;; *) fail "$state disk: lut $line: exit $code: $(head -2 "$work/disk.err" | tr '\n' ' ')" ;; esac
    done <<TEXT
run hello@1 -q -o $full/runs
pretrain hello@1 -q -o $full/runs
finetune hello@1 -q --checkpoint $pretrained -o $full/runs
eval hello@1 -q --checkpoint $pretrained -o $full/runs
classify hello@1 -q --checkpoint $tuned --logits $full/logits.safetensors -o $full/runs
convert $pretrained $full/converted.safetensors
export-step tiny $full/step.safetensors
export $run --to csv -o $full/csv
compare $run $run -o $full/comparison
compare $run $other --plot $full/plot.svg
report $run -o $full/report.html
analyze $run -o $full/analysis
verify $run --write-reference $full/own.digests
bench tiny --launches 1 --blocks 2 --seconds 0.2 -o $full/bench
nightly --suite tests/fixtures/nightly/quick.toml -o $full/nights
TEXT
    umount "$full"
  done
  echo "disks: $verbs verbs on full and read-only disks, each with its own exit code"
}

[ $# -gt 0 ] || set -- kills calls pairs disks
[ -f "$LUT_DLL" ] || ./build.sh lut --version >/dev/null
began=$(now_ms)
for part in "$@"; do "$part"; done
rm -rf "$work"
echo "$failures failures in $((($(now_ms) - began) / 1000)) s"
[ $failures = 0 ] || exit 3
