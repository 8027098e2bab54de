#!/usr/bin/env bash
# Inversions by sd-mini while other work has the processors: what one costs in processor time and on the clock, quiet and beside k busy single-thread
# processes, in alternation; where the default is more than one thread, one thread too, and with --all-threads all processors. Equal work by another
# program (awk, one thread, no clock, nothing to wait for) stands beside each as a control: what it costs more, the machine takes. Prints a table and
# ends with 1 where a limit is passed. Run it by hand, on a machine that does nothing else: 15 minutes on two processors.
#
#   tests/campaigns/shared-machine.sh [--alternations 5] [--busy "2 20"] [--steps 50] [--all-threads]
set -euo pipefail
alternations=5 busy="2 20" steps=50 all=
while [ $# -gt 0 ]; do
  case $1 in
    --alternations) alternations=$2 ;;
    --busy) busy=$2 ;;
    --steps) steps=$2 ;;
    --all-threads) all=yes; shift; continue ;;
    *) echo "unknown: $1 (see the head of $0)" >&2; exit 2 ;;
  esac
  shift 2
done
repo=$(cd "$(dirname "$0")/../.." && pwd)
program=$repo/src/NullTextResearch.Cli/bin/Release/net10.0/nulltext.dll
[ -f "$program" ] || dotnet build "$repo/src/NullTextResearch.Cli" -c Release -v q -nologo
work=$(mktemp -d)
spinners=()
stop() {
  [ ${#spinners[@]} = 0 ] || { kill "${spinners[@]}"; wait "${spinners[@]}" || true; } 2>/dev/null
  spinners=()
}
trap 'stop; rm -rf "$work"' EXIT
unset NULLTEXT_THREADS
export LC_ALL=C
TIMEFORMAT='%R %U %S'
processors=$(nproc)

# measure NAME ARGUMENTS...: one line "seconds on the clock, seconds of processor time" goes to NAME's file.
measure() {
  local name=$1; shift
  rm -rf "$work/run"
  { time dotnet "$program" invert --steps "$steps" --out "$work/run" "$@" >"$work/out" 2>"$work/err" || { cat "$work/err" >&2; exit 1; }; } 2>"$work/time"
  awk '{print $1, $2 + $3}' "$work/time" >>"$work/$name"
  sha256sum <"$work/run/reconstruction.png" >>"$work/pictures-${*:-default}"
  echo "  $name: $(tail -1 "$work/$name") s (clock, processor)"
}

# control NAME: the same of work that is always the same, sums in a table larger than a processor's caches.
control() {
  { time awk 'BEGIN {for (i = 0; i < 6000000; i++) {k = (i * 7919) % 300007; a[k] += i}; print a[5]}' >"$work/out"; } 2>"$work/time"
  awk '{print $1, $2 + $3}' "$work/time" >>"$work/control-$1"
  echo "  $1, control: $(tail -1 "$work/control-$1") s"
}

# median COLUMN FILE
median() { sort -n -k"$1,$1" "$2" | awk -v c="$1" '{v[NR] = $c} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# The default number of threads, as the run's manifest has it; the first run also warms the file cache.
dotnet "$program" invert --steps 2 --inner 1 --out "$work/run" >"$work/out" 2>"$work/err"
own=$(sed -n 's/.*"threads": *\([0-9]*\).*/\1/p' "$work/run/manifest.json")
echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $processors processors, load $(cut -d' ' -f1 /proc/loadavg) at the start; $steps steps"
for round in $(seq "$alternations"); do
  echo "round $round of $alternations"
  measure quiet
  control quiet
  for k in $busy; do
    for _ in $(seq "$k"); do sh -c 'while :; do :; done' & spinners+=($!); done
    measure "k=$k"
    control "k=$k"
    stop
  done
  [ "$own" = 1 ] || measure one --threads 1
  [ -z "$all" ] || measure all --threads "$processors"
done

quiet=$(median 2 "$work/quiet")
failed=0
echo
echo "| medians of $alternations | clock, s | processor, s | processor against quiet (limit 1.2) | the control's | limit of the clock, s |"
echo "|---|---|---|---|---|---|"
# How far one quiet run is from another says what a ratio is worth on this machine.
spread() { awk -v q="$2" '{r = $2 / q; if (NR == 1 || r < l) l = r; if (NR == 1 || r > m) m = r} END {printf "%.2f to %.2f", l, m}' "$1"; }
steady=$(median 2 "$work/control-quiet")
echo "| quiet, default ($own thread) | $(median 1 "$work/quiet") | $quiet | $(spread "$work/quiet" "$quiet") among themselves | $(spread "$work/control-quiet" "$steady") | |"
for k in $busy; do
  clock=$(median 1 "$work/k=$k") cost=$(median 2 "$work/k=$k")
  # A share of the processors for each of k + own threads, and three times that.
  read -r ratio limit verdict <<<"$(awk -v q="$quiet" -v c="$clock" -v p="$cost" -v n="$((k + own))" -v cores="$processors" 'BEGIN {r = p / q; l = 3 * q * n / cores; v = (r > 1.2 || c > l); printf "%.2f %.0f %d\n", r, l, v}')"
  echo "| beside $k busy processes | $clock | $cost | $ratio | $(awk -v c="$(median 2 "$work/control-k=$k")" -v q="$steady" 'BEGIN {printf "%.2f", c / q}') | $limit |"
  [ "$verdict" = 0 ] || { failed=1; echo "beside $k busy processes: a limit is passed" >&2; }
done
[ -z "$all" ] || echo "| quiet, --threads $processors | $(median 1 "$work/all") | $(median 2 "$work/all") | | | |"
echo
if [ "$own" = 1 ]; then
  echo "the default is one thread at this size"
else
  awk -v d="$(median 1 "$work/quiet")" -v o="$(median 1 "$work/one")" 'BEGIN {printf "the default against one thread: %+.1f %% (limit +5)\n", 100 * (d / o - 1); exit d > 1.05 * o}' || failed=1
fi
if [ "$(sort -u "$work/pictures-default" | wc -l)" = 1 ]; then echo "the same picture, quiet and busy"; else failed=1; echo "pictures differ with the load" >&2; fi
exit $failed
