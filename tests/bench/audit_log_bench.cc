// SPDX-License-Identifier: Apache-2.0
// What logging costs an act: CPU to build an entry, the durable acknowledgement, the time until the
// entry is under a signed checkpoint, and a start over a long log. Folder: TMPDIR (state its file
// system with the figures); SQLite syncs every commit.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "services/audit/events.h"
#include "services/audit/log.h"
#include "services/audit/store_recorder.h"
#include "services/store/sqlite/sqlite_store.h"

namespace {

using namespace comity;  // NOLINT(google-build-using-namespace): a program, not a header
using Steady = std::chrono::steady_clock;

struct Setup {
  Setup() {
    std::string pattern = (std::filesystem::temp_directory_path() / "comity-bench-XXXXXX").string();
    folder = ::mkdtemp(pattern.data());
    store = store::OpenSqliteStore(folder / "data").value();
    Open();
  }
  ~Setup() {
    log.reset();
    store.reset();
    std::filesystem::remove_all(folder);
  }
  void Open() {
    log.reset();
    log = audit::Log::Open({.store = *store,
                            .log_key = key,
                            .origin = "northshire-police.example/log",
                            .kek = kek,
                            .directory = folder,
                            .clock = clock,
                            .logger = *logger,
                            .random = random})
              .value();
  }

  std::filesystem::path folder;
  runtime::SystemClock clock;
  std::ostringstream lines;
  std::unique_ptr<runtime::Logger> logger =
      runtime::MakeStreamLogger(runtime::LogLevel::kError, clock, lines);
  SystemRandom random;
  sign::SigningKey key = sign::SigningKey::Generate(random);
  SecretBytes kek{32};
  std::unique_ptr<store::Store> store;
  std::unique_ptr<audit::Log> log;
};

// A hit with what its payload holds: about 0.6 KiB of entry, 1 KiB of payload.
audit::Event HitEvent() {
  audit::Event event{.type = audit::kSearchHit};
  event.exchange = "x-0123456789abcdefghijklmnop/42";
  event.parties = {policy::AgencyId::Parse("northshire-police").value(),
                   policy::AgencyId::Parse("eastvale-council").value()};
  event.agreement = {.id = policy::AgreementId::Parse("northshire-eastvale-2026").value(),
                     .version = 3,
                     .sha256 = {}};
  event.decision_code = "permit";
  event.clauses = {"p1"};
  event.committed = {
      {"hits", std::string(300, 'h')}, {"request", std::string(300, 'r')}, {"capture_ref", "c-42"}};
  event.messages["probe"] = {};
  event.messages["answer"] = {};
  event.counts["hits"] = 1;
  return event;
}

class DiscardingLog final : public store::AuditStore {
 public:
  Result<std::uint64_t> Append(ByteView, std::string_view,
                               const store::AuditPayloadRecord&) override {
    return size_++;
  }
  Result<std::uint64_t> Size() const override { return size_; }
  Result<std::vector<store::AuditEntryRecord>> Read(std::uint64_t, std::uint64_t) const override {
    return std::vector<store::AuditEntryRecord>();
  }
  Result<std::vector<store::AuditEntryRecord>> OfExchange(std::string_view,
                                                          std::uint32_t) const override {
    return std::vector<store::AuditEntryRecord>();
  }
  Result<store::AuditPayloadRecord> Payload(std::uint64_t) const override {
    return store::AuditPayloadRecord();
  }
  Result<std::map<std::uint64_t, store::AuditPayloadRecord>> ShortPayloads(
      std::uint64_t, std::uint64_t, std::uint32_t) const override {
    return std::map<std::uint64_t, store::AuditPayloadRecord>();
  }

 private:
  std::uint64_t size_ = 0;
};

void ReportQuantiles(benchmark::State& state, std::vector<double>& milliseconds) {
  std::ranges::sort(milliseconds);
  const auto at = [&](double share) {
    return milliseconds[static_cast<std::size_t>(share *
                                                 static_cast<double>(milliseconds.size() - 1))];
  };
  state.counters["p50_ms"] = at(0.5);
  state.counters["p99_ms"] = at(0.99);
}

double Milliseconds(Steady::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

void BuildEntry(benchmark::State& state) {
  SystemRandom random;
  const SecretBytes kek(32);
  const runtime::SystemClock clock;
  DiscardingLog log;
  const audit::Event event = HitEvent();
  audit::StoreRecorder recorder(log, {.kek = kek, .clock = clock, .random = random});
  for (auto _ : state) benchmark::DoNotOptimize(recorder.Record(event));
}
BENCHMARK(BuildEntry);

// One writer after the other, the publisher running behind.
void DurableAcknowledgement(benchmark::State& state) {
  Setup setup;
  const audit::Event event = HitEvent();
  std::vector<double> taken;
  for (auto _ : state) {
    const auto start = Steady::now();
    if (!setup.log->Record(event)) state.SkipWithError("not recorded");
    taken.push_back(Milliseconds(Steady::now() - start));
  }
  ReportQuantiles(state, taken);
}
BENCHMARK(DurableAcknowledgement)->UseRealTime()->Iterations(5000);

void DurableToSigned(benchmark::State& state) {
  Setup setup;
  const audit::Event event = HitEvent();
  std::vector<double> taken;
  for (auto _ : state) {
    if (!setup.log->Record(event)) state.SkipWithError("not recorded");
    const auto durable = Steady::now();
    const std::uint64_t wanted = taken.size() + 1;
    while (setup.log->Latest().size < wanted) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    taken.push_back(Milliseconds(Steady::now() - durable));
  }
  ReportQuantiles(state, taken);
}
BENCHMARK(DurableToSigned)->UseRealTime()->Iterations(200);

// Recomputing the tree and comparing every tile file.
void StartOverLog(benchmark::State& state) {
  Setup setup;
  const audit::Event event = HitEvent();
  const auto entries = state.range(0);
  const auto filled = setup.log->Commit([&](store::Transaction&, audit::Recorder& recorder) {
    for (std::int64_t i = 0; i < entries; ++i) {
      if (auto index = recorder.Record(event); !index) return Status(Fail(index.error()));
    }
    return Status();
  });
  if (!filled || !setup.log->Flush(std::chrono::minutes(1))) state.SkipWithError("not filled");
  for (auto _ : state) setup.Open();
  state.SetItemsProcessed(state.iterations() * entries);
}
BENCHMARK(StartOverLog)->Arg(100'000)->UseRealTime()->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace

BENCHMARK_MAIN();
