// SPDX-License-Identifier: Apache-2.0
#include "services/store/sealed_copy_store.h"

#include <gmock/gmock.h>

#include "tests/conformance/store_conformance.h"

namespace comity::store {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::IsEmpty;
using testing::IsOk;

SealedCopyRecord MakeCopy(std::uint8_t header, std::uint64_t sequence) {
  SealedCopyRecord copy;
  copy.header = MakeDigest(header);
  copy.holder = MakeId<policy::AgencyId>("eastvale-council");
  copy.header_envelope = "{\"payload\":\"header\"}\n";
  copy.sequence = sequence;
  copy.state = MakeDigest(static_cast<std::uint8_t>(sequence));
  copy.state_envelope = "{\"payload\":\"state\"}\n";
  copy.received_at = At(10);
  return copy;
}
auto PutCopy(const SealedCopyRecord& copy) {
  return [copy](Transaction& t) { return t.sealed_copies().Put(copy); };
}
auto AllCopies() {
  return [](const Transaction& t) { return t.sealed_copies().All(); };
}

}  // namespace

TEST_P(SealedCopyStoreConformance, GivesBackEveryFieldByHeader) {
  ASSERT_THAT(Write(PutCopy(MakeCopy(2, 7))), IsOk());
  ASSERT_THAT(Write(PutCopy(MakeCopy(1, 3))), IsOk());
  Reopen();
  EXPECT_THAT(Get(AllCopies()).value(), ElementsAre(MakeCopy(1, 3), MakeCopy(2, 7)));
}

TEST_P(SealedCopyStoreConformance, ReplacesAStateByTheSameOrALaterOne) {
  ASSERT_THAT(Write(PutCopy(MakeCopy(1, 3))), IsOk());
  ASSERT_THAT(Write(PutCopy(MakeCopy(1, 3))), IsOk());
  SealedCopyRecord later = MakeCopy(1, 4);
  later.state_envelope = "another";
  later.received_at = At(20);
  ASSERT_THAT(Write(PutCopy(later)), IsOk());
  EXPECT_THAT(Get(AllCopies()).value(), ElementsAre(later));
}

TEST_P(SealedCopyStoreConformance, NeverGoesBackToAnEarlierState) {
  ASSERT_THAT(Write(PutCopy(MakeCopy(1, 3))), IsOk());
  EXPECT_THAT(Write(PutCopy(MakeCopy(1, 2))), FailsWith(ErrorCode::kConflict));
  EXPECT_THAT(Get(AllCopies()).value(), ElementsAre(MakeCopy(1, 3)));
}

TEST_P(SealedCopyStoreConformance, RefusesASequenceOutOfRange) {
  EXPECT_THAT(Write(PutCopy(MakeCopy(1, 0))), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Write(PutCopy(MakeCopy(1, std::uint64_t{1} << 63))),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(Get(AllCopies()).value(), IsEmpty());
}

TEST_P(SealedCopyStoreConformance, RemovesOneAndNoOther) {
  ASSERT_THAT(Write(PutCopy(MakeCopy(1, 3))), IsOk());
  ASSERT_THAT(Write(PutCopy(MakeCopy(2, 3))), IsOk());
  const Work remove = [](Transaction& t) { return t.sealed_copies().Remove(MakeDigest(1)); };
  ASSERT_THAT(Write(remove), IsOk());
  EXPECT_THAT(Write(remove), FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(Get(AllCopies()).value(), ElementsAre(MakeCopy(2, 3)));
}

}  // namespace comity::store
