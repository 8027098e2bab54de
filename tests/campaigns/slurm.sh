#!/usr/bin/env bash
# A study as a Slurm array on this machine: brings up munge, slurmctld and slurmd, submits four shards of a small study and its merge, tells one task to
# stop by USR1, requeues another from outside, kills slurmd with SIGKILL and starts it again, and compares the merged tables with those of one process,
# byte for byte (times are in a table of their own).
#
#   dotnet build -c Release && tests/campaigns/slurm.sh      # its output: docs/campaigns/slurm.md
#
# Needs root and Debian's packages slurm-wlm and munge. Exit codes: 0 equal, 1 something differs, 77 skipped (the last line says what is missing).
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
root=$PWD
nulltext=$root/src/NullTextResearch.Cli/bin/Release/net10.0/nulltext.dll
skip() { echo "skipped: $*"; exit 77; }
[ -f "$nulltext" ] || skip "build first: dotnet build -c Release"
[ "$(id -u)" = 0 ] || skip "needs root, to start slurmctld and slurmd"
for program in munged slurmctld slurmd sbatch squeue scontrol scancel; do
    [ -n "$(PATH=$PATH:/usr/sbin:/sbin command -v $program)" ] || skip "$program is missing: apt-get install --no-install-recommends slurm-wlm munge"
done
export PATH=$PATH:/usr/sbin:/sbin
work=$(mktemp -d)
# The daemons of other users must not be able to read it, but munge and Slurm run as root here.
chmod 755 "$work"
host=$(hostname -s)
own_munge=
cleanup() {
    [ -n "${array:-}" ] && scancel "$array" ${merge:-} 2>/dev/null
    for daemon in slurmd slurmctld; do
        [ -f "$work/$daemon.pid" ] && kill "$(cat "$work/$daemon.pid")" 2>/dev/null
    done
    [ -n "$own_munge" ] && [ -f /run/munge/munged.pid ] && kill "$(cat /run/munge/munged.pid)" 2>/dev/null
    sleep 2
    if [ -n "${NULLTEXT_KEEP:-}" ]; then echo "kept: $work" >&2; else rm -rf "$work"; fi
}
trap cleanup EXIT
began=$SECONDS
say() { printf '%5d s  %s\n' $((SECONDS - began)) "$*"; }
wrong=0
check() { if eval "$2"; then say "ok: $1"; else say "WRONG: $1"; wrong=1; fi; }
# Waits up to a number of seconds for a condition.
await() { local until=$((SECONDS + $1)); while ! eval "$2"; do [ $SECONDS -lt $until ] || return 1; sleep 1; done; }

if ! munge -n 2>/dev/null | unmunge >/dev/null 2>&1; then
    mkdir -p /run/munge && chown munge /run/munge
    su -s /bin/sh munge -c "$(command -v munged)" || skip "munged does not start"
    own_munge=1
fi
export SLURM_CONF=$work/slurm.conf
cat > "$SLURM_CONF" <<CONF
ClusterName=campaign
SlurmctldHost=$host
SlurmUser=root
AuthType=auth/munge
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=$host CPUs=$(nproc) State=UNKNOWN
PartitionName=campaign Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
mkdir -p "$work/state" "$work/spool"
slurmctld && slurmd -N "$host" || skip "slurmctld or slurmd does not start here"
await 60 '[ "$(sinfo -h -o %T 2>/dev/null)" = idle ]' || { tail -5 "$work/slurmctld.log"; skip "the node does not become idle"; }
say "$(sinfo --version) on $(nproc) processors, the node is idle"

pictures=$root/data/images/toy
cat > "$work/study.json" <<STUDY
{
  "name": "campaign",
  "data": [{"images": [
    {"image": "$pictures/01-house-snow.png", "prompt": "a big house in the snow", "to": "a big rocket in the snow", "blend": ["house"]},
    {"image": "$pictures/02-mushroom-snow.png", "prompt": "a yellow mushroom in the snow", "to": "a purple mushroom in the snow"},
    {"image": "$pictures/03-mushroom-city.png", "prompt": "a purple mushroom in the city", "to": "a green mushroom in the city"},
    {"image": "$pictures/04-rocket-sunset.png", "prompt": "a rocket in the sunset", "to": "a house in the sunset", "blend": ["zebra"]}
  ]}],
  "methods": ["ddim", "npi", "direct", "null-text", "null-text@edict"],
  "editors": ["prompt-to-prompt", "masactrl"],
  "metrics": ["psnr", "ssim"],
  "steps": ${NULLTEXT_STEPS:-40},
  "inner": 3
}
STUDY
study() { NULLTEXT_THREADS=1 dotnet "$nulltext" study "$@"; }
study plan "$work/study.json" | sed 's/^/         /'
study run "$work/study.json" --out "$work/one" > "$work/one.log" 2>&1 || { cat "$work/one.log"; exit 1; }
study merge "$work/study.json" --out "$work/one" > "$work/one-merge.log" 2>&1 || { cat "$work/one-merge.log"; exit 1; }
say "one process: $(grep shard "$work/one.log")"

