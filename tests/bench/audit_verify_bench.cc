// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <string>

#include "crypto/tlog/entry.h"
#include "crypto/tlog/log_verifier.h"
#include "tests/support/sample_log.h"

namespace comity {
namespace {

// Entries verified a second on one core: grammar, leaf hash, tiles, root, signatures. The log lies
// in memory, so that this is the verifier's own speed.
void BM_VerifyLog(benchmark::State& state) {
  const auto size = static_cast<std::uint64_t>(state.range(0));
  const testing::SampleLog sample = testing::MakeSampleLog(size);
  const tlog::LogExport log = sample.AsExport();
  for (auto run : state) {
    const auto summary = tlog::VerifyLog(log);
    if (!summary || summary->counts.entries != size) {
      state.SkipWithError("the log does not verify");
    }
  }
  state.counters["entries/s"] =
      benchmark::Counter(static_cast<double>(size), benchmark::Counter::kIsIterationInvariantRate);
  state.counters["octets/entry"] =
      static_cast<double>(tlog::EncodeEntry(testing::SampleEntry(size - 1))->size());
}
BENCHMARK(BM_VerifyLog)->Arg(262'144)->Unit(benchmark::kMillisecond);

void BM_CheckEntry(benchmark::State& state) {
  const std::string text = *tlog::EncodeEntry(testing::SampleEntry(123'456));
  tlog::EntryFacts facts;
  for (auto run : state) {
    const Status status = tlog::CheckEntry(text, facts);
    if (!status) state.SkipWithError("the entry is not valid");
  }
}
BENCHMARK(BM_CheckEntry);

void BM_ParseEntry(benchmark::State& state) {
  const std::string text = *tlog::EncodeEntry(testing::SampleEntry(123'456));
  for (auto run : state) {
    auto entry = tlog::ParseEntry(text);
    benchmark::DoNotOptimize(entry);
  }
}
BENCHMARK(BM_ParseEntry);

}  // namespace
}  // namespace comity

BENCHMARK_MAIN();
