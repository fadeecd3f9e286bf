#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every benchmark of a release build and prints one table: what docs/performance.md states. Not
# sealed_million_bench, which wants 12 GB of memory, nor partner_load_bench, which lasts over an hour:
# by hand.
#   tests/bench/run_all.sh [BUILD]     BUILD: build folder of `cmake --preset release` (build/release)
# Data folders are made in TMPDIR (/tmp). Other load on the machine distorts every figure: the load
# average is printed at begin and end.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
build=${1:-$root/build/release}
bench=$build/tests/bench
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "run_all.sh: $*"
  exit 1
}

# run NAME ARGUMENTS...: output goes to $work/NAME
run() {
  program=$bench/$1
  name=${1##*/}
  shift
  [ -x "$program" ] || fail "there is no $program: build it first (cmake --preset release && ninja -C $build $name)"
  say "  $name $*"
  "$program" "$@" >"$work/$name" 2>"$work/$name.err" || {
    cat "$work/$name.err" >&2
    fail "$name failed"
  }
}

google() { run "$@" --benchmark_format=json; }

row() { printf '| %-62s | %14s | %-12s |\n' "$1" "$2" "$3"; }

# counter FILE BENCHMARK FIELD: one value of Google Benchmark's JSON, which has one field a line
counter() {
  awk -v wanted="$2" -v field="$3" '
    { key = $1; gsub(/[":]/, "", key); value = $0; sub(/^[^:]*: */, "", value); gsub(/[",]/, "", value) }
    key == "name" { name = value }
    key == field && name == wanted { print value; found = 1; exit }
    END { if (!found) exit 1 }' "$work/$1" || fail "$1 printed no $3 of $2"
}

# figure NAME UNIT FORMAT FILE BENCHMARK COLUMN [FACTOR]
figure() {
  value=$(counter "$4" "$5" "$6")
  row "$1" "$(awk -v v="$value" -v f="${7:-1}" -v form="$3" 'BEGIN { printf form, v * f }')" "$2"
}

# sealed SECTION KEY FORMAT UNIT NAME: one figure of `comity bench sealed --json`, one field a line
sealed() {
  value=$(awk -v section="$1" -v field="$2" '
    { key = $1; gsub(/[":]/, "", key) }
    /[{]$/ { at = key }
    at == section && key == field { value = $2; gsub(/,/, "", value); print value; found = 1; exit }
    END { if (!found) exit 1 }' "$work/comity") || fail "comity bench sealed printed no $2 of $1"
  row "$5" "$(awk -v v="$value" -v form="$3" 'BEGIN { printf form, v }')" "$4"
}

# fanout FIELD: one value of fanout_bench's JSON, which is one line
fanout() {
  value=$(sed -n "s/.*\"$1\":{*\([^,}]*\).*/\1/p" "$work/fanout_bench" | sed 's/.*://')
  [ -n "$value" ] || fail "fanout_bench printed no $1"
  printf '%s' "$value"
}

# lines FILE PREFIX: the rows of a benchmark that prints one JSON object a line with name, value and unit
lines() {
  sed -n 's/.*"name":"\([^"]*\)","value":\([^,]*\),"unit":"\([^"]*\)".*/\1;\2;\3/p' "$work/$1" | while IFS=';' read -r what value unit; do
    row "$2: $what" "$value" "$unit"
  done
}

load() { cut -d' ' -f1-3 /proc/loadavg; }

begin=$(load)
say "running (some minutes):"
google decide_bench --benchmark_filter=Percentiles
google audit_verify_bench
google scan_bench
google ot_bench '--benchmark_filter=Batch/entries:16384|SetUpSession'
google sealed_bench '--benchmark_filter=QuantiseOne|SealBlock|Scan/.*kernel:2|FoldSketch|BlindProbe'
run ../../bin/comity bench sealed --entries 10000 --dim 512 --batch 8 --json
google store_bench
google audit_log_bench
run watchlist_bench 10000 512
run echo_bench
run direct_search_bench
run fanout_bench
run sealed_fanout_bench --json
run sealed_gateways_bench --json --rtt 20 --mbit 100
mv "$work/sealed_gateways_bench" "$work/sealed_line"
run sealed_gateways_bench --json
end=$(load)

printf 'date: %s\n' "$(date -u +%Y-%m-%d)"
printf 'processor: %s, %s cores\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)"
printf 'memory: %s MiB\n' "$(awk '/^MemTotal/ { print int($2 / 1024) }' /proc/meminfo)"
printf 'file system: %s (%s)\n' "$(findmnt -n -o FSTYPE -T "${TMPDIR:-/tmp}")" "${TMPDIR:-/tmp}"
printf 'sync mode: SQLite WAL, synchronous=FULL\n'
printf 'load average: %s at begin, %s at end\n\n' "$begin" "$end"
row Figure Value Unit
row ------ ----: ----

figure 'decision, 100 partners x 10 agreements, p50' us %.2f decide_bench PermitPercentiles/100/iterations:500000 p50_ns 0.001
figure 'decision, 100 partners x 10 agreements, p99' us %.2f decide_bench PermitPercentiles/100/iterations:500000 p99_ns 0.001
figure 'decision, 1,000 agreements of one pair, p50' us %.2f decide_bench PermitPercentiles/1/iterations:500000 p50_ns 0.001
figure 'decision, 1,000 agreements of one pair, p99' us %.2f decide_bench PermitPercentiles/1/iterations:500000 p99_ns 0.001
figure 'offline verification, one core' 'M entries/s' %.2f audit_verify_bench BM_VerifyLog/262144 entries/s 0.000001
for entries in 10000 100000; do
  for dimension in 128 512; do
    for batch in 1 8 32; do
      figure "scan, $entries entries, d = $dimension, batch $batch" 'M compar./s' %.1f scan_bench \
        "Scan/d:$dimension/N:$entries/batch:$batch/mode:2/min_time:0.200" comparisons/s 0.000001
    done
  done
done
for dimension in 128 512; do
  figure "scan with Faiss as shipped, 10000 entries, d = $dimension, batch 1" 'M compar./s' %.1f scan_bench \
    "Scan/d:$dimension/N:10000/batch:1/mode:0/min_time:0.200" comparisons/s 0.000001
  for entries in 10000 100000; do
    figure "scan with Faiss tuned, $entries entries, d = $dimension, batch 1" 'M compar./s' %.1f scan_bench \
      "Scan/d:$dimension/N:$entries/batch:1/mode:1/min_time:0.200" comparisons/s 0.000001
  done
done
figure 'sealed: canonical template, d = 512' us %.2f sealed_bench QuantiseOne cpu_time 0.001
figure 'sealed: sealing, d = 512' us/entry %.2f sealed_bench SealBlock entry 1000000
for entries in 10000 100000; do
  for batch in 1 8 32; do
    figure "sealed: scan, $entries entries, d = 512, batch $batch" ns/compar. %.1f sealed_bench \
      "Scan/N:$entries/batch:$batch/kernel:2" entry 1000000000
  done
done
figure 'sealed: sketch, 100,000 slots' ns/entry %.2f sealed_bench FoldSketch/100000 entry 1000000000
figure 'sealed: blinding a probe' us %.0f sealed_bench BlindProbe cpu_time
figure 'OT: session set-up, both roles' ms %.1f ot_bench SetUpSession cpu_time
for kernel in 0 1; do
  for step in 0 1 2 3 4; do
    case $step in
      0) what='holder, extension' ;;
      1) what='holder, pads' ;;
      2) what='requester, extension' ;;
      3) what='requester, pads' ;;
      4) what='both roles' ;;
    esac
    case $kernel in
      0) how=portable ;;
      1) how=fastest ;;
    esac
    figure "OT, $how: $what" ns/entry %.1f ot_bench \
      "Batch/entries:16384/kernel:$kernel/step:$step/min_time:0.100" s/entry 1000000000
  done
