// SPDX-License-Identifier: Apache-2.0
// Rows that are gathered and sent together stand as if each had been sent at once: random units of
// work leave the same log in PostgreSQL as in SQLite, which gathers nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "services/store/postgres/postgres_store.h"
#include "services/store/retention_store.h"
#include "services/store/sqlite/sqlite_store.h"
#include "tests/support/postgres/test_database.h"
#include "tests/support/result_matchers.h"
#include "tests/support/temporary_directory.h"

namespace comity::store {
namespace {

using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

const policy::AgencyId kSender = policy::AgencyId::Parse("eastvale-council").value();

// What one unit does: letters of its steps. a: append, b: append much, m: remember an id, r: read
// the log's end, d: remember an id again, which is refused, f: fail here.
using Steps = std::string;

Status Step(Transaction& t, char step, const std::string& name, std::string& seen) {
  switch (step) {
    case 'a':
    case 'b': {
      const Bytes key(step == 'b' ? 100'000 : 10, 7);
      COMITY_ASSIGN_OR_RETURN(const auto index,
                              t.audit().Append(AsBytes(name), name, {key, ToBytes(name)}));
      seen += std::to_string(index) + " ";
      return {};
    }
    case 'm':
      return t.replays().Remember(kSender, name, policy::Instant());
    case 'd':  // a refusal that the unit takes and goes on after
      static_cast<void>(t.replays().Remember(kSender, "always the same", policy::Instant()));
      return {};
    case 'r': {
      COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
      COMITY_ASSIGN_OR_RETURN(const auto last, t.audit().Read(size > 3 ? size - 3 : 0, 3));
      for (const AuditEntryRecord& entry : last) seen += std::string(AsText(entry.entry)) + " ";
      if (size == 0) return {};
      COMITY_ASSIGN_OR_RETURN(const auto payload, t.audit().Payload(size - 1));
      seen += std::string(AsText(payload.sealed)) + " ";
      return {};
    }
    default:
      return Fail(ErrorCode::kNotFound, "the unit fails");
  }
}

// Runs the units one after the other; returns what they saw and how they ended.
std::string RunAll(Store& store, const std::vector<Steps>& units) {
  std::string seen;
  for (std::size_t u = 0; u < units.size(); ++u) {
    std::string of_unit;
    const Status status = store.Write([&](Transaction& t) -> Status {
      of_unit.clear();
      for (std::size_t i = 0; i < units[u].size(); ++i) {
        const std::string name = "u" + std::to_string(u) + "." + std::to_string(i);
        COMITY_RETURN_IF_ERROR(Step(t, units[u][i], name, of_unit));
      }
      return {};
    });
    seen += of_unit + (status ? "ok\n" : std::string(Name(status.error().code)) + "\n");
  }
  return seen;
}

std::vector<std::string> Log(const Store& store) {
  std::vector<std::string> log;
  EXPECT_THAT(store.Read([&](const Transaction& t) -> Status {
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
    COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(0, size));
    for (const AuditEntryRecord& entry : entries) {
      COMITY_ASSIGN_OR_RETURN(const auto payload, t.audit().Payload(log.size()));
      log.push_back(std::string(AsText(entry.entry)) + " " + std::string(AsText(payload.sealed)) +
                    " " + std::to_string(payload.wrapped_key.size()));
    }
    return {};
  }),
              IsOk());
  return log;
}

std::vector<Steps> RandomUnits(std::mt19937& random, std::size_t count) {
  std::vector<Steps> units(count);
  for (Steps& unit : units) {
    const auto length = random() % 8;
    for (std::size_t i = 0; i < length; ++i) unit += "aaaaabmmrrdf"[random() % 12];
  }
  return units;
}

TEST(PostgresGather, LeavesTheLogThatSingleRowsWould) {
  const auto seed = std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 5; ++round) {
    const std::vector<Steps> units = RandomUnits(random, 100);
    const testing::TestDatabase database;
    const testing::TemporaryDirectory directory;
    const auto gathers = OpenPostgresStore(database.options()).value();
    const auto plain = OpenSqliteStore(directory.path()).value();
    EXPECT_EQ(RunAll(*gathers, units), RunAll(*plain, units)) << "round " << round;
    EXPECT_EQ(Log(*gathers), Log(*plain)) << "round " << round;
    if (HasFailure()) return;
  }
}

// Units of several writers share a transaction: what one of them undoes is not what others
// gathered, also where those rows had been sent while its savepoint was open.
TEST(PostgresGather, KeepsTheRowsOfOtherUnitsWhenOneIsUndone) {
  const testing::TestDatabase database;
  const auto store = OpenPostgresStore(database.options()).value();
  constexpr int kWriters = 8;
  constexpr int kUnits = 60;
  std::atomic<std::uint64_t> kept = 0;
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; i < kUnits; ++i) {
          const std::string name = std::to_string(w) + "-" + std::to_string(i);
          const Status status = store->Write([&](Transaction& t) -> Status {
            std::string unused;
            // Reading sends what others gathered, inside this unit's savepoint.
            for (const char step : std::string(i % 3 == 0 ? "araf" : i % 3 == 1 ? "a" : "mara")) {
              COMITY_RETURN_IF_ERROR(Step(t, step, name, unused));
            }
            return {};
          });
          if (status) kept += i % 3 == 1 ? 1 : 2;
        }
      });
    }
  }
  EXPECT_EQ(kept, static_cast<std::uint64_t>(kWriters) * (kUnits / 3) * 3);
  EXPECT_EQ(Log(*store).size(), kept);
}

