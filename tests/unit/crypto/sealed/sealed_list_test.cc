// SPDX-License-Identifier: Apache-2.0
#include "crypto/sealed/sealed_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "tests/support/result_matchers.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::sealed {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using comity::testing::IsOkAnd;

ListHeader AHeader() {
  return testing::SampleHeader({.dimension = 512});
}

ListState AState() {
  ListState state{.header = HeaderDigest(AHeader()),
                  .sequence = 3,
                  .blocks = {{.number = 0, .count = 1024, .hash = {}},
                             {.number = 5, .count = 2, .hash = {}},
                             {.number = 1023, .count = 1023, .hash = {}}},
                  .withdrawn = {1, 1024, 5122, kMaxSlotNumber}};
  for (ListedBlock& block : state.blocks) block.hash.bytes.fill(0x42);
  return state;
}

TEST(SealedList, HeaderSurvivesEncoding) {
  const Bytes bytes = EncodeListHeader(AHeader());
  EXPECT_LE(bytes.size(), kMaxHeaderBytes);
  EXPECT_THAT(ParseListHeader(bytes), IsOkAnd(AHeader()));
}

TEST(SealedList, TheLongestHeaderFits) {
  ListHeader header = AHeader();
  for (std::string* text : {&header.holder, &header.requester, &header.agreement, &header.purpose,
                            &header.list, &header.engine_name, &header.engine_version}) {
    text->assign(kMaxListTextBytes, '~');
  }
  EXPECT_THAT(ParseListHeader(EncodeListHeader(header)), IsOkAnd(header));
}

TEST(SealedList, StateSurvivesEncoding) {
  EXPECT_THAT(ParseListState(EncodeListState(AState())), IsOkAnd(AState()));
}

TEST(SealedList, TheLongestStateFits) {
  ListState state{.header = {}, .sequence = 1, .blocks = {}, .withdrawn = {}};
  for (std::uint32_t number = 0; number < kMaxBlocks; ++number) {
    const std::uint32_t count = number + 1 < kMaxBlocks ? 1024 : 1023;
    state.blocks.push_back({.number = number, .count = count, .hash = {}});
  }
  for (std::uint32_t number = 1; number <= kMaxSlotNumber; ++number) {
    state.withdrawn.push_back(number);
  }
  const Bytes bytes = EncodeListState(state);
  EXPECT_LE(bytes.size(), kMaxStateBytes);
  EXPECT_THAT(ParseListState(bytes), IsOk());
  EXPECT_EQ(SlotsOf(state)->size(), 0U);
}