done
figure 'OT: to the requester' octets/entry %.2f ot_bench \
  Batch/entries:16384/kernel:1/step:4/min_time:0.100 octets/entry
for batch in one batch; do
  case $batch in
    one) probes='batch 1' ;;
    batch) probes='batch 8' ;;
  esac
  of="10000 entries, d = 512, $probes"
  sealed "search_$batch" whole_m_per_s %.2f 'M compar./s' "sealed search, $of: both roles, one core"
  sealed "search_$batch" requester_ms %.2f ms "sealed search, $of: requester"
  sealed "search_$batch" holder_ms %.2f ms "sealed search, $of: holder"
  sealed clear "faiss_tuned_${batch}_m_per_s" %.1f 'M compar./s' "the same in clear, $probes: Faiss tuned"
  sealed clear "int8_${batch}_m_per_s" %.1f 'M compar./s' "the same in clear, $probes: int8"
  sealed ratios "whole_${batch}_of_faiss_tuned" %.3f - "sealed search / Faiss tuned, $probes"
done
sealed search_batch to_holder_octets %.2f octets 'sealed search: to the holder, an entry and probe'
sealed search_batch to_requester_octets %.2f octets 'sealed search: to the requester, an entry and probe'
sealed session pads_to_requester_octets %.2f octets 'sealed search: pads ahead, an entry and probe'
for writers in 1 16 64; do
  series=BM_DurableWrite/writers:$writers/entries:1/iterations:1/real_time
  figure "store: durable write, $writers writers, p50" us %.0f store_bench $series p50_us
  figure "store: durable write, $writers writers, p99" us %.0f store_bench $series p99_us
  figure "store: durable writes, $writers writers" units/s %.0f store_bench $series units_per_s
