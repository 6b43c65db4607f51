#!/usr/bin/env bash
# Ours beside the inexact peers, interleaved: the LUT step beside TorchSharp (libtorch-cpu), products beside OpenBLAS.
#   compare.sh                       everything (about 25 minutes on two cores)
#   compare.sh step SHAPE:BATCH...   the step alone, for some shapes
#   compare.sh gemm                  products alone
# Needs a C compiler and, for the last two columns, Debian's libjemalloc2 and libopenblas0-pthread. Nothing here is needed to build or test the product.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=$(cd ../../.. && pwd)
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  [ -e /usr/lib/x86_64-linux-gnu/libjemalloc.so.2 ] && [ -e /usr/lib/x86_64-linux-gnu/libopenblas.so.0 ] || { apt-get update -q && apt-get install -yq libjemalloc2 libopenblas0-pthread; } >/dev/null
fi
dotnet build "$root/harness" -c Release -v quiet --nologo -clp:NoSummary >&2
dotnet build . -c Release -v quiet --nologo -clp:NoSummary >&2
out=bin/Release/net10.0/linux-x64
dotnet $out/peer.dll prepare
cc -shared -fPIC -DLOADER -o $out/loader.so preload.c
cc -shared -fPIC -DAVX512 -o $out/avx512.so preload.c

step() { dotnet $out/peer.dll versus "$root/harness/bin/Release/net10.0/lut.dll" "${THREADS:-$(nproc)}" "${ROUNDS:-4}" "${SECONDS_PER_BLOCK:-4}" "$@"; }
gemm() {
  # whatever the environment says about OpenBLAS is forgotten: it must choose its best kernels itself
  unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
  for t in 1 2; do dotnet $out/peer.dll gemm $t "${SAMPLES:-7}"; done
}

case "${1:-all}" in
  step) shift; step "$@" ;;
  gemm) gemm ;;
  all) step tiny:64 tiny:256 tiny-wide:64 tiny-wide:256 vitb16:8 vitb16:16 fashion-lut@1:64; gemm ;;
  *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
