#!/usr/bin/env bash
# Everything that a GPU must show, unattended, in minutes: the kernels against the scalar oracle, hello@1's digests, and the exact step's speed.
#   gpu-check.sh [DEVICE] [FOLDER]   DEVICE: cuda:0 (default), cuda:1, ..., or cuda:emulated for a rehearsal; FOLDER: where logs and results go (default gpu-check)
# Runs in the repository after ./build.sh gpu-check built it, or in a folder that ./build.sh gpu-pack made for a machine without .NET.
# Exit 0 when every check passed, 1 otherwise; a line a check, then the table's path.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
device=${1:-cuda:0} out=${2:-gpu-check}
mkdir -p "$out"
if [ -x "$here/lut" ]; then
  lut=("$here/lut") kernels=("$here/LutNative.Model.Tests")
else
  root=$(dirname "$here")
  lut=(dotnet "$root/harness/bin/Release/net10.0/lut.dll") kernels=(dotnet "$root/tests/Model.Tests/bin/Release/net10.0/LutNative.Model.Tests.dll")
fi
table="$out/gpu-check.md"
{ echo "# gpu-check of $device"; echo; echo "| check | result | seconds |"; echo "| --- | --- | --- |"; } > "$table"
failed=0
check() { # NAME LIMIT_SECONDS EXPECTED-PATTERN COMMAND...
  local name=$1 limit=$2 pattern=$3 log="$out/${1//[^a-zA-Z0-9]/-}.log" before=$SECONDS
  shift 3
  timeout "$limit" "$@" > "$log" 2>&1 </dev/null
  local code=$? line
  line=$(grep -aE "$pattern" "$log" | tail -1 | tr -s ' ')
  if [ $code -ne 0 ] || [ -z "$line" ]; then line="FAILED (exit $code, see $(basename "$log")): $(grep -av '^\s*$' "$log" | tail -1 | cut -c1-160)"; failed=1; fi
  echo "$name: $line ($((SECONDS - before)) s)"
  echo "| $name | ${line//|//} | $((SECONDS - before)) |" >> "$table"
}

check "driver" 60 "driver|CUDA|cuda" "${lut[@]}" doctor
if [ "$device" = cuda:emulated ]; then
  check "kernels equal the oracle" 300 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-method "*EveryModuleLoads*"
  batch=4 seconds=1
else
  export LUT_TEST_DEVICE=${device#cuda:}
  check "kernels equal the oracle" 300 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-method "*OnARealDevice*"
  batch=128 seconds=5
fi
check "hello@1, digests" 120 "VERDICT exact=IDENTICAL" "${lut[@]}" run hello@1 -q --device "$device" -o "$out/runs"
check "hello@1, one grain at once" 120 "VERDICT exact=IDENTICAL" "${lut[@]}" run hello@1 -q --device "$device" --micro-batch 16 -o "$out/runs"
shape=vitb16
[ "$device" = cuda:emulated ] && shape=tiny && batch=16
check "$shape, batch $batch, exact" 180 "images/s" "${lut[@]}" bench "$shape" --batch "$batch" --premade --launches 1 --blocks 3 --seconds "$seconds" --device "$device"
grep -aE "FMA limit" "$out/$(echo "$shape, batch $batch, exact" | sed 's/[^a-zA-Z0-9]/-/g').log" | tr -s ' '
echo "table: $table"
exit $failed
