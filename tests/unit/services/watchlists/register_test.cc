// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/register.h"

#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "services/audit/events.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_files.h"

namespace comity::watchlists {
namespace {

using comity::testing::AgencyStore;
using comity::testing::FailsWith;
using comity::testing::IsOk;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using namespace testing;

const policy::WatchlistId kList = policy::WatchlistId::Parse("operation-lantern").value();

class WatchlistRegister : public ::testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open() {
    auto opened = TryOpen(agency_.kek());
    ASSERT_THAT(opened, IsOk());
    lists_ = std::move(opened).value();
  }
  Result<std::unique_ptr<Register>> TryOpen(const SecretBytes& kek) {
    return Register::Open({.store = agency_.store(),
                           .journal = agency_.journal(),
                           .kek = kek,
                           .random = agency_.random,
                           .clock = agency_.clock,
                           .own = agency_.own});
  }
  void Restart() {
    lists_.reset();
    agency_.Reopen();
    Open();
  }
  // Three entries: a (active), b (victim, active), c (not yet valid).
  ParsedImport Three() {
    nlohmann::json b = FullEntry("b");
    b["category"] = "victim";
    nlohmann::json c = Entry("c");
    c["valid_from"] = "2026-11-25T20:00:00Z";
    return Parse({Entry("a"), b, c});
  }
  std::vector<std::string> Visited() {
    std::vector<std::string> references;
    EXPECT_THAT(lists_->VisitActive(kList,
                                    [&](const ActiveEntry& entry) -> Status {
                                      references.push_back(entry.reference);
                                      return {};
                                    }),
                IsOk());
    return references;
  }
  ListStatus StatusNow() { return lists_->StatusOf(kList, agency_.clock.Now()).value().front(); }

