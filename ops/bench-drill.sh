#!/usr/bin/env bash
# Does `lut bench --against` tell noise from a slowdown on this machine? A/A pairs must end SAME or UNDECIDED, pairs with a planted slowdown SLOWER.
#   bench-drill.sh [REPETITIONS] [SHAPE] [SLOWDOWN]   20, fashion-mae@1, 0.10. LUT: the command (default: this checkout's build). About half a minute a pair; leave the machine alone.
# Prints a Markdown table of every pair and the two counts; exit 0 when at most one of each kind (5 %) is wrong.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
read -r -a lut <<<"${LUT:-dotnet $here/harness/bin/Release/net10.0/lut.dll}"
repetitions=${1:-20} shape=${2:-fashion-mae@1} slowdown=${3:-0.10}
bad=0 missed=0
echo "| pair | A/A | planted $slowdown |"
echo "| --- | --- | --- |"
pair() { "${lut[@]}" bench "$shape" --launches 5 --blocks 6 --seconds 0.2 --against self "$@" 2>/dev/null | tail -1 | sed -E 's/.*perf=([A-Z]+) .*ratio=([0-9.]+) low=([0-9.]+) high=([0-9.]+) p=([0-9.]+).*/\1 \2 [\3, \4] p \5/'; }
for i in $(seq "$repetitions"); do
  same=$(pair) slow=$(pair --slow "$slowdown")
  case "$same" in SAME* | UNDECIDED*) ;; *) bad=$((bad + 1)) ;; esac
  case "$slow" in SLOWER*) ;; *) missed=$((missed + 1)) ;; esac
  echo "| $i | $same | $slow |"
done
echo
echo "A/A pairs called SAME or UNDECIDED: $((repetitions - bad)) of $repetitions; planted slowdowns called SLOWER: $((repetitions - missed)) of $repetitions"
[ $((bad * 20)) -le "$repetitions" ] && [ $((missed * 20)) -le "$repetitions" ]
