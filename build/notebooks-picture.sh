#!/usr/bin/env bash
# Makes data/images/notebooks.png, the README's picture of two notebooks, from their committed outputs: exported pages side by side, in Chromium.
# Usage: build/notebooks-picture.sh [NULLTEXT], the command of the built program; build/remake.sh calls it after it has run the notebooks.
set -euo pipefail
cd "$(dirname "$0")/.."
nulltext=${1:-dotnet src/NullTextResearch.Cli/bin/Release/net10.0/nulltext.dll}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A page, and what stands at its top in the picture.
page() {
    $nulltext notebook convert "notebooks/$1.ipynb" "$work/$1.html" > /dev/null
    echo "<script>document.querySelector('$2').scrollIntoView();</script>" >> "$work/$1.html"
}

page 00-quickstart '#edit'
page 03-null-text-optimisation '.nt-chart:has([aria-label^=Distance])'
cat > "$work/both.html" <<'END'
<!DOCTYPE html>
<meta charset="utf-8">
<style>
body { margin: 0; display: flex; gap: 12px; background: #d0d0dc; padding: 2px; height: 1212px; }
iframe { flex: 1; border: 0; height: 100%; background: #fff; }
</style>
<iframe src="00-quickstart.html"></iframe>
<iframe src="03-null-text-optimisation.html"></iframe>
END
"${NULLTEXT_CHROMIUM:-chromium}" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$work/profile" --window-size=1340,1216 \
    --virtual-time-budget=15000 --screenshot="$work/both.png" "file://$work/both.html" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
cp "$work/both.png" data/images/notebooks.png
