#!/usr/bin/env bash
# Kills the program (SIGKILL) at random moments, gives the same command again until it is done, and compares what it made with what an
# undisturbed run made: bit for bit, apart from times; and file for file, so that nothing half written stays. Ends with 1 where something differs.
#
#   dotnet build -c Release && tests/campaigns/kills.sh --kills 200 > docs/campaigns/kills.txt
#
# --kills N    kills in all (default 200), shared out over the verbs, at least one each
# --seed N     of the moments (default 1)
# --verbs "…"  some of: pull edit invert reproduce train
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
root=$PWD
kills=200 seed=1 verbs="pull edit invert reproduce train"
while [ $# -gt 0 ]; do
    case $1 in
        --kills) kills=$2 ;;
        --seed) seed=$2 ;;
        --verbs) verbs=$2 ;;
        *) echo "unknown option $1; --kills, --seed and --verbs are known" >&2; exit 2 ;;
    esac
    shift 2
done
nulltext=$root/src/NullTextResearch.Cli/bin/Release/net10.0/nulltext.dll
hub=$root/tests/NullTextResearch.Hub.Tests/bin/Release/net10.0/NullTextResearch.Hub.Tests.dll
[ -f "$nulltext" ] || { echo "build first: dotnet build -c Release" >&2; exit 2; }
work=$(mktemp -d)
address=$work/address
cleanup() {
    rm -f "$address" # ends the hub
    [ -n "${served:-}" ] && wait "$served" 2>/dev/null
    rm -rf "$work"
}
trap cleanup EXIT
export NULLTEXT_THREADS=1
export NULLTEXT_CHROMIUM=/none # pictures of charts are a browser's work
RANDOM=$seed
most_per_job=4
picture=$root/data/images/toy/01-house-snow.png

# What a verb is called with, in a folder of its own; what it needs is put there first.
prepare() {
    mkdir -p "$2"
    if [ "$1" = edit ]; then cp -r "$work/inverted/run" "$2/run"; fi
}
call() {
    case $1 in
        reproduce) set -- reproduce --quick --figures 9 --count 1 --size 32 --out "$2/report" ;;
        invert) set -- invert "$picture" --prompt "a big house in the snow" --steps 12 --inner 2 --out "$2/run" ;;
        edit) set -- edit "$2/run" --to "a big rocket in the snow" ;;
        train) set -- train --steps 3 --training-scenes 16 --stages UNet --workers 1 --checkpoint-seconds 0 --sample-minutes 1000000 --out "$2/training" --export "$2/model" ;;
        pull) set -- model pull artist/tiny-diffusion ;;
    esac
    exec dotnet "$nulltext" "$@"
}
run() { (export HF_HOME=$2/hub HF_ENDPOINT=${hub_address:-}; call "$1" "$2") > "$2.log" 2>&1; }

