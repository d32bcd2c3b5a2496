#!/usr/bin/env bash
# Runs a sweep on a file system that is full after some shards, then again with room, and compares its dataset with that
# of an undisturbed run.
# usage: full_disk.sh GAINCAL PLAN.toml      exit code 77: skipped, with the reason
set -euo pipefail
gaincal=$(realpath "$1")
plan=$(realpath "$2")

skip() { echo "skipped: $*"; exit 77; }
if [ -z "${GAINCAL_FULL_DISK:-}" ]; then  # a mount of its own, which goes with the process
  map=$([ "$(id -u)" -eq 0 ] || echo --map-root-user)
  unshare --mount $map true 2>/dev/null || skip "no mount namespace of its own"
  GAINCAL_FULL_DISK=1 exec unshare --mount $map "$0" "$@"
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/gaincal-disk-XXXXXX")
trap 'umount "$work" 2>/dev/null; rmdir "$work"' EXIT
mount -t tmpfs -o size=100k tmpfs "$work" || skip "no tmpfs can be mounted"

sweep() { "$gaincal" sweep "$plan" --set shard_points=100 --out "$work/$1" >/dev/null 2>"$2"; }
log=$(mktemp)
trap 'umount "$work" 2>/dev/null; rmdir "$work"; rm -f "$log"' EXIT
code=0
sweep full "$log" || code=$?
[ $code -eq 1 ] || { echo "exit code $code on a full disk"; cat "$log"; exit 1; }
grep -q "No space left on device.*the same command goes on" "$log" || { cat "$log"; exit 1; }
finished=$(find "$work/full/shards" -name '*.h5' | wc -l)
[ "$finished" -ge 1 ] || { echo "no shard fitted; the disk is too small for this test"; exit 1; }
[ -z "$(find "$work/full" -name '*.tmp*')" ] || { echo "a temporary file is left"; exit 1; }

mount -o remount,size=50m "$work"
sweep full "$log" || { cat "$log"; exit 1; }
grep -q "$finished of .* shards are finished" "$log" || { echo "finished shards were not taken"; cat "$log"; exit 1; }
sweep undisturbed "$log" || { cat "$log"; exit 1; }
h5diff "$work/full/dataset.h5" "$work/undisturbed/dataset.h5" /low_pass /low_pass
echo "stopped after $finished shards, went on, and gave the dataset of an undisturbed run"
