#!/usr/bin/env bash
# Installs what the build and the demo need; with --tests also what only tests use. Debian 12 packages only.
set -euo pipefail

packages=(
  g++ cmake ninja-build pkg-config ccache
  ngspice libngspice0-dev
  libeigen3-dev libboost-program-options-dev libhdf5-dev libopenblas-pthread-dev
  libtomlplusplus-dev nlohmann-json3-dev libpcre2-dev libxxhash-dev libzip-dev libmatio-dev libnlopt-cxx-dev catch2
  gnuplot-nox hdf5-tools python3 python3-numpy python3-h5py
)
# Readers of what the program writes, a browser among them, and a Slurm that the test itself starts and stops.
test_packages=(octave adms chromium chromium-driver slurmctld slurmd slurm-client munge)
[ "${1:-}" = --tests ] && packages+=("${test_packages[@]}")

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "This system has no apt-get. Install the equivalents of these Debian 12 packages, then run again:" >&2
  printf '  %s\n' "${packages[@]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Run as root, or install sudo; missing packages: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}" >&2
"${as_root[@]}" apt-get update -qq
# RUNLEVEL=1: no daemon is started for having been installed.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
