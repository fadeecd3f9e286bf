// SPDX-License-Identifier: Apache-2.0
#include "services/matching/sealed/session_terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "crypto/ot/correlation_source.h"
#include "tests/unit/services/matching/sealed/session.h"

namespace comity::matching {
namespace {

TEST(SealedSessionTerms, EveryTermIsInTheSessionId) {
  const std::vector<std::function<void(SealedSessionTerms&)>> changes = {
      [](SealedSessionTerms&) {},
      [](SealedSessionTerms& t) { t.header.bytes[31] ^= 1; },
      [](SealedSessionTerms& t) { t.tau += 1; },
      [](SealedSessionTerms& t) { t.cap += 1; },
      [](SealedSessionTerms& t) { t.hit_opening = HitOpening::kHolder; },
      [](SealedSessionTerms& t) { t.requester_nonce[31] ^= 1; },
      [](SealedSessionTerms& t) { t.holder_nonce[0] ^= 1; },
      [](SealedSessionTerms& t) { std::swap(t.requester_nonce, t.holder_nonce); },
      [](SealedSessionTerms& t) { t.requester_certificate.bytes[0] ^= 1; },
      [](SealedSessionTerms& t) { t.holder_certificate.bytes[31] ^= 1; },
      [](SealedSessionTerms& t) { std::swap(t.requester_certificate, t.holder_certificate); }};
  std::set<Digest> ids;
  for (const auto& change : changes) {
    SealedSessionTerms terms = testing::TermsFor({});
    change(terms);
    ids.insert(SessionId(terms));
  }
  EXPECT_EQ(ids.size(), changes.size());
}

TEST(SealedSessionTerms, EveryPartOfTheirPlaceIsInTheBinding) {
  const std::vector<std::function<void(SearchPlace&)>> changes = {
      [](SearchPlace&) {},
      [](SearchPlace& p) { p.batch += 1; },
      [](SearchPlace& p) { p.pads_taken += 1; },
      [](SearchPlace& p) { p.first_block += 1; },
      [](SearchPlace& p) { p.state_sequence += 1; },
      [](SearchPlace& p) { p.state.bytes[31] ^= 1; }};
  std::set<Digest> bindings;
  for (const auto& change : changes) {
    SearchPlace place;
    change(place);
    bindings.insert(SearchBinding({}, place));
  }
  Digest other;
  other.bytes[0] = 1;
  bindings.insert(SearchBinding(other, {}));
  EXPECT_EQ(bindings.size(), changes.size() + 1);
}

TEST(SealedSessionTerms, BatchesFitTheirMemory) {
  EXPECT_EQ(MostProbes(0), sealed::kMaxProbesInBatch);
  EXPECT_EQ(MostProbes(65'536), 32U);
  EXPECT_EQ(MostProbes(65'537), 31U);
  EXPECT_EQ(MostProbes(1'000'000), 2U);
  EXPECT_EQ(MostProbes(sealed::kMaxSlotNumber), 2U);
  EXPECT_EQ(MostProbes(kMaxSlotsABatch + 1), 0U);
}

TEST(SealedSessionTerms, PadBatchesAreWholeAndWithinTheSourcesBounds) {
  for (const std::size_t slots : {0U, 1U, 16U, 17U, 200U, 1000U, 1'048'575U}) {
    const PadBatch batch = PadBatchFor(slots);
    EXPECT_GE(batch.pads, std::clamp<std::size_t>(8 * slots, 1024, 8192));
    EXPECT_LT(batch.pads, std::clamp<std::size_t>(8 * slots, 1024, 8192) + 22);
    EXPECT_EQ(batch.ots % 128, 0U);
    EXPECT_EQ(batch.pads, batch.ots / 6);
    EXPECT_LE(batch.ots, ot::kMaxOtsABatch);
  }
}

TEST(SealedSessionTerms, AListTakesTheBlocksUpToItsLast) {
  EXPECT_EQ(BlocksOf({}), 0U);
  sealed::ListState state;
  state.blocks.push_back({.number = 0, .count = 1, .hash = {}});
  state.blocks.push_back({.number = 6, .count = 1, .hash = {}});
  EXPECT_EQ(BlocksOf(state), 7U);
}

}  // namespace
}  // namespace comity::matching
