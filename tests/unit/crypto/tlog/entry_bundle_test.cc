// SPDX-License-Identifier: Apache-2.0
#include "crypto/tlog/entry_bundle.h"

#include <gtest/gtest.h>

#include "tests/support/result_matchers.h"

namespace comity::tlog {
namespace {

using ::testing::Eq;
using testing::FailsWith;
using testing::IsOk;
using testing::IsOkAnd;

Bytes BundleOf(const std::vector<Bytes>& entries) {
  Bytes bundle;
  for (const Bytes& entry : entries) EXPECT_THAT(AppendToBundle(bundle, entry), IsOk());
  return bundle;
}

TEST(EntryBundle, PrefixesEachEntryWithItsLength) {
  EXPECT_EQ(BundleOf({{7}, {}, Bytes(0x0102)}).size(), 2U + 1 + 2 + 2 + 0x0102);
  EXPECT_EQ(BundleOf({{7, 8}}), Bytes({0, 2, 7, 8}));
}

TEST(EntryBundle, RoundTrips) {
  const std::vector<Bytes> entries = {{1}, {}, Bytes(kMaxBundledEntry, 9), {2, 3}};
  EXPECT_THAT(ParseEntryBundle(BundleOf(entries), 4), IsOkAnd(Eq(entries)));
}

TEST(EntryBundle, RefusesAnEntryThatItsLengthCannotName) {
  Bytes bundle = {1};
  EXPECT_THAT(AppendToBundle(bundle, Bytes(kMaxBundledEntry + 1)),
              FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_EQ(bundle.size(), 1U);
}

TEST(EntryBundle, RefusesEveryCutAndEveryExtension) {
  const Bytes bundle = BundleOf({{1, 2}, {}, {3}});
  for (std::size_t size = 0; size < bundle.size(); ++size) {
    EXPECT_THAT(ParseEntryBundle(ByteView(bundle).first(size), 3), FailsWith(ErrorCode::kCorrupt));
  }
  Bytes longer = bundle;
  longer.push_back(0);
  EXPECT_THAT(ParseEntryBundle(longer, 3), FailsWith(ErrorCode::kCorrupt));
}

TEST(EntryBundle, RefusesAnotherNumberOfEntries) {
  const Bytes bundle = BundleOf({{1, 2}, {3}});
  EXPECT_THAT(ParseEntryBundle(bundle, 1), FailsWith(ErrorCode::kCorrupt));
  EXPECT_THAT(ParseEntryBundle(bundle, 3), FailsWith(ErrorCode::kCorrupt));
}

TEST(EntryBundle, StopsAtTheVisitorsError) {
  int visits = 0;
  const Status status = ForEachEntry(BundleOf({{1}, {2}}), 2, [&](ByteView) -> Status {
    ++visits;
    return Fail(ErrorCode::kExhausted, "enough");
  });
  EXPECT_THAT(status, FailsWith(ErrorCode::kExhausted));
  EXPECT_EQ(visits, 1);
}

}  // namespace
}  // namespace comity::tlog