  AgencyStore agency_;
  std::unique_ptr<Register> lists_;
};

TEST_F(WatchlistRegister, GivesBackWhatWasImportedAfterARestart) {
  const ParsedImport parsed = Three();
  ASSERT_THAT(lists_->Import(kList, parsed, "officer"), IsOk());
  EXPECT_EQ(agency_.CountEvents(audit::kWatchlistImported), 1U);
  Restart();
  std::size_t row = 0;
  const auto check = [&](const ActiveEntry& entry) -> Status {
    EXPECT_EQ(entry.reference, parsed.entries[row].reference);
    EXPECT_EQ(entry.category, parsed.entries[row].category);
    EXPECT_EQ(entry.valid_from, parsed.entries[row].valid_from);
    EXPECT_EQ(entry.expires_at, parsed.entries[row].expires_at);
    EXPECT_EQ(entry.response_code, ResponseCode(parsed.entries[row].sealed_fields).value());
    EXPECT_THAT(entry.face_template, ::testing::ElementsAreArray(parsed.templates.Row(row)));
    ++row;
    return {};
  };
  ASSERT_THAT(lists_->VisitActive(kList, check), IsOk());
  EXPECT_EQ(row, 3U);
}

TEST_F(WatchlistRegister, CountsByStateAndCategory) {
  ASSERT_THAT(lists_->Import(kList, Three(), "officer"), IsOk());
  ASSERT_THAT(lists_->Withdraw({kList, "a", "arrested", "officer"}), IsOk());
  ListStatus status = StatusNow();
  EXPECT_EQ(status.active, 1U);
  EXPECT_EQ(status.withdrawn, 1U);
  EXPECT_EQ(status.not_yet_valid, 1U);
  EXPECT_THAT(status.active_by_category, ElementsAre(std::pair("victim", 1U)));
  agency_.clock.Set(At("2026-11-26T00:00:00Z"));
  status = StatusNow();
  EXPECT_EQ(status.expired, 2U);
  EXPECT_EQ(status.withdrawn, 1U);
  EXPECT_EQ(status.active, 0U);
}

TEST_F(WatchlistRegister, StopsMatchingBeforeWithdrawReturns) {
  ASSERT_THAT(lists_->Import(kList, Three(), "officer"), IsOk());
  const auto now = agency_.clock.Now();
  EXPECT_TRUE(lists_->Matches(kList, "a", now));
  EXPECT_FALSE(lists_->Matches(kList, "c", now));  // not yet valid
  ASSERT_THAT(lists_->Withdraw({kList, "a", "arrested", "officer"}), IsOk());
  EXPECT_FALSE(lists_->Matches(kList, "a", now));
  EXPECT_THAT(Visited(), ElementsAre("b", "c"));
  EXPECT_EQ(agency_.CountEvents(audit::kEntryWithdrawn), 1U);
  Restart();
  EXPECT_FALSE(lists_->Matches(kList, "a", now));
  EXPECT_THAT(Visited(), ElementsAre("b", "c"));
}

TEST_F(WatchlistRegister, RefusesUnknownRepeatedAndUnexplainedWithdrawals) {
  ASSERT_THAT(lists_->Import(kList, Three(), "officer"), IsOk());
  EXPECT_THAT(lists_->Withdraw({kList, "x", "r", "o"}), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(lists_->Withdraw({kList, "a", "", "o"}), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(lists_->Withdraw({kList, "a", std::string(1001, 'x'), "o"}),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_TRUE(lists_->Matches(kList, "a", agency_.clock.Now()));
  ASSERT_THAT(lists_->Withdraw({kList, "a", "r", "o"}), IsOk());
  EXPECT_THAT(lists_->Withdraw({kList, "a", "r", "o"}), FailsWith(ErrorCode::kConflict));
  EXPECT_EQ(agency_.CountEvents(audit::kEntryWithdrawn), 1U);
}

TEST_F(WatchlistRegister, LeavesOutWhatHasExpired) {
  ASSERT_THAT(lists_->Import(kList, Three(), "officer"), IsOk());
  agency_.clock.Set(At("2026-11-26T00:00:00Z"));
  EXPECT_THAT(Visited(), IsEmpty());
}

TEST_F(WatchlistRegister, ImportsAListOnce) {
  ASSERT_THAT(lists_->Import(kList, Three(), "officer"), IsOk());
  EXPECT_THAT(lists_->Import(kList, Parse({Entry("z")}), "officer"),
              FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Visited(), ElementsAre("a", "b", "c"));
  EXPECT_EQ(agency_.CountEvents(audit::kWatchlistImported), 1U);
}

TEST_F(WatchlistRegister, TakesNoListWithFaults) {
  EXPECT_THAT(lists_->Import(kList, Parse({nlohmann::json::object()}), "officer"),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(lists_->StatusOf(kList, agency_.clock.Now()), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(lists_->VisitActive(kList, [](const ActiveEntry&) -> Status { return {}; }),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_EQ(agency_.CountEvents(audit::kWatchlistImported), 0U);
}

TEST_F(WatchlistRegister, RefusesToOpenUnderAnotherKey) {
  ASSERT_THAT(lists_->Import(kList, Three(), "officer"), IsOk());
  const SecretBytes other = SecretBytes::CopyOf(Bytes(32, 8));
  const auto opened = TryOpen(other);
  ASSERT_THAT(opened, FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(opened.error().detail, HasSubstr("operation-lantern"));
}

TEST_F(WatchlistRegister, KeepsTemplatesAndFieldsOutOfTheDatabaseInTheClear) {
  const ParsedImport parsed = Three();
  ASSERT_THAT(lists_->Import(kList, parsed, "officer"), IsOk());
  lists_.reset();
  agency_.Close();
  std::ifstream in(agency_.database(), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(in)), {});
  ASSERT_FALSE(bytes.empty());
  const auto row = parsed.templates.Row(1);
  const std::string first(reinterpret_cast<const char*>(row.data()), 16);
  EXPECT_EQ(bytes.find(first), std::string::npos);
  for (const char* text : {"nominal 4711", "Wanted on warrant", "speak to the person"}) {
    EXPECT_EQ(bytes.find(text), std::string::npos) << text;
  }
}

TEST_F(WatchlistRegister, CanBeReadWhileItChanges) {
  std::vector<nlohmann::json> entries;
  for (int i = 0; i < 40; ++i) entries.push_back(Entry("r" + std::to_string(i)));
  ASSERT_THAT(lists_->Import(kList, Parse(entries), "officer"), IsOk());
  std::jthread reader([&] {
    for (int i = 0; i < 20; ++i) {
      EXPECT_GE(Visited().size(), 20U);
      StatusNow();
    }
  });
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(lists_->Withdraw({kList, "r" + std::to_string(i), "r", "o"}), IsOk());
  }
  reader.join();
  EXPECT_EQ(StatusNow().active, 20U);
}

}  // namespace
}  // namespace comity::watchlists
