#!/usr/bin/env bash
# Writes the public surface of every package beside its project: PublicAPI.Shipped.txt has the last release, PublicAPI.Unshipped.txt what was added and
# removed since. The build fails where they differ from the code. Usage: build/api.sh [--ship]; --ship, at a release, moves everything to Shipped.
set -euo pipefail
export LC_ALL=C
ship=
case "${1:-}" in
    "") ;;
    --ship) ship=1 ;;
    *) echo "api.sh: unknown option '$1'; it takes --ship" >&2; exit 2 ;;
esac
root=$(cd "$(dirname "$0")/.." && pwd)
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# With empty files the analyser misses every public symbol, and its log has their names in its own spelling.
for file in Shipped Unshipped; do echo "#nullable enable" > "$logs/PublicAPI.$file.txt"; done
build() { dotnet build "$root/src/$1" -c Release --no-incremental -v q -nologo "-clp:ErrorsOnly;NoSummary" "-p:ApiLogs=$logs" "${@:2}"; }
build NullTextResearch.DotNetInteractive
build NullTextResearch.Hub --no-dependencies

declared() { grep -v '^#' "$1" | grep . || true; }
for project in "$root"/src/*/; do
    project=${project%/}
    name=$(basename "$project")
    log=$logs/$name.sarif
    # Programs are no packages.
    if [[ $(dotnet msbuild "$project" -getProperty:IsPackable) != true ]]; then continue; fi
    [[ -s $log ]] || { echo "api.sh: the build has no log of $name" >&2; exit 1; }
    grep -o '"APIName": ".*"' "$log" | sed -E 's/^"APIName": "(.*)"$/\1/; s/\\(["\\])/\1/g' | sort -u > "$logs/now"
    shipped=$project/PublicAPI.Shipped.txt
    [[ -f $shipped ]] || echo "#nullable enable" > "$shipped"
    if [[ $ship ]]; then { echo "#nullable enable"; cat "$logs/now"; } > "$shipped"; fi
    declared "$shipped" | sort -u > "$logs/then"
    {
        echo "#nullable enable"
        comm -23 "$logs/now" "$logs/then"
        comm -13 "$logs/now" "$logs/then" | sed 's/^/*REMOVED*/'
    } > "$project/PublicAPI.Unshipped.txt"
    echo "$name: $(wc -l < "$logs/now") public members, $(($(wc -l < "$project/PublicAPI.Unshipped.txt") - 1)) changes since the last release"
done
