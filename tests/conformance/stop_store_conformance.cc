// SPDX-License-Identifier: Apache-2.0
#include "services/store/stop_store.h"

#include <gmock/gmock.h>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using testing::FailsWith;
using testing::IsOk;
using ::testing::SizeIs;

StopRecord MakeStop(const std::string& id) {
  StopRecord stop;
  stop.id = id;
  stop.scope = StopScope::kPartner;
  stop.reference = "eastvale-council";
  stop.set_by = "grace";
  stop.reason = "complaint";
  stop.order = "ICO-7";
  stop.set_at = At(10);
  return stop;
}

}  // namespace

TEST_P(StopStoreConformance, GivesBackEveryField) {
  ASSERT_THAT(Write([](Transaction& t) { return t.stops().Add(MakeStop("stop-1")); }), IsOk());
  Reopen();
  const auto stop = Get([](const Transaction& t) { return t.stops().Get("stop-1"); });
  ASSERT_THAT(stop, IsOk());
  EXPECT_EQ(stop->scope, StopScope::kPartner);
  EXPECT_EQ(stop->reference, "eastvale-council");
  EXPECT_EQ(stop->set_by, "grace");
  EXPECT_EQ(stop->reason, "complaint");
  EXPECT_EQ(stop->order, "ICO-7");
  EXPECT_EQ(stop->set_at, At(10));
  EXPECT_FALSE(stop->lifted_by.has_value());
}

TEST_P(StopStoreConformance, LiftsOneOnceAndNoOther) {
  ASSERT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(t.stops().Add(MakeStop("stop-1")));
                return t.stops().Add(MakeStop("stop-2"));
              }),
              IsOk());
  const Work lift = [](Transaction& t) {
    return t.stops().Lift("stop-1", MakeId<policy::PersonId>("ada"), "unfounded", At(20));
  };
  ASSERT_THAT(Write(lift), IsOk());
  EXPECT_THAT(Write(lift), FailsWith(ErrorCode::kConflict));
  const auto standing = Get([](const Transaction& t) { return t.stops().Standing(); });
  ASSERT_THAT(*standing, SizeIs(1));
  EXPECT_EQ(standing->at(0).id, "stop-2");
  const auto lifted = Get([](const Transaction& t) { return t.stops().Get("stop-1"); });
  EXPECT_EQ(lifted->lifted_by, MakeId<policy::PersonId>("ada"));
  EXPECT_EQ(lifted->lift_reason, "unfounded");
  EXPECT_EQ(lifted->lifted_at, At(20));
}

TEST_P(StopStoreConformance, NamesWhatIsNotThereAndWhatIsThereTwice) {
  const Work add = [](Transaction& t) { return t.stops().Add(MakeStop("stop-1")); };
  ASSERT_THAT(Write(add), IsOk());
  EXPECT_THAT(Write(add), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Get([](const Transaction& t) { return t.stops().Get("stop-9"); }),
              FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Write([](Transaction& t) {
                return t.stops().Lift("stop-9", MakeId<policy::PersonId>("ada"), "x", At(1));
              }),
              FailsWith(ErrorCode::kNotFound));
}

TEST_P(StopStoreConformance, GivesTheNewestFirst) {
  for (const char* id : {"stop-1", "stop-2", "stop-3"}) {
    ASSERT_THAT(Write([&](Transaction& t) { return t.stops().Add(MakeStop(id)); }), IsOk());
  }
  const auto newest = Get([](const Transaction& t) { return t.stops().Newest(2); });
  ASSERT_THAT(*newest, SizeIs(2));
  EXPECT_EQ(newest->at(0).id, "stop-3");
  EXPECT_EQ(newest->at(1).id, "stop-2");
}

}  // namespace comity::store
