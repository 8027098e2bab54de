#!/usr/bin/env bash
# Remakes everything in this checkout that comes from sd-mini, after its weights have changed: the model's evaluation, samples and rankings, the README's
# verdicts and teaser, the outputs of the notebooks and the README's picture of them. Usage: build/remake.sh [FOLDER] [PART...]; FOLDER: runs/remake,
# where a second call goes on; PART: evaluation, claims, figures, notebooks; without one, all. It takes hours on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-runs/remake}
shift || true
parts=${*:-evaluation claims figures notebooks}
for part in $parts; do
    case $part in
        evaluation | claims | figures | notebooks) ;;
        *) echo "remake.sh: unknown part '$part'; it takes evaluation, claims, figures and notebooks" >&2; exit 2 ;;
    esac
done
mkdir -p "$out"
dotnet build src/NullTextResearch.Cli -c Release -v q -nologo
nulltext() { dotnet src/NullTextResearch.Cli/bin/Release/net10.0/nulltext.dll "$@"; }

# Replaces what stands between '<!-- NAME -->' and '<!-- /NAME -->' in a file by a table.
put() {
    grep -q "^<!-- $2 -->$" "$1" && grep -q "^<!-- /$2 -->$" "$1" || { echo "remake.sh: $1 has no place for '$2'" >&2; exit 1; }
    awk -v name="$2" -v table="$3" '
        $0 == "<!-- /" name " -->" { inside = 0 }
        !inside { print }
        $0 == "<!-- " name " -->" { inside = 1; while ((getline line < table) > 0) if (line != "") print line }
    ' "$1" > "$1.new"
    mv "$1.new" "$1"
}

wanted() { [[ " $parts " == *" $1 "* ]]; }
model=data/models/sd-mini
if wanted evaluation; then
    # Exit code 1 says that a bar was missed; the table names it.
    nulltext train --evaluate --inverted 64 --variants 8 --edits usual --out "$out/evaluation" || [ $? = 1 ]
    put $model/README.md evaluation "$out/evaluation/evaluation.md"
    cp "$out/evaluation/samples.png" $model/samples.png
fi
if wanted claims; then
    nulltext train --claims --rows 8 --out "$out/claims"
    put $model/README.md claims "$out/claims/claims.md"
fi
if wanted figures; then
    nulltext reproduce --quick --count 6 --out "$out/figures"
    mkdir -p docs/reproduction
    cp "$out/figures/claims.md" docs/reproduction/claims.md
    cp "$out/figures/fig04/manifest.json" docs/reproduction/fig04.json
    put README.md verdicts "$out/figures/claims.md"
    cp "$out"/figures/fig02/04-rocket-sunset.png data/images/teaser.png
fi
if wanted notebooks; then
    nulltext notebook run all --threads 1
    build/notebooks-picture.sh
fi
git status --short
