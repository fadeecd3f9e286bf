// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <sstream>

#include "crypto/tlog/entry.h"
#include "services/audit/events.h"
#include "services/gateway/wire/callers.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using testing::AgencyStore;
using testing::FailsWith;
using testing::IsOk;

class RefusalRecordTest : public ::testing::Test {
 protected:
  RefusalRecord::Refusal Message(const std::string& peer, const std::string& kind) {
    return {audit::kPeerMessageRefused, peer, kind, {ErrorCode::kCorrupt, "not the peer's"}};
  }
  std::vector<tlog::LogEntry> Entries() {
    std::vector<tlog::LogEntry> entries;
    EXPECT_THAT(agency_.store().Read([&](const store::Transaction& transaction) -> Status {
      COMITY_ASSIGN_OR_RETURN(const auto records, transaction.audit().Read(0, 100'000));
      for (const auto& record : records) {
        COMITY_ASSIGN_OR_RETURN(entries.emplace_back(), tlog::ParseEntry(AsText(record.entry)));
      }
      return {};
    }),
                IsOk());
    return entries;
  }
  // Sum of one count over all entries.
  std::int64_t Total(const std::string& count) {
    std::int64_t total = 0;
    for (const auto& entry : Entries()) {
      const auto found = entry.counts.find(count);
      if (found != entry.counts.end()) total += found->second;
    }
    return total;
  }

  AgencyStore agency_;
  std::ostringstream log_;
  std::unique_ptr<runtime::Logger> logger_ =
      runtime::MakeStreamLogger(runtime::LogLevel::kInfo, agency_.clock, log_);
  RefusalRecord record_{agency_.own, agency_.journal(), agency_.clock, *logger_};
};

TEST_F(RefusalRecordTest, WritesTheFirstAtOnceWithBothParties) {
  ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
  const auto entries = Entries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].type, audit::kPeerMessageRefused);
  EXPECT_EQ(entries[0].parties,
            (std::vector<std::string>{"northshire-police", "eastvale-council"}));
  EXPECT_EQ(entries[0].decision->code, Name(ErrorCode::kCorrupt));
  EXPECT_EQ(entries[0].counts.at("messages"), 1);
}

TEST_F(RefusalRecordTest, TurnsAFloodIntoCountsThatAddUp) {
  for (int i = 0; i < 1000; ++i) {
    ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
    agency_.clock.Advance(std::chrono::milliseconds(30));
  }
  EXPECT_LE(Entries().size(), 4u);  // 30 s
  agency_.clock.Advance(std::chrono::seconds(10));
  ASSERT_THAT(record_.WriteRepeats(), IsOk());
  EXPECT_EQ(Total("messages"), 1000);
  EXPECT_LE(Entries().size(), 5u);
}

TEST_F(RefusalRecordTest, WritesTheEndOfAFloodOnceAndNotBeforeItIsDue) {
  ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
  ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
  ASSERT_THAT(record_.WriteRepeats(), IsOk());
  EXPECT_EQ(Total("messages"), 1);
  agency_.clock.Advance(std::chrono::seconds(10));
  ASSERT_THAT(record_.WriteRepeats(), IsOk());
  EXPECT_EQ(Total("messages"), 2);
  agency_.clock.Advance(std::chrono::seconds(60));
  ASSERT_THAT(record_.WriteRepeats(), IsOk());
  EXPECT_EQ(Entries().size(), 2u);
}

TEST_F(RefusalRecordTest, KeepsPeersKindsAndTypesApart) {
  ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
  ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchProbe")), IsOk());
  ASSERT_THAT(record_.Add(Message("westmere-council", "SearchOpen")), IsOk());
  ASSERT_THAT(record_.Add({audit::kAuthenticationRefused,
                           "",
                           "Agreements.Submit",
                           {ErrorCode::kUnauthenticated, "no certificate"}}),
              IsOk());
  ASSERT_THAT(record_.Add({audit::kAuthorisationRefused,
                           "spiffe://a.example/engine/cameras",
                           "Agreements.Submit",
                           {ErrorCode::kPermissionDenied, "not a person"}}),
              IsOk());
  EXPECT_EQ(Entries().size(), 5u);
  EXPECT_EQ(Total("messages"), 3);
  EXPECT_EQ(Total("attempts"), 2);
}

TEST_F(RefusalRecordTest, WritesAgainAfterTheClockWasSetBack) {
  ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
  agency_.clock.Advance(-std::chrono::hours(1));
  ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
  EXPECT_EQ(Entries().size(), 2u);
}

TEST_F(RefusalRecordTest, StaysBoundedWhateverNamesCome) {
  for (int i = 0; i < 3000; ++i) {
    ASSERT_THAT(record_.Add(Message("peer-" + std::to_string(i), "SearchOpen")), IsOk());
  }
  EXPECT_EQ(Total("messages"), 3000);
}

TEST_F(RefusalRecordTest, ForgetsNoCountWhenThereAreTooManyNames) {
  for (int i = 0; i < 5; ++i) {
    ASSERT_THAT(record_.Add(Message("eastvale-council", "SearchOpen")), IsOk());
  }
  EXPECT_EQ(Total("messages"), 1);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_THAT(record_.Add(Message("peer-" + std::to_string(i), "SearchOpen")), IsOk());
  }
  EXPECT_EQ(Total("messages"), 3005);
}

TEST_F(RefusalRecordTest, PutsNoReasonIntoTheEntryInTheClear) {
  auto refusal = Message("eastvale-council", "SearchOpen");
  refusal.error.detail = "CANARY-REASON";
  ASSERT_THAT(record_.Add(refusal), IsOk());
  const auto entries = Entries();
  ASSERT_FALSE(entries.empty());
  for (const auto& entry : entries) {
    EXPECT_EQ(tlog::EncodeEntry(entry)->find("CANARY"), std::string::npos);
  }
}

}  // namespace
}  // namespace comity::gateway
