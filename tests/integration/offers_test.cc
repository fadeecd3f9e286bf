// SPDX-License-Identifier: Apache-2.0
// What a holder shows a partner, and what it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/exported_log.h"
#include "tests/integration/fanout_world.h"

namespace comity::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

const v1::HolderOffers& OffersOf(const v1::OffersResponse& response, std::size_t i) {
  return response.holders(static_cast<int>(i));
}

TEST(Offers, ShowWhatMayBeSearchedAndHowMuchIsLeft) {
  FanoutWorld world(1, [](std::size_t, AgreementText& text) { text.probes_per_day = 50; });
  const v1::OffersResponse before = world.Offers();
  ASSERT_THAT(before.holders(), SizeIs(1));
  EXPECT_TRUE(OffersOf(before, 0).reached());
  ASSERT_THAT(OffersOf(before, 0).offers(), SizeIs(1)) << before.DebugString();
  const v1::Offer& offer = OffersOf(before, 0).offers(0);
  EXPECT_EQ(offer.agreement().id(), "fan-0");
  EXPECT_EQ(offer.clause(), "p1");
  EXPECT_EQ(offer.purpose(), "court-order-arrest");
  ASSERT_THAT(offer.categories(), SizeIs(1));
  EXPECT_EQ(offer.categories(0).category(), "wanted-by-courts");
  EXPECT_EQ(offer.categories(0).entries(), 1U);
  EXPECT_EQ(offer.engine().dimension(), FanoutWorld::kDimension);
  EXPECT_DOUBLE_EQ(offer.threshold_floor(), 0.5);
  EXPECT_EQ(offer.mode(), v1::SEARCH_MODE_DIRECT);
  EXPECT_EQ(offer.probes_per_day(), 50U);
  EXPECT_EQ(offer.probes_left(), 50U);
  world.Identify(world.Request(world.Stranger()));
  EXPECT_EQ(OffersOf(world.Offers(), 0).offers(0).probes_left(), 49U);
  EXPECT_THAT(before.DebugString(), Not(::testing::HasSubstr("lantern"))) << "no list's name";
  EXPECT_THAT(before.DebugString(), Not(::testing::HasSubstr("ref-0"))) << "no entry";
}

TEST(Offers, LeaveOutWhatIsSuspendedAndNameWhoIsOutOfReach) {
  FanoutWorld world(3);
  world.Suspend(1);
  world.holder(2).Stop();
  const v1::OffersResponse response = world.Offers();
  ASSERT_THAT(response.holders(), SizeIs(3));
  EXPECT_THAT(OffersOf(response, 0).offers(), SizeIs(1));
  EXPECT_TRUE(OffersOf(response, 1).reached());
  EXPECT_THAT(OffersOf(response, 1).offers(), IsEmpty());
  EXPECT_FALSE(OffersOf(response, 2).reached());
  EXPECT_THAT(OffersOf(response, 2).problem(), Not(IsEmpty()));
}

TEST(Offers, AreInBothLogsWithTheDigestsOfBothMessages) {
  FanoutWorld world(1);
  world.Offers("holder-00");
  const auto read = ExportLog(world.council()).OfType("offers-read");
  const auto shown = ExportLog(world.holder(0)).OfType("offers-shown");
  ASSERT_THAT(read, SizeIs(1));
  ASSERT_THAT(shown, SizeIs(1));
  EXPECT_EQ(read[0].exchange, shown[0].exchange);
  EXPECT_EQ(read[0].messages, shown[0].messages);
}

TEST(Offers, OfNobodyAreAnError) {
  FanoutWorld world(1);
  grpc::ClientContext context;
  v1::OffersRequest request;
  v1::OffersResponse response;
  request.set_holder("southmere-council");
  const auto stub = v1::Recognition::NewStub(world.council().ChannelOf("operator"));
  EXPECT_EQ(stub->Offers(&context, request, &response).error_code(), grpc::StatusCode::NOT_FOUND);
}

}  // namespace
}  // namespace comity::testing
