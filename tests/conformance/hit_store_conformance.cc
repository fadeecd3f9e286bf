// SPDX-License-Identifier: Apache-2.0
#include "services/store/hit_store.h"

#include <gmock/gmock.h>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using ::testing::IsEmpty;
using testing::IsOk;
using ::testing::SizeIs;

Status Fill(Transaction& t) {
  COMITY_RETURN_IF_ERROR(t.hits().AddHit({"holder|a|x", MakeDigest(1), At(10), true}));
  COMITY_RETURN_IF_ERROR(t.hits().AddHit({"holder|a|x", MakeDigest(2), At(10), false}));
  COMITY_RETURN_IF_ERROR(t.hits().AddHit({"holder|ab|x", MakeDigest(1), At(20), true}));
  COMITY_RETURN_IF_ERROR(t.hits().AddProbes({"holder|a|x", At(10), 5}));
  COMITY_RETURN_IF_ERROR(t.hits().AddProbes({"holder|a|x", At(20), 6}));
  return t.hits().AddProbes({"holder|ab|x", At(20), 7});
}

}  // namespace

TEST_P(HitStoreConformance, GivesBackTheHitsAndProbesOfOneWatch) {
  ASSERT_THAT(Write(Fill), IsOk());
  Reopen();
  const auto hits = Get([](const Transaction& t) { return t.hits().Hits("holder|a|x"); });
  ASSERT_THAT(*hits, SizeIs(2));
  EXPECT_EQ(hits->at(0).entry, MakeDigest(1));
  EXPECT_EQ(hits->at(0).at, At(10));
  EXPECT_TRUE(hits->at(0).first);
  EXPECT_FALSE(hits->at(1).first);
  const auto probes = Get([](const Transaction& t) { return t.hits().Probes("holder|a|x"); });
  ASSERT_THAT(*probes, SizeIs(2));
  EXPECT_EQ(probes->at(0).probes, 5u);
  EXPECT_EQ(probes->at(1).at, At(20));
}

TEST_P(HitStoreConformance, RestartsTheWatchesOfAPrefixAndNoOther) {
  ASSERT_THAT(Write(Fill), IsOk());
  ASSERT_THAT(Write([](Transaction& t) { return t.hits().Restart("holder|a|"); }), IsOk());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.hits().Hits("holder|a|x"); }), IsEmpty());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.hits().Probes("holder|a|x"); }), IsEmpty());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.hits().Hits("holder|ab|x"); }), SizeIs(1));
}

TEST_P(HitStoreConformance, TakesAPrefixByItsLetters) {
  ASSERT_THAT(
      Write([](Transaction& t) { return t.hits().AddProbes({"holder|Z\u00fcrich|x", At(10), 5}); }),
      IsOk());
  ASSERT_THAT(Write([](Transaction& t) { return t.hits().Restart("holder|Z\u00fcrich|"); }),
              IsOk());
  const auto probes =
      Get([](const Transaction& t) { return t.hits().Probes("holder|Z\u00fcrich|x"); });
  EXPECT_THAT(*probes, IsEmpty());
}

TEST_P(HitStoreConformance, ForgetsWhatIsOlderOfOneWatchOrOfAll) {
  ASSERT_THAT(Write(Fill), IsOk());
  ASSERT_THAT(Write([](Transaction& t) { return t.hits().Forget("holder|ab|x", At(99)); }), IsOk());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.hits().Hits("holder|ab|x"); }), IsEmpty());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.hits().Hits("holder|a|x"); }), SizeIs(2));
  ASSERT_THAT(Write([](Transaction& t) { return t.hits().Forget({}, At(20)); }), IsOk());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.hits().Hits("holder|a|x"); }), IsEmpty());
  EXPECT_THAT(*Get([](const Transaction& t) { return t.hits().Probes("holder|a|x"); }), SizeIs(1));
}

}  // namespace comity::store