TEST(SealedList, NoPrefixAndNothingLongerIsAHeaderOrState) {
  Bytes header = EncodeListHeader(AHeader());
  Bytes state = EncodeListState(AState());
  for (std::size_t size = 0; size < header.size(); ++size) {
    EXPECT_THAT(ParseListHeader(ByteView(header).first(size)),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  for (std::size_t size = 0; size < state.size(); ++size) {
    EXPECT_THAT(ParseListState(ByteView(state).first(size)),
                FailsWith(ErrorCode::kInvalidArgument));
  }
  header.push_back(0);
  state.push_back(0);
  EXPECT_THAT(ParseListHeader(header), FailsWith(ErrorCode::kInvalidArgument));
  EXPECT_THAT(ParseListState(state), FailsWith(ErrorCode::kInvalidArgument));
}

// Whatever a changed octet makes of it, it is no second encoding of anything.
TEST(SealedList, EveryChangedOctetIsRefusedOrAnotherValue) {
  const Bytes header = EncodeListHeader(AHeader());
  for (std::size_t i = 0; i < header.size(); ++i) {
    Bytes changed = header;
    changed[i] ^= 1;
    const auto parsed = ParseListHeader(changed);
    if (!parsed) continue;
    EXPECT_NE(*parsed, AHeader()) << i;
    EXPECT_EQ(EncodeListHeader(*parsed), changed) << i;
    EXPECT_NE(HeaderDigest(*parsed), HeaderDigest(AHeader())) << i;
  }
  const Bytes state = EncodeListState(AState());
  for (std::size_t i = 0; i < state.size(); ++i) {
    Bytes changed = state;
    changed[i] ^= 1;
    const auto parsed = ParseListState(changed);
    if (!parsed) continue;
    EXPECT_EQ(EncodeListState(*parsed), changed) << i;
    EXPECT_NE(StateDigest(*parsed), StateDigest(AState())) << i;
  }
}

TEST(SealedList, AFalseDeltaIsCorrupt) {
  ListHeader header = AHeader();
  --header.delta;  // a lower one lowers the threshold without a trace
  EXPECT_THAT(ParseListHeader(EncodeListHeader(header)), FailsWith(ErrorCode::kCorrupt));
}

TEST(SealedList, HeadersOutOfRangeAreRefused) {
  const std::vector<std::function<void(ListHeader&)>> faults = {
      [](ListHeader& h) { h.holder.clear(); },
      [](ListHeader& h) { h.list = "a\nb"; },
      [](ListHeader& h) { h.engine_name = "\xc3\xa4"; },
      [](ListHeader& h) { h.agreement_version = 0; },
      [](ListHeader& h) { h.epoch = 0; },
      [](ListHeader& h) { h.sealed_at = -1; },
      [](ListHeader& h) { h.valid_until = h.sealed_at; },
      [](ListHeader& h) { h.scales.compared_bits = 8; },
      [](ListHeader& h) { h.scales.dimension = 511; },
      [](ListHeader& h) { h.scales.cos_min = -4999; },
      [](ListHeader& h) { h.scales.tau_max = 10'001; }};
  for (std::size_t i = 0; i < faults.size(); ++i) {
    ListHeader header = AHeader();
    faults[i](header);
    EXPECT_THAT(ParseListHeader(EncodeListHeader(header)), FailsWith(ErrorCode::kInvalidArgument))
        << i;
  }
}

TEST(SealedList, StatesOutOfRangeAreRefused) {
  const std::vector<std::function<void(ListState&)>> faults = {
      [](ListState& s) { s.sequence = 0; },
      [](ListState& s) { s.blocks.clear(); },
      [](ListState& s) { s.blocks[1].number = 0; },
      [](ListState& s) { s.blocks[2].number = 1024; },
      [](ListState& s) { s.blocks[0].count = 0; },
      [](ListState& s) { s.blocks[0].count = 1025; },
      [](ListState& s) { s.blocks[2].count = 1024; },  // slot number 2^20
      [](ListState& s) { s.withdrawn[0] = 0; },
      [](ListState& s) { s.withdrawn[1] = 1; },     // twice
      [](ListState& s) { s.withdrawn[1] = 1025; },  // block 1 is not there
      [](ListState& s) { s.withdrawn[2] = 5123; },  // not filled
      [](ListState& s) { s.withdrawn[3] = kMaxSlotNumber + 1; }};
  for (std::size_t i = 0; i < faults.size(); ++i) {
    ListState state = AState();
    faults[i](state);
    EXPECT_THAT(ParseListState(EncodeListState(state)), FailsWith(ErrorCode::kInvalidArgument))
        << i;
  }
}

TEST(SealedList, ACountBeyondTheOctetsAllocatesNothing) {
  Bytes bytes = EncodeListState(AState());
  for (std::size_t i = 45; i < 49; ++i) bytes[i] = 0xff;  // magic, digest, sequence, then the count
  EXPECT_THAT(ParseListState(bytes), FailsWith(ErrorCode::kInvalidArgument));
}

TEST(SealedList, SlotsAreFilledAndNotWithdrawn) {
  const auto slots = *SlotsOf(AState());
  EXPECT_EQ(slots.size(), 1024U + 2 + 1023 - 4);
  EXPECT_FALSE(slots.Contains(1));
  EXPECT_TRUE(slots.Contains(2));
  EXPECT_TRUE(slots.Contains(5121));
  EXPECT_FALSE(slots.Contains(5122));
  EXPECT_FALSE(slots.Contains(1025));
}

}  // namespace
}  // namespace comity::sealed
