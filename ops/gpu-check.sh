#!/usr/bin/env bash
# What a GPU has to show, unattended, in under eight minutes: the kernels against the scalar oracle, hello@1's digests, run-to-run's repetition, and speed: exact and
# run-to-run beside the data sheet and, where python3 has PyTorch, beside a PyTorch step of the same network on the same card, taking turns.
#   gpu-check.sh [DEVICE] [FOLDER]   DEVICE: cuda:0 (default), cuda:1, ..., or cuda:emulated for a rehearsal; FOLDER: where logs, tables and Parquet go (default gpu-check)
# Runs in the repository after ./build.sh gpu-check built it, or in a folder that ./build.sh gpu-pack made for a machine without .NET.
# LUT_CUDA_LIBRARIES: folders of cuBLAS and cuDNN, if the system's loader does not find them; a PyTorch installation's are found here.
# Exit 0 when every check passed, 1 otherwise; a line a check, then the table's path.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
device=${1:-cuda:0} out=${2:-gpu-check}
mkdir -p "$out"
if [ -x "$here/lut" ]; then
  lut=("$here/lut") kernels=("$here/LutNative.Model.Tests") torch=$here/torch_lut.py
else
  root=$(dirname "$here")
  lut=(dotnet "$root/harness/bin/Release/net10.0/lut.dll") kernels=(dotnet "$root/tests/Model.Tests/bin/Release/net10.0/LutNative.Model.Tests.dll") torch=$root/tests/benchmarks/peer/torch_lut.py
fi
python=${PYTHON:-python3}
if [ -z "${LUT_CUDA_LIBRARIES:-}" ] && command -v "$python" >/dev/null; then
  # the wheels of PyTorch bring both libraries: nvidia/*/lib beside it
  found=$("$python" -c 'import glob, os, sys; print(":".join(sorted({os.path.dirname(f) for p in sys.path for n in ("libcublasLt.so.1*", "libcudnn.so.9", "libnvrtc.so.1*") for f in glob.glob(os.path.join(p, "nvidia", "*", "lib", n)) + glob.glob(os.path.join(p, "torch", "lib", n))})))' 2>/dev/null)
  [ -z "$found" ] || export LUT_CUDA_LIBRARIES=$found LD_LIBRARY_PATH=$found${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
table="$out/gpu-check.md"
{ echo "# gpu-check of $device"; echo; echo "| check | result | seconds |"; echo "| --- | --- | --- |"; } > "$table"
failed=0
check() { # NAME LIMIT_SECONDS EXPECTED-PATTERN COMMAND...
  local name=$1 limit=$2 pattern=$3 log="$out/${1//[^a-zA-Z0-9]/-}.log" before=$SECONDS
  shift 3
  if [ "$(type -t "$1")" = function ]; then "$@"; else timeout "$limit" "$@"; fi > "$log" 2>&1 </dev/null
  local code=$? line
  line=$(grep -aE "$pattern" "$log" | tail -1 | tr -s ' ')
  if [ $code -ne 0 ] || [ -z "$line" ]; then line="FAILED (exit $code, see $(basename "$log")): $(grep -av '^\s*$' "$log" | tail -1 | cut -c1-160)"; failed=1; fi
  echo "$name: $line ($((SECONDS - before)) s)"
  echo "| $name | ${line//|//} | $((SECONDS - before)) |" >> "$table"
}
# shellcheck disable=SC2317 # called through check
twice() { # PROTOCOL STEPS: the same steps in two processes, compared bit by bit
  local folder a
  folder=$(mktemp -d "$out/repeat.XXXXXX")
  for a in a b; do timeout 60 "${lut[@]}" pretrain "$1" -q --device "$device" --math run-to-run -o "$folder/$a" --set "pretrain.epochs=$2" || return 1; done
  "${lut[@]}" compare "$folder"/a/* "$folder"/b/*
}

check "driver" 60 "gpu" "${lut[@]}" doctor
if [ "$device" = cuda:emulated ]; then
  check "kernels equal the oracle" 300 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-method "*EveryModuleLoads*"
  shape=tiny batch=16 seconds=1 rounds=1
else
  export LUT_TEST_DEVICE=${device#cuda:}
  check "kernels equal the oracle" 200 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-method "*OnARealDevice*"
  check "run-to-run is the oracle's within bfloat16" 100 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-class "*RunToRunTests"
  shape=vitb16 batch=128 seconds=2 rounds=2
fi
check "hello@1, digests" 120 "VERDICT exact=IDENTICAL" "${lut[@]}" run hello@1 -q --device "$device" -o "$out/runs"
check "hello@1, one grain at once" 120 "VERDICT exact=IDENTICAL" "${lut[@]}" run hello@1 -q --device "$device" --micro-batch 16 -o "$out/runs"
check "hello@1 run-to-run, 20 steps twice" 120 "VERDICT exact=IDENTICAL" twice hello@1 5   # epochs of 4 steps
for math in exact run-to-run; do
  check "$shape, batch $batch, $math, kernels" 100 "launches a step" "${lut[@]}" bench "$shape" --batch "$batch" --kernels --device "$device" --math "$math"
done
speed() { check "$shape, batch $batch, $1, round $2" 100 "images/s" "${lut[@]}" bench "$shape" --batch "$batch" --premade --launches 1 --blocks 3 --seconds "$seconds" --device "$device" --math "$1" -o "$out/throughput"; }
peer() { check "PyTorch $shape, batch $batch, $1, round $2" 150 "images_per_second" "$python" "$torch" bench --shape "$shape" --batch "$batch" --mode "$1" --device "$device" --seconds "$seconds"; }
has_torch=no
[ "$device" = cuda:emulated ] || ! "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null || has_torch=yes
for round in $(seq "$rounds"); do
  for math in exact run-to-run; do speed $math "$round"; done
  [ $has_torch = no ] || for mode in fp32 bf16 bf16-compiled; do peer $mode "$round"; done
done
[ $has_torch = yes ] || echo "no PyTorch with a GPU in $python: nothing to compare with" | tee -a "$table"
echo "table: $table; throughput as Parquet: $out/throughput"
exit $failed
