// SPDX-License-Identifier: Apache-2.0
// What it costs that counters of capacity are compared with the audit log: at a start, in a round,
// and with each block that is reserved. Folder: TMPDIR.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "crypto/base/check.h"
#include "services/audit/events.h"
#include "services/audit/log.h"
#include "services/matching/capacity_meter.h"
#include "services/store/sqlite/sqlite_store.h"

namespace {

using namespace comity;  // NOLINT(google-build-using-namespace): a program, not a header

constexpr std::int64_t kInOneCommit = 1000;

// A log of one day: for each counter a reservation, and other entries before it.
class Day {
 public:
  Day(std::int64_t counters, std::int64_t others_each) {
    std::string pattern = (std::filesystem::temp_directory_path() / "comity-bench-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    store_ = store::OpenSqliteStore(folder_ / "data").value();
    log_ = audit::Log::Open({.store = *store_,
                             .log_key = key_,
                             .origin = "northshire-police.example/log",
                             .kek = kek,
                             .directory = folder_,
                             .clock = clock_,
                             .logger = *logger_,
                             .random = random_})
               .value();
    for (std::int64_t done = 0; done < counters; done += kInOneCommit) Fill(done, others_each);
  }
  ~Day() {
    log_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  std::unique_ptr<matching::CapacityMeter> Meter() {
    return std::make_unique<matching::CapacityMeter>(matching::CapacityMeter::Ports{
        .own_agency = own_, .store = *store_, .journal = *log_, .clock = clock_});
  }
  matching::CapacityMeter::Key Key(std::int64_t number) const {
    return {.agreement = policy::AgreementId::Parse("northshire-eastvale-2026").value(),
            .clause = "p1",
            .requester = policy::AgencyId::Parse("eastvale-council").value(),
            .day = policy::UtcDay(clock_.Now()),
            .subject = "officer:" + std::to_string(number)};
  }

  const SecretBytes kek{32};

 private:
  void Fill(std::int64_t from, std::int64_t others_each) {
    audit::Event other;
    other.type = audit::kPayloadOpened;
    other.time = clock_.Now();
    other.parties = {own_};
    other.committed = {{"reason", std::string(300, 'r')}};
    const auto work = [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
      for (std::int64_t i = from; i < from + kInOneCommit; ++i) {
        for (std::int64_t j = 0; j < others_each; ++j) {
          COMITY_RETURN_IF_ERROR(recorder.Record(other));
        }
        const auto key = Key(i);
        COMITY_ASSIGN_OR_RETURN(const std::uint64_t reserved,
                                transaction.capacity().Reserve(key, 64));
        audit::Event event;
        event.type = audit::kCapacityReserved;
        event.time = clock_.Now();
        event.parties = {own_};
        event.committed = {
            {"counter", key.agreement.text() + "/" + key.requester.text() + "/" + key.subject},
            {"clause", key.clause},
            {"day", key.day}};
        event.counts = {{"amount", 64},
                        {"reserved", static_cast<std::int64_t>(reserved)},
                        {"limit", 1'000'000}};
        COMITY_RETURN_IF_ERROR(recorder.Record(event));
      }
      return {};
    };
    COMITY_CHECK(log_->Commit(work).has_value());
  }

  std::filesystem::path folder_;
  runtime::SystemClock clock_;
  std::ostringstream lines_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kError, clock_, lines_);
  SystemRandom random_;
  sign::SigningKey key_ = sign::SigningKey::Generate(random_);
  const policy::AgencyId own_ = policy::AgencyId::Parse("northshire-police").value();
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<audit::Log> log_;
};

// At a start: the day's log is read, each reservation opened, each counter compared.
void BM_Recall(benchmark::State& state) {
  Day day(state.range(0), state.range(1));
  for (auto _ : state) {
    const auto meter = day.Meter();
    COMITY_CHECK(meter->Recall(day.kek).has_value() && meter->fault().empty());
  }
  state.counters["reservations"] = static_cast<double>(state.range(0));
}
BENCHMARK(BM_Recall)
    ->ArgNames({"reservations", "others_each"})
    ->Args({1000, 0})
    ->Args({10'000, 0})
    ->Args({10'000, 10})
    ->Args({100'000, 3})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// With each block: what is known is looked up, compared and noted, beside so many other counters.
void BM_CheckOneBlock(benchmark::State& state) {
  matching::CapacityRecord record;
  Day day(0, 0);
  for (std::int64_t i = 0; i < state.range(0); ++i) record.Note(day.Key(i), 64);
  const auto key = day.Key(state.range(0) / 2);
  for (auto _ : state) {
    COMITY_CHECK(record.Check(key, record.Known(key), 64).has_value());
    record.Note(key, 64);
  }
}
BENCHMARK(BM_CheckOneBlock)->ArgName("counters")->Arg(1)->Arg(65'536);

}  // namespace

BENCHMARK_MAIN();
