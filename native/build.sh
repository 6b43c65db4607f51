#!/usr/bin/env bash
# Compiles the kernels to PTX and writes the manifest. Needs clang-19, which it installs from Debian when it may. Nobody needs this to build, run or test the
# product: the PTX is committed, and the same compiler gives the same bytes (a test holds it where that compiler is present).
#   build.sh [OUTPUT]   OUTPUT: folder for *.ptx instead of ptx/, without a manifest
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=${1:-ptx}
if ! command -v clang++-19 >/dev/null && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -q && apt-get install -yq --no-install-recommends clang-19; } >&2
fi
command -v clang++-19 >/dev/null || { echo "clang++-19 is missing: apt-get install --no-install-recommends clang-19" >&2; exit 5; }
# -ffp-contract=off writes every operation with .rn, which also stops the driver's assembler from fusing
flags="-x cuda --cuda-device-only --cuda-gpu-arch=sm_80 --cuda-feature=+ptx70 -nocudainc -nocudalib -S -O3 -std=c++20 -ffp-contract=off -fno-exceptions -fno-rtti -nostdinc -nostdinc++ -Wall -Wextra -Werror"
mkdir -p "$out"
for f in kernels/*.cu; do
  # shellcheck disable=SC2086
  clang++-19 $flags "$f" -o "$out/$(basename "${f%.cu}").ptx"
done
[ $# = 0 ] || exit 0
{
  echo "# compiler $(clang++-19 --version | head -1)"
  echo "# flags $flags"
  LC_ALL=C sha256sum include/*.cuh kernels/*.cu ptx/*.ptx
} > manifest.sha256
