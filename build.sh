#!/usr/bin/env bash
# The front door: usage() lists the verbs. build.ps1 has the same ones, but for compiling kernels and packing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_UI_LANGUAGE=en

usage() {
  cat >&2 <<'TEXT'
usage: ./build.sh VERB
  reproduce     build, pre-train MAE and LUT on Fashion-MNIST, evaluate, record, and compare with our digests (minutes);
                what is complete is only verified, what was interrupted goes on
  test          build and run every test
  coverage [PROJECT...]   the tests with the share of lines and branches they reach: Model, Results, Interop, Harness,
                or all four; a page for each file in out/coverage/index.html
  format [--check]  lay out the code (CSharpier, and clang-format-19 for the kernels), or say what is not laid out
  bench         build and run the operation benchmarks (BenchmarkDotNet; arguments are passed on)
  ptx           compile the CUDA kernels again (clang-19; nobody needs this to build, run or test)
  gpu-check [DEVICE] [FOLDER]   kernels, digests and speed on a GPU (cuda:0), unattended; cuda:emulated rehearses it
  gpu-pack FOLDER   the same for a Linux machine without .NET: copy the folder there and run its gpu-check.sh
  lut ARGS...   build and run the command line, for example: ./build.sh lut doctor
TEXT
  exit 2
}

need_sdk() {
  if ! command -v dotnet >/dev/null 2>&1 || ! dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
    echo "error: the .NET 10 SDK is needed and was not found." >&2
    echo "  Debian, Ubuntu: apt-get install dotnet-sdk-10.0 (from the distribution or Microsoft's feed); macOS: brew install dotnet; elsewhere: see Microsoft's .NET download page" >&2
    exit 5
  fi
}

# CI must not let a lock file drift
restore_flags() { if [ "${CI:-}" = "true" ]; then echo "-p:RestoreLockedMode=true"; fi; }

build() { # PROJECT
  # shellcheck disable=SC2046
  if ! dotnet build "$1" -c Release -v quiet --nologo -clp:NoSummary $(restore_flags) >"${TMPDIR:-/tmp}/lut-build.$$" 2>&1; then
    cat "${TMPDIR:-/tmp}/lut-build.$$" >&2; rm -f "${TMPDIR:-/tmp}/lut-build.$$"; exit 1
  fi
  rm -f "${TMPDIR:-/tmp}/lut-build.$$"
}

LUT=(dotnet harness/bin/Release/net10.0/lut.dll)

[ $# -ge 1 ] || usage
verb=$1; shift
case "$verb" in
  reproduce)
    need_sdk; build harness
    # what is complete is verified, what was interrupted goes on, what is missing is run
    "${LUT[@]}" run fashion-mae@1 --once "$@"
    "${LUT[@]}" run fashion-lut@1 --once "$@"
    ;;
  test)
    need_sdk; build LutNative.sln
    passed=0 failed=0 skipped=0 status=0
    for project in Model Results Harness Interop; do
      log=$(mktemp)
      dotnet "tests/$project.Tests/bin/Release/net10.0/LutNative.$project.Tests.dll" --progress off --no-ansi "$@" </dev/null 2>&1 | tee "$log" | grep -v '^\s*$' || true
      [ "${PIPESTATUS[0]}" -eq 0 ] || status=1
      count() { sed -n "s/^ *$1: *\([0-9][0-9]*\).*/\1/p" "$log" | tail -1; }
      ok=$(count succeeded); bad=$(count failed); skip=$(count skipped)
      if [ -z "$ok" ]; then echo "error: the tests of $project did not run" >&2; status=1; bad=1; ok=0; skip=0; fi
      [ "$bad" -eq 0 ] || status=1
      passed=$((passed + ok)); failed=$((failed + bad)); skipped=$((skipped + skip))
      rm -f "$log"
    done
    echo "$passed passed, $failed failed, $skipped skipped"
    exit $status
    ;;
  coverage)
    need_sdk; build LutNative.sln
    [ $# -ge 1 ] || set -- Model Results Interop Harness
    rm -rf out/coverage
    status=0
    for project in "$@"; do
      # one hit a line is enough to know that it was reached, and keeps kernels bearable; what a started lut reaches counts
      dotnet "tests/$project.Tests/bin/Release/net10.0/LutNative.$project.Tests.dll" --progress off --no-ansi \
        --coverlet --coverlet-single-hit --coverlet-output-format cobertura --coverlet-file-prefix "$project" \
        --results-directory out/coverage/raw </dev/null || status=1
    done
    dotnet tool restore >/dev/null
    dotnet reportgenerator "-reports:out/coverage/raw/*.xml" -targetdir:out/coverage -verbosity:Error \
      "-reporttypes:Html;JsonSummary;MarkdownSummaryGithub"
    # a line a project: what all of these tests together reach
    sed -nE 's/^ *\{ "name": "([^"]+)", "classes": .* "coverage": ([0-9.]+),.* "branchcoverage": ([0-9.]+),.*/\1 \2 \3/p' \
      out/coverage/Summary.json | awk '{ printf "%-18s lines %5.1f %%  branches %5.1f %%\n", $1, $2, $3 }'
    exit $status
    ;;
  format)
    need_sdk
    mode=format clang_mode=-i
    if [ "${1:-}" = --check ]; then mode=check clang_mode="--dry-run --Werror"; fi
    dotnet tool restore >/dev/null
    dotnet csharpier "$mode" .
    if command -v clang-format-19 >/dev/null 2>&1; then
      # shellcheck disable=SC2086
      clang-format-19 $clang_mode native/kernels/*.cu native/include/*.cuh
    else
      echo "warning: clang-format-19 is missing (apt-get install clang-format-19), so the kernels' layout was not looked at" >&2
    fi
    ;;
  bench)
    need_sdk; build tests/benchmarks
    dotnet tests/benchmarks/bin/Release/net10.0/LutNative.Benchmarks.dll "$@"
    ;;
  ptx)
    native/build.sh
    ;;
  gpu-check)
    need_sdk; build LutNative.sln
    exec ops/gpu-check.sh "$@"
    ;;
  gpu-pack)
    need_sdk
    [ $# = 1 ] || usage
    for project in harness tests/Model.Tests; do
      # a lock file of its own: the runtime that is packed is not part of the project's
      dotnet publish "$project" -c Release -r linux-x64 --self-contained -o "$1" -p:NuGetLockFilePath=obj/publish.lock.json -v quiet --nologo
    done
    # nobody debugs there, and parts of the framework that nothing here loads need not travel: 40 MB is what many machines take in one piece
    (
      cd "$1"
      rm -f ./*.pdb ./*.xml createdump libmscordaccore.so libmscordbi.so libcoreclrtraceptprovider.so libclrgc.so libclrgcexp.so Microsoft.VisualBasic*.dll Microsoft.DiaSymReader*.so
      rm -f System.Private.DataContractSerialization.dll System.Data.Common.dll System.Transactions.Local.dll System.Web.HttpUtility.dll System.Linq.AsyncEnumerable.dll System.Linq.Parallel.dll
      rm -f System.Net.{Mail,Quic,HttpListener,WebSockets,WebSockets.Client,Requests,WebClient,Http.Json,Ping}.dll
    )
    cp ops/gpu-check.sh tests/benchmarks/peer/torch_lut.py "$1/"
    echo "$1: $(du -sh "$1" | cut -f1); run $1/gpu-check.sh there"
    ;;
  lut)
    need_sdk; build harness
    exec "${LUT[@]}" "$@"
    ;;
  *) usage ;;
esac
