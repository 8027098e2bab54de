#!/usr/bin/env bash
# Makes the library's packages, as a folder feed: for programs, and for Microsoft's .NET Interactive. Usage: build/pack.sh [FOLDER] [--no-build]; FOLDER: artifacts/packages.
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

# A tag on this commit names the version; elsewhere it is the one of Directory.Build.props.
version=()
if tag=$(git -C "$root" describe --tags --exact-match --match 'v[0-9]*' 2>/dev/null); then version=("-p:Version=${tag#v}"); fi

mkdir -p "$feed"
rm -f "$feed"/NullTextResearch*.nupkg "$feed"/NullTextResearch*.snupkg
for project in NullTextResearch.DotNetInteractive NullTextResearch NullTextResearch.Hosting NullTextResearch.Figures NullTextResearch.Hub NullTextResearch.Interactive NullTextResearch.ImageSharp; do
    dotnet pack "$root/src/$project" -c Release -o "$feed" -v q -nologo "${version[@]}" "${build[@]}"
done

# NuGet never looks at a feed again for a version that it has unpacked once.
cache=${NUGET_PACKAGES:-$HOME/.nuget/packages}
for package in "$feed"/NullTextResearch*.nupkg; do
    name=$(basename "$package" | sed -E 's/\.([0-9]+\.[0-9]+\.[0-9]+[^/]*)\.nupkg$/ \1/' | tr '[:upper:]' '[:lower:]')
    rm -rf "${cache:?}/${name% *}/${name#* }"
done
echo "$(ls "$feed" | grep -c '^NullTextResearch.*\.nupkg$') packages in $feed"
echo "In a cell of .NET Interactive:"
echo "    #i \"nuget: $feed\""
echo "    #r \"nuget: NullTextResearch.DotNetInteractive\""