void BreakARule(Transaction& t) {
  ErasureRecord record;
  record.record_class = "alert";
  record.records = 0;  // the schema wants one at least
  EXPECT_THAT(t.retention().AddErasure(record), FailsWith(ErrorCode::kInternal));
}

// After an error PostgreSQL refuses whatever follows in the transaction: a unit that takes the
// error and goes on must not seem to have succeeded.
TEST(PostgresUnit, FailsIfItGoesOnAfterAStatementThatFailed) {
  const testing::TestDatabase database;
  const auto store = OpenPostgresStore(database.options()).value();
  std::string unused;
  EXPECT_THAT(store->Write([&](Transaction& t) -> Status {
    BreakARule(t);
    return Step(t, 'a', "after it", unused);
  }),
              FailsWith(ErrorCode::kInternal));
  EXPECT_THAT(Log(*store), IsEmpty());
  EXPECT_THAT(store->Write([&](Transaction& t) { return Step(t, 'a', "next", unused); }), IsOk());
  EXPECT_THAT(Log(*store), SizeIs(1));
}

TEST(PostgresUnit, DoesNotSpoilOthersByAStatementThatFailed) {
  const testing::TestDatabase database;
  const auto store = OpenPostgresStore(database.options()).value();
  constexpr int kWriters = 8;
  constexpr int kUnits = 40;
  {
    std::vector<std::jthread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; i < kUnits; ++i) {
          std::string unused;
          const Status status = store->Write([&](Transaction& t) -> Status {
            COMITY_RETURN_IF_ERROR(
                Step(t, 'm', std::to_string(w) + "-" + std::to_string(i), unused));
            if (w % 2 == 1) BreakARule(t);
            return Step(t, 'a', "x", unused);
          });
          EXPECT_EQ(status.has_value(), w % 2 == 0);
        }
      });
    }
  }
  EXPECT_THAT(Log(*store), SizeIs(kWriters / 2 * kUnits));
}

TEST(PostgresUnit, IsRefusedTextThatTheDatabaseCannotHold) {
  const testing::TestDatabase database;
  const auto store = OpenPostgresStore(database.options()).value();
  for (const std::string_view text : {std::string_view("a\0b", 3), std::string_view("\xff")}) {
    EXPECT_THAT(store->Write([&](Transaction& t) {
      return t.replays().Remember(kSender, text, policy::Instant());
    }),
                FailsWith(ErrorCode::kInvalidArgument));
  }
}

}  // namespace
}  // namespace comity::store
