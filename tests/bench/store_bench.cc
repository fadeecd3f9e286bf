// SPDX-License-Identifier: Apache-2.0
// Durable writes of the store: how long one unit of work takes from call to acknowledgement, and
// how many a second there are, with 1, 16 and 64 writers; and how fast a long list is read.
// COMITY_BENCH_STORE is sqlite (the default) or postgresql: a server of its own on this machine,
// with fsync, through a Unix socket. Every acknowledged unit has been synced (synchronous=FULL,
// synchronous_commit=on), so the figures are those of the disk under COMITY_BENCH_DIR, or the
// temporary directory; that of PostgreSQL is always in the latter.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "crypto/base/check.h"
#include "services/store/bound_tables.h"
#include "services/store/postgres/postgres_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "services/store/stop_store.h"
#include "tests/support/postgres/test_database.h"

namespace comity::store {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kEntryBytes = 500;    // a usual log entry
constexpr std::size_t kPayloadBytes = 512;  // its padded payload

class BenchDirectory {
 public:
  BenchDirectory() {
    const char* wanted = std::getenv("COMITY_BENCH_DIR");
    const std::filesystem::path parent =
        wanted == nullptr ? std::filesystem::temp_directory_path() : std::filesystem::path(wanted);
    std::string name = (parent / "comity-bench-XXXXXX").string();
    COMITY_CHECK(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~BenchDirectory() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

// An empty store, gone with the object.
class BenchStore {
 public:
  virtual ~BenchStore() = default;
  virtual Store& store() = 0;
};

class SqliteBench final : public BenchStore {
 public:
  Store& store() override { return *store_; }

 private:
  const BenchDirectory directory_;
  const std::unique_ptr<Store> store_ = OpenSqliteStore(directory_.path).value();
};

class PostgresBench final : public BenchStore {
 public:
  Store& store() override { return *store_; }

 private:
  const std::unique_ptr<testing::PostgresServer> server_ =
      testing::PostgresServer::Start({.durable = true}).value();
  const testing::TestDatabase database_{*server_};
  const std::unique_ptr<Store> store_ = OpenPostgresStore(database_.options()).value();
};

std::unique_ptr<BenchStore> NewStore() {
  const char* wanted = std::getenv("COMITY_BENCH_STORE");
  const std::string_view name = wanted == nullptr ? "sqlite" : wanted;
  COMITY_CHECK(name == "sqlite" || name == "postgresql");
  if (name == "sqlite") return std::make_unique<SqliteBench>();
  return std::make_unique<PostgresBench>();
}

Status AppendEntries(Transaction& t, int count) {
  const Bytes entry(kEntryBytes, 'e');
  for (int i = 0; i < count; ++i) {
    COMITY_RETURN_IF_ERROR(
        t.audit().Append(entry, "x", {Bytes(72, 'k'), Bytes(kPayloadBytes, 'p')}));
  }
  return {};
}

// Writes units until `deadline`; returns how long each took, in microseconds.
std::vector<double> WriteUntil(Store& store, steady_clock::time_point deadline, int entries) {
  std::vector<double> latencies;
  while (steady_clock::now() < deadline) {
    const auto begin = steady_clock::now();
    COMITY_CHECK(store.Write([&](Transaction& t) { return AppendEntries(t, entries); }));
    latencies.push_back(
        std::chrono::duration<double, std::micro>(steady_clock::now() - begin).count());
  }
  return latencies;
}

// range(0): writers, range(1): log entries in each unit of work.
void BM_DurableWrite(benchmark::State& state) {
  const auto bench = NewStore();
  Store& store = bench->store();
  std::vector<double> all;
  std::mutex mutex;
  double seconds = 0;
  for (auto _ : state) {
    const auto begin = steady_clock::now();
    std::vector<std::jthread> writers;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      writers.emplace_back([&] {
        auto mine =
            WriteUntil(store, begin + std::chrono::seconds(3), static_cast<int>(state.range(1)));
        std::lock_guard lock(mutex);
        all.insert(all.end(), mine.begin(), mine.end());
      });
    }
    writers.clear();
    seconds += std::chrono::duration<double>(steady_clock::now() - begin).count();
  }
  std::sort(all.begin(), all.end());
  state.counters["p50_us"] = all[all.size() / 2];
  state.counters["p99_us"] = all[all.size() * 99 / 100];
  state.counters["units_per_s"] = static_cast<double>(all.size()) / seconds;
  state.counters["entries_per_s"] =
      static_cast<double>(all.size()) * static_cast<double>(state.range(1)) / seconds;
}
BENCHMARK(BM_DurableWrite)
    ->ArgNames({"writers", "entries"})
    ->Args({1, 1})
    ->Args({16, 1})
    ->Args({64, 1})
    ->Args({1, 100})
    ->Iterations(1)
    ->UseRealTime()
    ->Unit(benchmark::kSecond);

// A point read in a snapshot of its own, beside nothing else.
void BM_Read(benchmark::State& state) {
  const auto bench = NewStore();
  Store& store = bench->store();
  COMITY_CHECK(store.Write([](Transaction& t) { return AppendEntries(t, 10'000); }));
  std::uint64_t index = 0;
  for (auto _ : state) {
    COMITY_CHECK(store.Read([&](const Transaction& t) -> Status {
      COMITY_RETURN_IF_ERROR(t.audit().Read(index++ % 10'000, 1));
      return {};
    }));
  }
}
BENCHMARK(BM_Read);

// The whole of a list, as a start of the gateway reads it: templates of 512 floats.
void BM_VisitEntries(benchmark::State& state) {
  constexpr int kBatch = 1000;
  const auto bench = NewStore();
  Store& store = bench->store();
  const policy::WatchlistId reference = policy::WatchlistId::Parse("lantern").value();
  WatchlistRecord list;
  list.reference = reference;
  list.imports = 1;
  COMITY_CHECK(store.Write([&](Transaction& t) { return t.watchlists().AddList(list); }));
  EntryRecord entry;
  entry.category = policy::ListCategory::Parse("missing").value();
  entry.wrapped_key = Bytes(72, 'k');
  entry.sealed_fields = Bytes(300, 'f');
  entry.sealed_template = Bytes(2088, 't');
  for (std::int64_t at = 0; at < state.range(0); at += kBatch) {
    std::vector<EntryRecord> entries(kBatch, entry);
    for (int i = 0; i < kBatch; ++i)
      entries[static_cast<std::size_t>(i)].reference = "r-" + std::to_string(at + i);
    COMITY_CHECK(store.Write(
        [&](Transaction& t) { return t.watchlists().AddEntries(reference, 1, entries); }));
  }
  std::uint64_t visited = 0;
  for (auto _ : state) {
    COMITY_CHECK(store.Read([&](const Transaction& t) {
      return t.watchlists().VisitEntries(reference, [&](const EntryRecord&) -> Status {
        ++visited;
        return {};
      });
    }));
  }
  state.counters["entries_per_s"] =
      benchmark::Counter(static_cast<double>(visited), benchmark::Counter::kIsRate);
}
BENCHMARK(BM_VisitEntries)->ArgName("entries")->Arg(50'000)->UseRealTime();

// range(0): stops that stand; range(1): 1 with a key, so that the table is checked and bound.
std::unique_ptr<Store> StoreOfStops(const BenchDirectory& directory, benchmark::State& state) {
  const SecretBytes kek = SecretBytes::CopyOf(Bytes(32, 7));
  auto store = OpenSqliteStore(directory.path, nullptr, state.range(1) == 1 ? &kek : nullptr);
  COMITY_CHECK(store.has_value());
  COMITY_CHECK((*store)->Write([&](Transaction& t) -> Status {
    COMITY_RETURN_IF_ERROR(t.bound_tables().Bind());
    StopRecord stop;
    stop.scope = StopScope::kPartner;
    stop.reference = "eastvale-council";
    stop.set_by = "grace";
    stop.reason = "A complaint is being looked into.";
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      stop.id = "stop-" + std::to_string(i);
      COMITY_RETURN_IF_ERROR(t.stops().Add(stop));
    }
    return {};
  }));
  return *std::move(store);
}

void BM_ReadStops(benchmark::State& state) {
  const BenchDirectory directory;
  const auto store = StoreOfStops(directory, state);
  for (auto _ : state) {
    COMITY_CHECK(store->Read([](const Transaction& t) -> Status {
      COMITY_RETURN_IF_ERROR(t.stops().Standing());
      return {};
    }));
  }
}
BENCHMARK(BM_ReadStops)->ArgNames({"stops", "bound"})->ArgsProduct({{0, 10, 1000}, {0, 1}});

}  // namespace
}  // namespace comity::store

BENCHMARK_MAIN();
