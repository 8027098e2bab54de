#!/usr/bin/env bash
# Makes the packages that Microsoft's .NET Interactive loads, as a folder feed. Usage: build/pack.sh [FOLDER] [--no-build]; FOLDER: artifacts/packages.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
feed=$root/artifacts/packages
build=()
for argument in "$@"; do
    case $argument in
        --no-build) build=(--no-build) ;;
        -*) echo "pack.sh: unknown option '$argument'; it takes a folder and --no-build" >&2; exit 2 ;;
        *) feed=$(mkdir -p "$argument" && cd "$argument" && pwd) ;;
    esac
done

mkdir -p "$feed"
rm -f "$feed"/NullTextResearch*.nupkg
dotnet pack "$root/src/NullTextResearch.DotNetInteractive" -c Release -o "$feed" -v q -nologo "${build[@]}"
for project in NullTextResearch NullTextResearch.Hosting NullTextResearch.Figures NullTextResearch.Interactive NullTextResearch.ImageSharp; do
    dotnet pack "$root/src/$project" -c Release -o "$feed" -v q -nologo --no-build
done

# NuGet never looks at a feed again for a version that it has unpacked once.
cache=${NUGET_PACKAGES:-$HOME/.nuget/packages}
for package in "$feed"/NullTextResearch*.nupkg; do
    name=$(basename "$package" | sed -E 's/\.([0-9]+\.[0-9]+\.[0-9]+[^/]*)\.nupkg$/ \1/' | tr '[:upper:]' '[:lower:]')
    rm -rf "${cache:?}/${name% *}/${name#* }"
done
echo "$(ls "$feed" | grep -c '^NullTextResearch') packages in $feed"
echo "In a cell of .NET Interactive:"
echo "    #i \"nuget: $feed\""
echo "    #r \"nuget: NullTextResearch.DotNetInteractive\""
