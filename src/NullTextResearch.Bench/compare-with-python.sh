#!/usr/bin/env bash
# TorchSharp against Python's PyTorch on one network, the U-Net of Stable Diffusion 1.x, in one run; prints a Markdown table.
# Needs the .NET 10 SDK and a python3 with torch. Builds the benchmark apart from the checkout's own build, for CUDA where nvidia-smi works.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command="src/NullTextResearch.Bench/compare-with-python.sh $*"
size=512 rounds=3 threads=$(nproc) python=python3 out="" work="${XDG_CACHE_HOME:-$HOME/.cache}/nulltext/compare"
if nvidia-smi >/dev/null 2>&1; then device=cuda; else device=cpu; fi

usage() {
  cat <<TEXT
usage: compare-with-python.sh [--size PIXELS] [--rounds N] [--threads N] [--device cpu|cuda] [--python PROGRAM] [--work FOLDER] [--out FILE]
  --size     pixels per side, a multiple of 64 (512)
  --rounds   how often the two programs take turns (3)
  --threads  threads of both (all processors)
  --device   cuda where nvidia-smi works, else cpu
  --python   a Python that has torch (python3)
  --work     where the build goes; CUDA needs several GB ($work)
  --out      put the table into this file too
TEXT
}

while [ $# -gt 0 ]; do
  case "$1" in
    -h | --help) usage; exit 0 ;;
    --size | --rounds | --threads | --device | --python | --work | --out)
      [ $# -ge 2 ] || { echo "$1 needs a value" >&2; usage >&2; exit 2; }
      printf -v "${1#--}" '%s' "$2"
      shift 2 ;;
    *) echo "unknown argument: $1" >&2; usage >&2; exit 2 ;;
  esac
done
case "$device" in cpu | cuda) ;; *) echo "--device $device: cpu or cuda" >&2; exit 2 ;; esac
[ $((size % 64)) -eq 0 ] || { echo "--size $size: a multiple of 64, so that every level halves evenly" >&2; exit 2; }
"$python" -c 'import torch' 2>/dev/null || { echo "$python has no torch; name one that has it with --python" >&2; exit 2; }
if [ "$device" = cuda ]; then
  "$python" -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' || { echo "torch of $python sees no CUDA device; --device cpu compares on the processor" >&2; exit 2; }
fi

dotnet build "$here/NullTextResearch.Bench.csproj" -c Release -p:TorchBackend="$device" --artifacts-path "$work/$device" -v quiet -nologo >&2
bench=$(find "$work/$device/bin" -name NullTextResearch.Bench.dll -path '*/NullTextResearch.Bench/*' | head -n 1)
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for round in $(seq "$rounds"); do
  echo "round $round of $rounds: TorchSharp" >&2
  dotnet "$bench" --full-size --shared-rows --size "$size" --threads "$threads" --device "$device" >>"$lines"
  echo "round $round of $rounds: PyTorch" >&2
  "$python" "$here/Python/unet.py" --size "$size" --threads "$threads" --device "$device" >>"$lines"
done
status=0
table=$("$python" "$here/Python/table.py" "$lines" "$command") || status=$?
printf '%s\n' "$table"
if [ -n "$out" ]; then printf '%s\n' "$table" >"$out"; fi
exit "$status"