done
figure 'log: building one entry' us %.1f audit_log_bench BuildEntry real_time 0.001
figure 'log: durable acknowledgement, p50' ms %.3f audit_log_bench DurableAcknowledgement/iterations:5000/real_time p50_ms
figure 'log: durable acknowledgement, p99' ms %.3f audit_log_bench DurableAcknowledgement/iterations:5000/real_time p99_ms
figure 'log: durable to signed checkpoint, p50' ms %.1f audit_log_bench DurableToSigned/iterations:200/real_time p50_ms
figure 'log: start over 100,000 entries' ms %.0f audit_log_bench StartOverLog/100000/iterations:3/real_time real_time
sed -n 's/^\(.*[^ ]\) *  *\([0-9.]*\) s wall.*/\1;\2/p' "$work/watchlist_bench" | while IFS=';' read -r what seconds; do
  row "watchlist of 10,000 x 512: $what" "$seconds" s
done
sed -n 's/^\(.*[^ ]\)  *[0-9]*\/s   p50 *\([0-9.]*\) us.*/\1;\2/p' "$work/echo_bench" | while IFS=';' read -r what micros; do
  row "echo: $what, p50" "$micros" us
done
sed -n 's/^\(.*[^ ]\)   *\(-\{0,1\}[0-9][0-9]*\) \([a-z/]*\)$/\1;\2;\3/p' "$work/direct_search_bench" | while IFS=';' read -r what value unit; do
  row "direct search: $what" "$value" "$unit"
done
row 'fan-out to 20, none dead: live probe, p50' "$(fanout all_alive)" ms
row 'fan-out to 20, 5 dead: live probe at the living, p50' "$(fanout with_dead)" ms
row 'fan-out to 20, 5 dead: single search, answer at its deadline of 3 s' "$(fanout identify_ms)" ms
lines sealed_gateways_bench 'sealed, two gateways'
lines sealed_line 'sealed, line of 20 ms and 100 Mbit/s'
lines sealed_fanout_bench 'sealed, fan-out'