study run "$work/study.json" --out "$work/many" --emit slurm --array 4 --partition campaign --time 00:30:00 --requeues 3 --threads 1 > "$work/emit.log" 2>&1 \
    || { cat "$work/emit.log"; exit 1; }
# From another folder than the study's.
submitted=$(cd / && bash "$work/many/slurm.sh")
say "$submitted"
array=$(echo "$submitted" | sed -E 's/.*array ([0-9]+).*/\1/') merge=$(echo "$submitted" | sed -E 's/.*merge ([0-9]+).*/\1/')
log() { cat "$work/many/slurm/${array}_$1.log" 2>/dev/null; }
running() { squeue -h -r -j "$array" -t R -o %K 2>/dev/null; }
state() { scontrol show job "$1" -o 2>/dev/null | grep -oE "(JobState|Reason|Restarts)=[^ ]*" | tr '\n' ' '; }
count() { find "$work/many/units" -name '*.json' 2>/dev/null | wc -l; }

# Two at a time on two processors: one is told to stop, the other is requeued from outside, as at a preemption.
await 200 '[ "$(count)" -gt 0 ] && [ "$(running | wc -l)" -ge 2 ]'
told=$(running | head -1)
other=$(running | sed -n 2p)
say "$(count) results are there, running: $(running | tr '\n' ' ')"
# The signal is there at once, but scancel then asks again and again about a task that is on its way back into the queue.
timeout 10 scancel --signal=USR1 --batch "${array}_$told" 2>/dev/null &
sleep 1
[ -n "$other" ] && scontrol requeue "${array}_$other" && say "task $other requeued from outside while it runs, after $(count) results"
await 120 'log "$told" | grep -q cancelled'
check "task $told, told by USR1, kept its finished units and stopped: $(log "$told" | grep -o 'cancelled.*kept')" 'log "$told" | grep -q cancelled'
restarts() { for t in 0 1 2 3; do echo -n "$t:$(state "${array}_$t" | grep -oE 'Restarts=[0-9]+' | cut -d= -f2) "; done; }
await 60 'state "${array}_$told" | grep -q Restarts=1'
check "restarts of each task, no other was requeued: $(restarts)" \
    '[ "$(restarts)" = "$(for t in 0 1 2 3; do [ "$t" = "$told" ] || [ "$t" = "$other" ] && echo -n "$t:1 " || echo -n "$t:0 "; done)" ]'

await 180 '[ -n "$(running)" ]'
before=$(count)
kill -KILL "$(cat "$work/slurmd.pid")" && say "slurmd killed (SIGKILL) while running: $(running | tr '\n' ' ')"
sleep 10
slurmd -N "$host" && say "slurmd started again; results before and after: $before, $(count)"

await 900 '[ -z "$(squeue -h -j "$array" 2>/dev/null)" ] && [ -z "$(squeue -h -j "$merge" 2>/dev/null)" ]'
check "array and merge have left the queue" '[ -z "$(squeue -h 2>/dev/null)" ]'
for task in 0 1 2 3; do
    log "$task" | grep -E "^(shard|cancelled|slurmstepd|stopped|failed|error)" | sed -E "s#$work#WORK#g; s/^/         task $task: /"
done
check "the merge, after the array: $(grep -h 'units done' "$work"/many/slurm/merge-*.log)" 'grep -qs "units done" "$work"/many/slurm/merge-*.log'
for table in table.csv summary.csv table.json; do
    check "$table equals that of one process ($(wc -l < "$work/one/$table") lines)" 'cmp -s "$work/one/$table" "$work/many/$table"'
done
check "so do all $(find "$work/one/units" -name '*.png' | wc -l) pictures" \
    'diff -rq -x "*.json" "$work/one/units" "$work/many/units" >/dev/null && [ "$(count)" = "$(find "$work/one/units" -name "*.json" | wc -l)" ]'
check "no unfinished file and no mark is left" '[ -z "$(find "$work/many" -name "*.partial") $(ls "$work/many/running")" ] || [ "$(find "$work/many" -name "*.partial" | wc -l) $(ls "$work/many/running" | wc -l)" = "0 0" ]'
[ $wrong = 0 ] && say "all equal" || say "something differs"
exit $wrong
