#!/bin/sh
# A real Slurm of one node, up for one array job: slurm.sh MODEL CAPTURE TASKS [OPTIONS]
#
# Runs the comparison as an array job and merges the blobs; the report must be that of one process, byte for byte.
# Debian: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge. Needs root; touches only its own folder,
# /run/munge and munge's key where there is none.
set -eu
model=$(realpath "$1") capture=$(realpath "$2") tasks=$3
shift 3
here=$(realpath "$(dirname "$0")")
QDIFF="node $(realpath "$here/../../bin/qdiff.js")"
export QDIFF
work=$(mktemp -d)
munged=
host=$(hostname -s)
mkdir -p "$work/state" "$work/spool" "$work/blobs"

stop() {
  for pid in "$work/slurmd.pid" "$work/slurmctld.pid" ${munged:+"$munged"}; do
    [ -f "$pid" ] || continue
    id=$(cat "$pid")
    kill "$id" 2>/dev/null || true
    while kill -0 "$id" 2>/dev/null; do sleep 0.1; done
  done
  rm -rf "$work"
}
trap stop EXIT
trap 'exit 1' HUP INT TERM

cat > "$work/slurm.conf" <<CONF
ClusterName=one
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES State=UP
CONF
SLURM_CONF=$work/slurm.conf
export SLURM_CONF

mkdir -p /run/munge && chown munge: /run/munge
[ -f /etc/munge/munge.key ] || { mungekey -c && chown munge: /etc/munge/munge.key; }
# Asked, not looked for: a killed munged leaves its socket, and slurmctld then waits for it for ever.
if ! munge --no-input >"$work/credential" 2>&1; then
  munged=/run/munge/munged.pid
  runuser -u munge -- munged --force --pid-file="$munged"
fi
slurmctld
slurmd
tries=0
until sinfo --noheader --format=%t 2>/dev/null | grep -q '^idle$'; do
  tries=$((tries + 1))
  [ "$tries" -lt 100 ] || { sinfo; tail -n 20 "$work"/slurm*.log; exit 1; }
  sleep 0.2
done

sbatch -W --quiet --array=1-"$tasks" --output="$work/task-%a.log" "$here/qdiff.sbatch" "$model" "$capture" "$work/blobs" "$@" || {
  cat "$work"/task-*.log
  exit 1
}
ls "$work/blobs"
for format in table json; do
  $QDIFF merge "$work/blobs" --reporter "$format=$work/merged.$format" || [ $? -eq 1 ]
  $QDIFF "$model" "$capture" "$@" --reporter "$format=$work/one.$format" || [ $? -eq 1 ]
  cmp "$work/merged.$format" "$work/one.$format"
done
echo "$tasks tasks: the merged report equals that of one process"
