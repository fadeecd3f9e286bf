// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <future>
#include <thread>

#include "services/store/setting_store.h"
#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using policy::AgencyId;
using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

// An effect (an exchange id remembered) and its log entry, as every caller writes them.
Status EffectAndEntry(Transaction& t, const std::string& id) {
  COMITY_RETURN_IF_ERROR(t.replays().Remember(MakeId<AgencyId>("eastvale-council"), id, At(1000)));
  COMITY_RETURN_IF_ERROR(t.audit().Append(AsBytes(id), id, {Octets("k"), Octets("p")}));
  return {};
}
auto Size(const Transaction& t) {
  return t.audit().Size();
}

TEST_P(UnitOfWorkConformance, WritesNothingWhenTheWorkFails) {
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(EffectAndEntry(t, "x-1"));
                return Fail(ErrorCode::kExhausted, "changed my mind");
              }),
              FailsWith(ErrorCode::kExhausted));
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(0U)));
  EXPECT_THAT(Write([](Transaction& t) { return EffectAndEntry(t, "x-1"); }), IsOk());
}

TEST_P(UnitOfWorkConformance, GoesOnAfterAnErrorThatTheWorkHandles) {
  ASSERT_THAT(Write([](Transaction& t) { return EffectAndEntry(t, "x-1"); }), IsOk());
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                EXPECT_THAT(EffectAndEntry(t, "x-1"), FailsWith(ErrorCode::kConflict));
                return EffectAndEntry(t, "x-2");
              }),
              IsOk());
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(2U)));
}

TEST_P(UnitOfWorkConformance, ReadsASnapshotThatLaterWritesDoNotChange) {
  ASSERT_THAT(Write([](Transaction& t) { return EffectAndEntry(t, "x-1"); }), IsOk());
  const Status read = store().Read([&](const Transaction& t) -> Status {
    EXPECT_THAT(t.audit().Size(), IsOkAnd(Eq(1U)));
    EXPECT_THAT(
        std::async(std::launch::async,
                   [&] { return Write([](Transaction& w) { return EffectAndEntry(w, "x-2"); }); })
            .get(),
        IsOk());
    EXPECT_THAT(t.audit().Size(), IsOkAnd(Eq(1U)));
    EXPECT_EQ(t.audit().Read(0, 10)->size(), 1U);
    return {};
  });
  EXPECT_THAT(read, IsOk());
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(2U)));
}

TEST_P(UnitOfWorkConformance, ReturnsTheErrorOfARead) {
  EXPECT_THAT(store().Read([](const Transaction&) -> Status {
    return Fail(ErrorCode::kPermissionDenied, "no");
  }),
              FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(Get(Size), IsOk());
}

// Many threads at once, so that units share commits; every third fails after it has written.
TEST_P(UnitOfWorkConformance, KeepsTheOthersOfAGroupWhenOneFails) {
  constexpr int kThreads = 12;
  constexpr int kUnits = 30;
  std::atomic<int> succeeded = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int unit = 0; unit < kUnits; ++unit) {
          const std::string id = "x-" + std::to_string(thread) + "-" + std::to_string(unit);
          const bool fails = (thread + unit) % 3 == 0;
          const Status status = Write([&](Transaction& t) -> Status {
            COMITY_RETURN_IF_ERROR(EffectAndEntry(t, id));
            if (fails) return Fail(ErrorCode::kPermissionDenied, "refused");
            return {};
          });
          EXPECT_EQ(status.has_value(), !fails);
          if (status) ++succeeded;
        }
      });
    }
  }
  EXPECT_EQ(succeeded, kThreads * kUnits * 2 / 3);
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(static_cast<std::uint64_t>(succeeded))));
  EXPECT_EQ(Get([](const Transaction& t) { return t.audit().Read(0, 1'000'000); })->size(),
            static_cast<std::size_t>(succeeded));
}

// Entries may be gathered: a unit that reads the log makes them be sent, those of the units before
// it with its own, and is undone alone.
TEST_P(UnitOfWorkConformance, KeepsTheEntriesOfOthersWhenAUnitFailsThatReadTheLog) {
  constexpr int kThreads = 12;
  constexpr int kUnits = 30;
  std::atomic<std::uint64_t> kept = 0;
  const auto work = [](Transaction& t, const std::string& id, int kind) -> Status {
    if (kind == 1) COMITY_RETURN_IF_ERROR(t.settings().Put(id, "before"));
    COMITY_ASSIGN_OR_RETURN(const std::uint64_t index,
                            t.audit().Append(AsBytes(id), id, {Octets("k"), Octets("p")}));
    if (kind != 0) {
      COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(index, 1));
      EXPECT_EQ(entries.at(0).entry, Octets(id));
      EXPECT_EQ(t.audit().Payload(index)->sealed, Octets("p"));
      EXPECT_EQ(t.audit().OfExchange(id, 2)->size(), 1U);
    }
    if (kind == 2) return Fail(ErrorCode::kPermissionDenied, "refused");
    return {};
  };
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int unit = 0; unit < kUnits; ++unit) {
          const std::string id = "x-" + std::to_string(thread) + "-" + std::to_string(unit);
          const int kind = (thread + unit) % 3;
          const Status status = Write([&](Transaction& t) { return work(t, id, kind); });
          EXPECT_EQ(status.has_value(), kind != 2);
          if (status) ++kept;
        }
      });
    }
  }
  EXPECT_EQ(kept, static_cast<std::uint64_t>(kThreads * kUnits * 2 / 3));
  Reopen();
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(kept.load())));
  const auto entries = Get([](const Transaction& t) { return t.audit().Read(0, 1'000'000); });
  ASSERT_EQ(entries->size(), kept);
  for (const AuditEntryRecord& entry : *entries) {
    const std::string id(AsText(entry.entry));
    EXPECT_EQ(Get([&](const Transaction& t) { return t.audit().OfExchange(id, 9); })->size(), 1U);
  }
}

TEST_P(UnitOfWorkConformance, ServesManyReadersBesideAWriter) {
  std::atomic<bool> stop = false;
  std::vector<std::jthread> readers;
  for (int i = 0; i < 20; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        EXPECT_THAT(store().Read([](const Transaction& t) -> Status {
          COMITY_ASSIGN_OR_RETURN(const std::uint64_t size, t.audit().Size());
          COMITY_ASSIGN_OR_RETURN(const auto entries, t.audit().Read(0, 1'000'000));
          EXPECT_EQ(entries.size(), size);
          return {};
        }),
                    IsOk());
      }
    });
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_THAT(Write([&](Transaction& t) { return EffectAndEntry(t, std::to_string(i)); }),
                IsOk());
  }
  stop = true;
  readers.clear();
  EXPECT_THAT(Get(Size), IsOkAnd(Eq(50U)));
}

}  // namespace
}  // namespace comity::store
