#!/usr/bin/env bash
# Runs hello@1 on linux-arm64 under qemu-user and compares with the committed digests: same bits without Arm hardware. Opt-in (a few minutes):
# needs root (or the packages already installed) and a Debian-like system. Fused multiply-add, NEON and .NET's Arm64 JIT are all really used.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v qemu-aarch64-static >/dev/null || [ ! -e /usr/aarch64-linux-gnu/lib/libstdc++.so.6 ]; then
  apt-get update -qq
  apt-get install -y -qq qemu-user-static libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross
fi
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT
# .NET's SHA-256 is OpenSSL's: the Arm library is unpacked beside, not installed
dpkg --add-architecture arm64; apt-get update -qq
(cd "$out" && apt-get download -qq libssl3:arm64 && dpkg -x libssl3_*_arm64.deb ssl)
dpkg --remove-architecture arm64; apt-get update -qq
# a copy without lock files: a runtime identifier adds packages that the portable build does not have
mkdir "$out/src"
cp -r interop model results harness data-sets *.props BannedSymbols.txt .editorconfig global.json "$out/src"
find "$out/src" \( -name bin -o -name obj \) -prune -exec rm -rf {} + ; find "$out/src" -name packages.lock.json -delete
dotnet publish "$out/src/harness" -c Release -r linux-arm64 --self-contained -p:RestorePackagesWithLockFile=false -o "$out/lut" -v quiet --nologo
export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu QEMU_SET_ENV=LD_LIBRARY_PATH="$out/ssl/usr/lib/aarch64-linux-gnu" DOTNET_TieredCompilation=1 DOTNET_TC_QuickJitForLoops=1
qemu-aarch64-static "$out/lut/lut" doctor
time qemu-aarch64-static "$out/lut/lut" run hello@1 -q --threads "${THREADS:-2}" -o "$out/runs" "$@"
