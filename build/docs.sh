#!/usr/bin/env bash
# Makes the documentation as pages, with those of the public API, from the XML comments. Usage: build/docs.sh [--no-build]; then docfx serves them.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
dotnet tool restore > /dev/null
[[ "${1:-}" == --no-build ]] || dotnet build -c Release -v q -nologo
rm -rf artifacts/api-metadata artifacts/site
dotnet docfx docfx.json --warningsAsErrors false
echo "$(find artifacts/site/api -name '*.html' | wc -l) pages of the API in $root/artifacts/site"
echo "To read them: dotnet docfx serve artifacts/site, then http://localhost:8080/README.html"
