#!/usr/bin/env bash
# What a GPU has to show, unattended, most telling things first: its state and what its driver makes of our kernels, hello@1's digests, the kernels against the scalar oracle, speed by
# kernel, images/s in turns with PyTorch on the same card (where python3 has it), then run-to-run.
#   gpu-check.sh [DEVICE] [FOLDER] [MINUTES]   DEVICE: cuda:0 (default), cuda:1, ..., or cuda:emulated for a rehearsal; FOLDER: what comes back (default gpu-check);
#   MINUTES: for everything (default 25, or GPU_CHECK_MINUTES). After every check FOLDER has what was found so far: gpu-check.md (the table), gpu-check.tar.gz (logs, JSON, Parquet).
# Runs in the repository after ./build.sh gpu-check built it, or in a folder that ./build.sh gpu-pack made for a machine without .NET.
# LUT_CUDA_LIBRARIES: folders of cuBLAS and cuDNN, if the system's loader does not find them; a PyTorch installation's are found here.
# Exit 0 when every check passed, 1 otherwise; the table comes last.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
device=${1:-cuda:0} out=${2:-gpu-check} minutes=${3:-${GPU_CHECK_MINUTES:-25}}
deadline=$((SECONDS + ${GPU_CHECK_SECONDS:-$((minutes * 60))})) grace=${GPU_CHECK_GRACE:-10}
mkdir -p "$out" && out=$(cd "$out" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/gpu-check.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'report; exit 1' TERM INT HUP
if [ -x "$here/lut" ]; then
  lut=("$here/lut") kernels=("$here/LutNative.Model.Tests") torch=$here/torch_lut.py
else
  root=$(dirname "$here")
  lut=(dotnet "$root/harness/bin/Release/net10.0/lut.dll") kernels=(dotnet "$root/tests/Model.Tests/bin/Release/net10.0/LutNative.Model.Tests.dll") torch=$root/tests/benchmarks/peer/torch_lut.py
fi
# twenty processes: the driver compiles our PTX once, where it may keep the result
export CUDA_CACHE_PATH=${CUDA_CACHE_PATH:-$work/jit} CUDA_CACHE_MAXSIZE=${CUDA_CACHE_MAXSIZE:-1073741824}
mkdir -p "$CUDA_CACHE_PATH"
python=${PYTHON:-python3}
if [ -z "${LUT_CUDA_LIBRARIES:-}" ] && command -v "$python" >/dev/null; then
  # the wheels of PyTorch bring both libraries: nvidia/*/lib beside it
  found=$(timeout -k 5 60 "$python" -c 'import glob, os, sys; print(":".join(sorted({os.path.dirname(f) for p in sys.path for n in ("libcublasLt.so.1*", "libcudnn.so.9", "libnvrtc.so.1*") for f in glob.glob(os.path.join(p, "nvidia", "*", "lib", n)) + glob.glob(os.path.join(p, "torch", "lib", n))})))' 2>/dev/null)
  [ -z "$found" ] || export LUT_CUDA_LIBRARIES=$found LD_LIBRARY_PATH=$found${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
fi
table="$out/gpu-check.md" failed=0
{ echo "# gpu-check of $device"; echo; echo "| check | result | seconds |"; echo "| --- | --- | --- |"; } > "$table"

report() { # what was found so far, packed under one name, and the table
  cp "$table" "$work/gpu-check.md"
  tar -C "$work" --exclude=./jit -czf "$out/.packing" . && mv -f "$out/.packing" "$out/gpu-check.tar.gz"
  echo; cat "$table"; echo
}

left() { # LIMIT: seconds that a command may take: its own limit, or what is left of the deadline
  local rest=$((deadline - SECONDS))
  [ "$rest" -gt "$1" ] && rest=$1
  echo "$rest"
}

# a program that does not listen to TERM is killed some seconds later
limited() { local limit; limit=$(left "$1"); shift; [ "$limit" -gt 0 ] || return 124; timeout -k "$grace" "$limit" "$@"; }

check() { # NAME LIMIT_SECONDS EXPECTED-PATTERN COMMAND...
  local name=$1 limit=$2 pattern=$3 log="$work/${1//[^a-zA-Z0-9]/-}.log" before=$SECONDS code line
  shift 3
  if [ "$(left "$limit")" -le 0 ]; then
    line="FAILED: no time was left"; failed=1
  else
    if [ "$(type -t "$1")" = function ]; then "$@"; else limited "$limit" "$@"; fi > "$log" 2>&1 </dev/null
    code=$?
    line=$(grep -aE "$pattern" "$log" | tail -1 | tr -s ' ')
    if [ $code -ne 0 ] || [ -z "$line" ]; then
      # why, in our errors' words; of other programs the last line
      line=$(grep -aE '^ *why:|asks for a GPU' "$log" | head -1)
      [ -n "$line" ] || line=$(grep -aE '[^[:space:]]' "$log" | tail -1)
      line="FAILED (exit $code, see $(basename "$log")): $(printf '%s' "$line" | tr -s ' ' | sed 's/^ //' | cut -c1-160)"
      failed=1
    fi
  fi
  line=$(printf '%s' "$line" | tr -d '\000-\037\177')
  echo "| $name | ${line//|//} | $((SECONDS - before)) |" >> "$table"
  report
}

# shellcheck disable=SC2317 # called through check
twice() { # PROTOCOL EPOCHS: the same steps in two processes, compared bit by bit
  local a
  for a in a b; do limited 60 "${lut[@]}" pretrain "$1" -q --device "$device" --math run-to-run -o "$work/repeat/$a" --set "pretrain.epochs=$2" || return 1; done
  limited 60 "${lut[@]}" compare "$work"/repeat/a/* "$work"/repeat/b/*
}

if [ "$device" = cuda:emulated ]; then
  shape=tiny batch=16 seconds=1 rounds=1
  check "the emulated device" 60 "^FIT" "${lut[@]}" doctor --device "$device" --registers
else
  shape=vitb16 batch=128 seconds=2 rounds=2
  # from here on tests must meet this GPU: where they do not, they fail
  export LUT_TEST_DEVICE=${device#cuda:}
  check "device and its state" 90 "^FIT: gpu" "${lut[@]}" doctor --require gpu --device "$device" --registers
  if command -v nvidia-smi >/dev/null; then
    timeout -k 5 20 nvidia-smi --query-gpu=name,driver_version,vbios_version,compute_cap,memory.total,memory.used,clocks.sm,clocks.max.sm,power.draw,power.limit,temperature.gpu,ecc.mode.current,mig.mode.current,utilization.gpu --format=csv > "$work/nvidia-smi.csv" 2>&1 </dev/null
  fi
fi
check "hello@1, digests" 120 "VERDICT exact=IDENTICAL" "${lut[@]}" run hello@1 -q --device "$device" -o "$work/runs"
if [ "$device" = cuda:emulated ]; then
  check "kernels equal the oracle" 300 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-method "*EveryModuleLoads*"
else
  export LUT_TEST_REPORT=$work/kernels.txt
  check "kernels equal the oracle" 240 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-method "*OnARealDevice*"
fi
for math in exact run-to-run; do
  check "$shape, batch $batch, $math, kernels (JSON)" 120 '^  "measured_ms"' "${lut[@]}" bench "$shape" --batch "$batch" --kernels --json --device "$device" --math "$math"
done
speed() { check "$shape, batch $batch, $1, round $2" 100 "^images/s" "${lut[@]}" bench "$shape" --batch "$batch" --premade --launches 1 --blocks 3 --seconds "$seconds" --device "$device" --math "$1" -o "$work/throughput"; }
peer() { check "PyTorch $shape, batch $batch, $1, round $2" 150 "images_per_second" "$python" "$torch" bench --shape "$shape" --batch "$batch" --mode "$1" --device "$device" --seconds "$seconds"; }
has_torch=no
[ "$device" = cuda:emulated ] || ! limited 60 "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null || has_torch=yes
for round in $(seq "$rounds"); do
  for math in exact run-to-run; do speed $math "$round"; done
  [ $has_torch = no ] || for mode in fp32 bf16 bf16-compiled; do peer $mode "$round"; done
done
[ $has_torch = yes ] || echo "no PyTorch with a GPU in $python: nothing to compare with" > "$work/no-pytorch.txt"
[ "$device" = cuda:emulated ] || check "run-to-run is the oracle's within bfloat16" 100 "succeeded: [1-9]" "${kernels[@]}" --progress off --no-ansi --filter-class "*RunToRunTests"
check "hello@1 run-to-run, 20 steps twice" 180 "VERDICT exact=IDENTICAL" twice hello@1 5   # epochs of 4 steps
check "hello@1, one grain at once" 120 "VERDICT exact=IDENTICAL" "${lut[@]}" run hello@1 -q --device "$device" --micro-batch 16 -o "$work/runs"
exit $failed
