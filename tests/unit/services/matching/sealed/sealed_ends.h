// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/matching/sealed/session.h"

namespace comity::matching::testing {

// Both ends of sessions over a list of 300 entries, the first of which is `q_`.
class SealedMessages : public ::testing::Test {
 protected:
  SealedMessages() : faces_(128, 1), q_(faces_.Template()), list_({.dimension = 128}, 2) {
    std::vector<std::int8_t> entries = faces_.Templates(300);
    std::ranges::copy(q_, entries.begin());
    list_.Seal(0, entries);
  }

  SealedSessionTerms Terms() const { return TermsFor(list_.state().header); }
  std::unique_ptr<ListSession> AnyEnds() const {
    return std::make_unique<ListSession>(list_, Terms(), 0, FastestKernels());
  }
  Result<SealedRequester> Requester(const SealedSessionTerms& terms, ByteView offer,
                                    std::uint32_t first_block = 0,
                                    std::size_t most_pads = kMostPads) {
    return SealedRequester::Create({.list = list_.view(),
                                    .terms = terms,
                                    .first_block = first_block,
                                    .kernels = FastestKernels(),
                                    .most_pads = most_pads,
                                    .random = random_},
                                   offer);
  }
  Result<SealedHolder> Holder(const SealedSessionTerms& terms, std::uint32_t first_block = 0,
                              std::size_t most_pads = kMostPads) {
    return SealedHolder::Create({.list = list_.epoch(),
                                 .terms = terms,
                                 .first_block = first_block,
                                 .kernels = FastestKernels(),
                                 .most_pads = most_pads,
                                 .random = random_});
  }
  static void ExpectEnded(ListSession& ends, const Template& q) {
    EXPECT_THAT(ends.requester.Begin(Secretly(std::vector<Template>{q}), 1000),
                comity::testing::FailsWith(ErrorCode::kConflict));
    EXPECT_THAT(ends.requester.OnPads({}), comity::testing::FailsWith(ErrorCode::kConflict));
    EXPECT_EQ(ends.requester.pads(), 0U);
  }

  sealed::testing::Faces faces_;
  Template q_;
  SampleList list_;
  sealed::testing::SeededRandom random_{33};
};

// Such ends with trees, without pads.
class SealedPads : public SealedMessages {
 protected:
  SealedPads() { ends_->ExchangeTrees(); }
  std::unique_ptr<ListSession> ends_ = AnyEnds();
};

// A message, one octet less and more of it, and nothing.
inline std::vector<Bytes> WrongLengths(const Bytes& message) {
  std::vector<Bytes> wrong = {{}, message, message};
  wrong[1].pop_back();
  wrong[2].push_back(0);
  return wrong;
}

}  // namespace comity::matching::testing