# Every file with a checksum of what must be equal. Times differ, and so do pages that print them; a killed edit may have been complete.
outcome() {
    (
        cd "$1" || exit
        find . \( -type f -o -type l \) | LC_ALL=C sort | while IFS= read -r file; do
            case $file in
                */index.html | */figure.html | */fig09/manifest.json | */training/*.csv | */training/*.checkpoint*) sum=- ;;
                # A result is one line, with the seconds that it took among the rest.
                *.json) sum=$(grep -vE '^ *"(finished|[sS]econds)"' "$file" | sed -E 's/"[sS]econds":[0-9.eE+-]+//g' | sha256sum) ;;
                *) sum=$(sha256sum < "$file") ;;
            esac
            echo "$file ${sum%% *}"
        done | sed -E 's#/edits/[0-9]+/#/edits/N/#' | LC_ALL=C sort -u
    )
}
now() { date +%s%3N; }

# Kills in a hundred.
share() {
    case $1 in reproduce) echo 8 ;; invert) echo 30 ;; edit) echo 26 ;; train) echo 4 ;; pull) echo 32 ;; esac # by what one costs
}

if [[ " $verbs " == *" pull "* ]]; then
    NULLTEXT_HUB_ADDRESS=$address dotnet "$hub" -explicit only -class NullTextResearch.Hub.Tests.CampaignHub -noLogo > "$work/hub.log" 2>&1 &
    served=$!
    for _ in $(seq 300); do [ -s "$address" ] && break; sleep 0.1; done
    hub_address=$(cat "$address") || { cat "$work/hub.log" >&2; exit 2; }
fi

echo "tests/campaigns/kills.sh --kills $kills --seed $seed --verbs \"$verbs\""
echo "$(date -u +%Y-%m-%dT%H:%MZ), commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown), $(dotnet --version) SDK, $(uname -sr), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo 2>/dev/null | head -1), $(nproc) processors"
weights=0
for verb in $verbs; do weights=$((weights + $(share "$verb"))); done
total=0 bad=0 left_kills=$kills left_weights=$weights
for verb in $verbs; do
    # What rounding leaves over falls to those that follow.
    wanted=$((left_kills * $(share "$verb") / left_weights))
    [ "$wanted" -ge 1 ] || wanted=1
    left_kills=$((left_kills - wanted)) left_weights=$((left_weights - $(share "$verb")))
    if [ "$verb" = edit ]; then
        mkdir -p "$work/inverted"
        run invert "$work/inverted" || { cat "$work/inverted.log"; exit 1; }
    fi
    whole=$work/$verb-whole
    prepare "$verb" "$whole"
    began=$(now)
    run "$verb" "$whole" || { echo "$verb does not even work undisturbed:"; tail -5 "$whole.log"; exit 1; }
    took=$(($(now) - began))
    undisturbed=$took
    outcome "$whole" > "$work/expected"
    killed=0 jobs=0 differ=0 job_kills=0 resumed=0
    while [ "$killed" -lt "$wanted" ]; do
        jobs=$((jobs + 1)) job_kills=0
        dir=$work/$verb-$jobs
        prepare "$verb" "$dir"
        while true; do
            if [ "$job_kills" -ge "$most_per_job" ] || [ "$killed" -ge "$wanted" ]; then
                run "$verb" "$dir"; code=$?
            else
                # The subshell becomes the program, so that this is its own process.
                (export HF_HOME=$dir/hub HF_ENDPOINT=${hub_address:-}; call "$verb" "$dir") > "$dir.log" 2>&1 &
                pid=$!
                # From a tenth of the time that it takes to somewhat more than all of it.
                delay=$((took / 10 + RANDOM * (took + took / 10) / 32768))
                began=$(now)
                while [ $(($(now) - began)) -lt "$delay" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
                kill -KILL "$pid" 2>/dev/null && took_whole= || took_whole=$(($(now) - began))
                { wait "$pid"; code=$?; } 2>/dev/null
                # The machine may have been busier, or less busy, when the undisturbed run was timed.
                [ -z "$took_whole" ] || [ "$job_kills" -gt 0 ] || took=$took_whole
            fi
            grep -q "resuming" "$dir.log" && resumed=$((resumed + 1))
            [ "$code" -eq 137 ] || break
            killed=$((killed + 1)) job_kills=$((job_kills + 1))
        done
        if [ "$code" -ne 0 ]; then
            echo "$verb, job $jobs, after $job_kills kills: exit code $code"
            tail -5 "$dir.log"
            differ=$((differ + 1))
        elif ! diff "$work/expected" <(outcome "$dir") > "$work/difference"; then
            echo "$verb, job $jobs, after $job_kills kills: differs from the undisturbed run (<), or leaves something behind:"
            head -20 "$work/difference"
            differ=$((differ + 1))
        fi
        rm -rf "$dir" "$dir.log"
    done
    printf '%-10s undisturbed %6d ms, %3d jobs, %3d kills, %3d times it said that it goes on, %2d jobs differ or leave something behind\n' "$verb" "$undisturbed" "$jobs" "$killed" "$resumed" "$differ"
    total=$((total + killed)) bad=$((bad + differ))
done
echo "$total kills, $bad differences"
[ "$bad" -eq 0 ]
