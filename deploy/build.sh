# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Configures and builds a CMake preset. Sourced by scripts that have set `root`, the repository's folder.

: "${root:?deploy/build.sh is sourced by a script that sets root}"

# Objects of earlier builds are found again by any preset and in any folder.
export CCACHE_DIR=$root/build/ccache CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_MAXSIZE=4G
export CCACHE_SLOPPINESS=pch_defines,time_macros  # else nothing with a precompiled header is found again
export NINJA_STATUS='[%f/%t] '

# As many compilers as there are processors and room for: one that includes gRPC takes about 1.2 GB
# with sanitizers.
build_jobs() {
  local processors gigabytes jobs
  processors=$(nproc)
  gigabytes=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  jobs=$((gigabytes * 2 / 3 < processors ? gigabytes * 2 / 3 : processors))
  echo $((jobs > 0 ? jobs : 1))
}

# build_preset PRESET TARGET...   everything when no target is named.
# With a base folder the cache hands the compiler relative paths, which stand in the programs: those of
# the release would not have the octets that they have without a cache.
build_preset() {
  cd "$root" || return
  if [[ $1 == release ]]; then local -x CCACHE_BASEDIR=; fi
  cmake --preset "$1" && ninja -C "build/$1" -j "$(build_jobs)" "${@:2}"
}
