#!/usr/bin/env bash
# Runs a sweep as an array job on a Slurm of its own, and compares its dataset with that of a local run.
# usage: slurm_array.sh GAINCAL PLAN.toml [TASKS]      exit code 77: skipped, with the reason
# Needs root and the Debian packages slurmctld slurmd slurm-client munge.
set -euo pipefail
gaincal=$(realpath "$1")
plan=$(realpath "$2")
tasks=${3:-4}

skip() { echo "skipped: $*"; exit 77; }
for program in slurmctld slurmd sbatch squeue munged munge; do
  PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || skip "no $program; install slurmctld slurmd slurm-client munge"
done
[ "$(id -u)" -eq 0 ] || skip "Slurm's daemons need root"
id munge >/dev/null 2>&1 || skip "no user munge"

export PATH=$PATH:/usr/sbin
work=$(mktemp -d "${TMPDIR:-/tmp}/gaincal-slurm-XXXXXX")
chmod 755 "$work"
started=()
finish() {
  for file in "${started[@]}"; do
    [ -s "$file" ] && kill "$(cat "$file")" 2>/dev/null || true
  done
  for _ in $(seq 50); do
    alive=0
    for file in "${started[@]}"; do
      pid=$(cat "$file" 2>/dev/null) && kill -0 "$pid" 2>/dev/null && alive=1  # a daemon removes its file as it ends
    done
    [ $alive -eq 0 ] && break
    sleep 0.1
  done
  rm -rf "$work"
}
trap finish EXIT

# An own munge, so that nothing of the machine is changed.
install -d -m 711 -o munge -g munge "$work/munge"
head -c 1024 /dev/urandom >"$work/munge/key"
chown munge:munge "$work/munge/key"
chmod 400 "$work/munge/key"
socket=$work/munge/socket
setpriv --reuid munge --regid munge --clear-groups munged --key-file="$work/munge/key" --socket="$socket" \
  --pid-file="$work/munge/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed" --force \
  2>"$work/munged.err" || skip "munged does not start: $(head -1 "$work/munged.err")"
started+=("$work/munge/pid")

# Two ports that nothing listens on.
read -r port1 port2 < <(/usr/bin/python3 -c '
import socket
a, b = socket.socket(), socket.socket()
a.bind(("127.0.0.1", 0)); b.bind(("127.0.0.1", 0))
print(a.getsockname()[1], b.getsockname()[1])')
host=$(hostname -s)
mkdir "$work/state" "$work/spool"
cat >"$work/slurm.conf" <<CONF
ClusterName=gaincal
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
SlurmctldPort=$port1
SlurmdPort=$port2
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=batch_sched_delay=1,sched_interval=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=p Nodes=$host Default=YES State=UP
CONF
sed -i '/^CryptoType/d' "$work/slurm.conf"
export SLURM_CONF=$work/slurm.conf
slurmctld -f "$SLURM_CONF" 2>"$work/start.err" || skip "slurmctld does not start: $(tail -1 "$work/start.err")"
started+=("$work/slurmctld.pid")
slurmd -f "$SLURM_CONF" 2>"$work/start.err" || skip "slurmd does not start: $(tail -1 "$work/start.err")"
started+=("$work/slurmd.pid")
for _ in $(seq 100); do
  [ "$(sinfo -h -o %t 2>/dev/null | head -1)" = idle ] && break
  sleep 0.1
done
[ "$(sinfo -h -o %t 2>/dev/null | head -1)" = idle ] || skip "the node does not come up: $(tail -1 "$work/slurmd.log")"

local_code=0
"$gaincal" sweep "$plan" --out "$work/local" >/dev/null 2>"$work/local.log" || local_code=$?
cd "$work"
"$gaincal" sweep slurm "$plan" --out "$work/array" --tasks "$tasks" | tail -1
for _ in $(seq 300); do
  [ -z "$(squeue -h 2>/dev/null)" ] && break
  sleep 0.2
done
[ -s "$work/array/dataset.h5" ] || { echo "no dataset; the log of the merge:"; cat "$work"/array/slurm/*.log; exit 1; }
[ "$(ls "$work"/array/slurm/task_*.log | wc -l)" -eq "$tasks" ] || { echo "not $tasks task logs"; exit 1; }

/usr/bin/python3 - "$work/local/dataset.h5" "$work/array/dataset.h5" <<'PYTHON'
import sys
import h5py

local, array = (h5py.File(name) for name in sys.argv[1:])
names = []
local.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
others = []
array.visititems(lambda name, item: others.append(name) if isinstance(item, h5py.Dataset) else None)
assert names == others, (names, others)
for name in names:
    a, b = local[name][()], array[name][()]
    same = a.tolist() == b.tolist() if getattr(a, "dtype", None) == object else \
        (a == b if isinstance(a, bytes) else a.tobytes() == b.tobytes())
    assert same, name
print(f"{len(names)} datasets equal, byte for byte")
PYTHON
echo "local run: exit code $local_code; array of $tasks tasks: dataset equal"
