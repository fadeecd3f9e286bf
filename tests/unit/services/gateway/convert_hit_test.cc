// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/wire/convert_hit.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "tests/support/result_matchers.h"

namespace comity::gateway {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using policy::ReleaseItem;

v1::Hit WholeHit() {
  v1::Hit hit;
  hit.set_reference("ns-2026-0142");
  hit.set_category("wanted-by-courts");
  hit.set_response_code("amber: speak to the person");
  hit.set_similarity(0.75F);
  return hit;
}

TEST(HitConversion, KeepsEveryFieldBothWays) {
  const auto hit = FromProto(WholeHit());
  ASSERT_THAT(hit, IsOk());
  EXPECT_EQ(ToProto(*hit).SerializeAsString(), WholeHit().SerializeAsString());
}

TEST(HitConversion, RefusesWhatIsOutOfBounds) {
  v1::Hit hit = WholeHit();
  hit.set_reference(std::string(65, 'x'));
  EXPECT_THAT(FromProto(hit), FailsWith(ErrorCode::kInvalidArgument));
  hit = WholeHit();
  hit.set_response_code("two\nlines");
  EXPECT_THAT(FromProto(hit), FailsWith(ErrorCode::kInvalidArgument));
  hit = WholeHit();
  hit.set_category("Wanted!");
  EXPECT_THAT(FromProto(hit), FailsWith(ErrorCode::kInvalidArgument));
  hit = WholeHit();
  hit.set_similarity(std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(FromProto(hit), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(HitConversion, StripsWhatTheAgreementDoesNotRelease) {
  const auto hit = FromProto(WholeHit());
  ASSERT_THAT(hit, IsOk());
  const policy::TermSet<policy::ReceiverRole> somebody = {policy::ReceiverRole::kOperator};
  const auto stripped =
      Permitted(*hit, {{ReleaseItem::kReferenceNumber, somebody}, {ReleaseItem::kCategory, {}}});
  EXPECT_EQ(stripped.reference, "ns-2026-0142");
  EXPECT_FALSE(stripped.category);
  EXPECT_TRUE(stripped.response_code.empty());
  EXPECT_FALSE(stripped.similarity);
  EXPECT_EQ(Permitted(*hit, {{ReleaseItem::kReferenceNumber, somebody},
                             {ReleaseItem::kCategory, somebody},
                             {ReleaseItem::kResponseCode, somebody},
                             {ReleaseItem::kSimilarity, somebody}}),
            *hit);
}

}  // namespace
}  // namespace comity::gateway
