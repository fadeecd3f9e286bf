// SPDX-License-Identifier: Apache-2.0
#include "services/store/agreement_life_store.h"

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using testing::FailsWith;
using testing::IsOk;

policy::AgreementRef Version(std::string_view id, std::uint32_t version) {
  return {MakeId<policy::AgreementId>(id), version, MakeDigest(static_cast<std::uint8_t>(version))};
}
auto Mark(const policy::AgreementRef& agreement, const std::string& mark, int at) {
  return [=](Transaction& t) { return t.agreement_life().Mark({agreement, mark, At(at)}); };
}
auto Say(const policy::AgreementRef& agreement, std::string_view peer, const std::string& status,
         int at) {
  const PeerStatusRecord record{agreement, MakeId<policy::AgencyId>(peer), status, At(at)};
  return [=](Transaction& t) { return t.agreement_life().PutPeerStatus(record); };
}
auto Marks(const Transaction& t) {
  return t.agreement_life().Marks();
}
auto Statuses(const Transaction& t) {
  return t.agreement_life().PeerStatuses();
}

TEST_P(AgreementLifeStoreConformance, KeepsMarksOverAReopening) {
  ASSERT_THAT(Write(Mark(Version("a", 2), "reminded", 5)), IsOk());
  ASSERT_THAT(Write(Mark(Version("a", 1), "reminded", 4)), IsOk());
  ASSERT_THAT(Write(Mark(Version("a", 1), "ended", 6)), IsOk());
  Reopen();
  const auto marks = Get(Marks).value();
  ASSERT_EQ(marks.size(), 3U);
  EXPECT_EQ(marks[0].agreement, Version("a", 1));
  EXPECT_EQ(marks[0].mark, "ended");
  EXPECT_EQ(marks[0].at, At(6));
  EXPECT_EQ(marks[1].mark, "reminded");
  EXPECT_EQ(marks[2].agreement, Version("a", 2));
}

TEST_P(AgreementLifeStoreConformance, MarksAVersionOnce) {
  ASSERT_THAT(Write(Mark(Version("a", 1), "ended", 1)), IsOk());
  EXPECT_THAT(Write(Mark(Version("a", 1), "ended", 2)), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Write(Mark(Version("b", 1), "ended", 2)), IsOk());
  EXPECT_EQ(Get(Marks)->front().at, At(1));
}

TEST_P(AgreementLifeStoreConformance, KeepsTheLastStatusOfEachPeer) {
  ASSERT_THAT(Write(Say(Version("a", 1), "eastvale-council", "signed", 1)), IsOk());
  ASSERT_THAT(Write(Say(Version("a", 1), "riverside-health", "in-force", 2)), IsOk());
  auto other = Version("a", 1);
  other.sha256 = MakeDigest(9);
  ASSERT_THAT(Write(Say(other, "eastvale-council", "suspended", 3)), IsOk());
  Reopen();
  const auto statuses = Get(Statuses).value();
  ASSERT_EQ(statuses.size(), 2U);
  EXPECT_EQ(statuses[0].agreement, other);
  EXPECT_EQ(statuses[0].peer.text(), "eastvale-council");
  EXPECT_EQ(statuses[0].status, "suspended");
  EXPECT_EQ(statuses[0].at, At(3));
  EXPECT_EQ(statuses[1].status, "in-force");
}

TEST_P(AgreementLifeStoreConformance, AFailedUnitOfWorkLeavesNothing) {
  EXPECT_THAT(Write([](Transaction& t) -> Status {
                COMITY_RETURN_IF_ERROR(Mark(Version("a", 1), "ended", 1)(t));
                COMITY_RETURN_IF_ERROR(Say(Version("a", 1), "eastvale-council", "signed", 1)(t));
                return Fail(ErrorCode::kConflict, "no");
              }),
              FailsWith(ErrorCode::kConflict));
  EXPECT_TRUE(Get(Marks)->empty());
  EXPECT_TRUE(Get(Statuses)->empty());
}

}  // namespace
}  // namespace comity::store
