#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs those packages of the named groups of deploy/packages.txt that are missing.
#
# usage: deploy/install_packages.sh GROUP...      groups: build, check, postgresql, replicas, full, package
# Prints nothing when nothing is missing. COMITY_SKIP_PACKAGES=1: install nothing, check nothing.
set -euo pipefail
deploy=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
logs=$(dirname "$deploy")/build/logs
# shellcheck source=deploy/progress.sh
source "$deploy/progress.sh"

usage() {
  echo "usage: deploy/install_packages.sh GROUP...   groups: $(all_groups)" >&2
  exit 2
}

all_groups() { sed -n 's/^# group: //p' "$deploy/packages.txt" | tr '\n' ' '; }

packages_of() {
  awk -v wanted="$1" '/^# group: / { group = $3 } /^[^#]/ && group == wanted { print $1 }' \
    "$deploy/packages.txt"
}

missing_packages() {
  local package
  for package in "$@"; do
    [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || echo "$package"
  done
}

die() {
  printf 'install_packages: %s\n' "$@" >&2
  exit 1
}

# Root runs apt-get itself; anybody else through sudo, which may ask for the password here and now.
find_sudo() {
  if ((EUID == 0)); then
    return
  fi
  command -v sudo >/dev/null || die "these packages are missing: $*" \
    "run this as root, or install sudo, or have them installed for you"
  if [[ -t 0 ]]; then sudo -v; else sudo -n true 2>/dev/null; fi ||
    die "these packages are missing: $*" "sudo did not let you install them; run this as root"
  sudo=(sudo -n)
}

warn_if_not_debian_12() {
  local system
  # shellcheck source=/dev/null
  system=$(. /etc/os-release 2>/dev/null && echo "${ID:-?} ${VERSION_ID:-?}") || system="unknown"
  [[ $system == "debian 12" ]] ||
    echo "install_packages: this is $system; Comity is built and tested on Debian 12 only" >&2
}

# A lock held by somebody else's apt-get is waited for, not an error.
apt_get() {
  local log=$logs/apt_get_$1.log
  run_logged "$log" "apt-get $1" "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -o DPkg::Lock::Timeout=300 "$@" && return
  tail -n 15 "$log" >&2
  die "apt-get $1 failed; the whole output is in $log"
}

(($# > 0)) || usage
[[ ${COMITY_SKIP_PACKAGES:-} != 1 ]] || exit 0
wanted=()
for group in "$@"; do
  [[ " $(all_groups) " == *" $group "* ]] || usage
  mapfile -t -O "${#wanted[@]}" wanted < <(packages_of "$group")
done
if ! command -v dpkg-query apt-get >/dev/null; then
  die "this is no Debian; needed are Debian 12's ${wanted[*]}" \
    "(COMITY_SKIP_PACKAGES=1 when their likes are installed)"
fi
mapfile -t missing < <(missing_packages "${wanted[@]}")
((${#missing[@]} > 0)) || exit 0

warn_if_not_debian_12
sudo=()
find_sudo "${missing[@]}"
echo "Installing ${#missing[@]} Debian packages (log: build/logs/apt_get_install.log)"
apt_get update
apt_get install -y --no-install-recommends "${missing[@]}"
mapfile -t missing < <(missing_packages "${missing[@]}")
((${#missing[@]} == 0)) || die "still missing after apt-get: ${missing[*]}; see $logs/apt_get_install.log"
