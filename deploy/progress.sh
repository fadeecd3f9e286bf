# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Runs long commands quietly: all output goes to a log, the person sees that it moves on. Sourced.

# How often a line is printed when the output is not a terminal.
COMITY_PROGRESS_SECONDS=30

# run_logged LOG WHAT COMMAND...   runs COMMAND with no input, its output in LOG; returns its exit code.
run_logged() {
  local log=$1 what=$2
  shift 2
  mkdir -p "$(dirname "$log")"
  # In its own process group, so that stopping this script stops everything it started.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  local pid=$!
  set +m
  # shellcheck disable=SC2064  # the process id of this very command
  trap "kill -TERM -- -$pid 2>/dev/null; wait $pid 2>/dev/null; echo; echo 'stopped' >&2; exit 130" INT TERM
  show_progress "$pid" "$log" "$what"
  local code=0
  wait "$pid" || code=$?
  trap - INT TERM
  return "$code"
}

show_progress() {
  local pid=$1 log=$2 what=$3 start=$SECONDS shown=$SECONDS
  sleep 0.1
  while kill -0 "$pid" 2>/dev/null; do
    if [[ -t 1 ]]; then
      printf '\r\e[K  %s  %s' "$(elapsed "$start")" "$(latest_line "$log" $((${COLUMNS:-80} - 12)))"
    elif ((SECONDS - shown >= COMITY_PROGRESS_SECONDS)); then
      shown=$SECONDS
      printf '  ... %s, %s: %s\n' "$what" "$(elapsed "$start")" "$(latest_line "$log" 90)"
    fi
    sleep 0.5
  done
  if [[ -t 1 ]]; then printf '\r\e[K'; fi
}

# The last line of a log, cut to a width, without control characters.
latest_line() {
  tail -c 600 "$1" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 |
    tr -d '\000-\037' | cut -c "1-$2" || true
}

elapsed() {
  local seconds=$((SECONDS - $1))
  if ((seconds < 60)); then
    printf '%ds' "$seconds"
  else
    printf '%dm%02ds' $((seconds / 60)) $((seconds % 60))
  fi
}
