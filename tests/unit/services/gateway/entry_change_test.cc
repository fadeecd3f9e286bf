// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "services/gateway/federation/partner_handlers.h"
#include "services/oversight/partner_content.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/casework/hit_reports.h"

namespace comity::gateway {
namespace {

using casework::testing::Report;
using testing::AgencyStore;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::IsOk;

class EntryChangeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    casework::HitReport report = Report("ns-1", "c1");
    report.answered_at = agency_.clock.Now();
    ASSERT_THAT(alerts_.Raise(report), IsOk());
  }
  oversight::EntryNews News(std::string change) {
    agency_.clock.Advance(std::chrono::seconds(1));
    oversight::EntryNews news;
    news.reference = "ns-1";
    news.change = std::move(change);
    news.at = agency_.clock.Now();
    return news;
  }
  Result<PartnerMessageHandler::Taken> Take(const oversight::EntryNews& news) {
    PartnerMessageHandler::Taken taken;
    const auto sender = Report("", "c").holder;
    COMITY_RETURN_IF_ERROR(agency_.journal().Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_ASSIGN_OR_RETURN(taken,
                                  handler_.Receive(transaction, recorder, sender,
                                                   oversight::EncodeEntryNews(std::vector{news})));
          return {};
        }));
    if (taken.after) taken.after();
    return taken;
  }
  std::vector<identity::StoredNotice> Told() {
    return notices_.List({identity::Role::kSupervisor}, 0, false, 100).value();
  }

  AgencyStore agency_;
  casework::AlertDesk alerts_{casework::AlertDeskSetup{.store = agency_.store(),
                                                       .journal = agency_.journal(),
                                                       .kek = agency_.kek(),
                                                       .random = agency_.random,
                                                       .clock = agency_.clock,
                                                       .own = agency_.own}};
  identity::Notices notices_{{agency_.store(), agency_.journal(), agency_.own, agency_.clock}};
  EntryChangeHandler handler_{alerts_, notices_, agency_.clock};
};

TEST_F(EntryChangeTest, TellsPeopleOfEachMessageUntilItIsAFlood) {
  for (int i = 0; i < 30; ++i) {
    const auto taken = Take(News(i % 2 == 0 ? "restricted" : "unrestricted"));
    ASSERT_THAT(taken, IsOk());
    EXPECT_EQ(taken->outcome.at("alerts"), 1U);
    EXPECT_EQ(taken->weight, 2U);  // the entry that was named, and the alert
  }
  EXPECT_EQ(Told().size(), 20U);
  ASSERT_THAT(handler_.PostGathered(), IsOk());
  EXPECT_EQ(Told().size(), 20U);  // no room yet: what was gathered stays
}

TEST_F(EntryChangeTest, LeavesNothingUntoldWhenTheGatewayStops) {
  for (int i = 0; i < 30; ++i) {
    ASSERT_THAT(Take(News(i % 2 == 0 ? "restricted" : "unrestricted")), IsOk());
  }
  ASSERT_THAT(handler_.PostRest(), IsOk());
  ASSERT_EQ(Told().size(), 21U);
  EXPECT_THAT(Told().back().words, HasSubstr("changed entries behind 10 alert(s)"));
  ASSERT_THAT(handler_.PostRest(), IsOk());
  EXPECT_EQ(Told().size(), 21U) << "told once";
}

TEST_F(EntryChangeTest, RefusesATimeToComeByMoreThanClocksMayDiffer) {
  oversight::EntryNews news = News("restricted");
  news.at = agency_.clock.Now() + std::chrono::seconds(61);
  EXPECT_THAT(Take(news), FailsWith(ErrorCode::kInvalidArgument));
  news.at = agency_.clock.Now() + std::chrono::seconds(60);
  EXPECT_THAT(Take(news), IsOk());
  EXPECT_EQ(Told().size(), 1U);
}

}  // namespace
}  // namespace comity::gateway
