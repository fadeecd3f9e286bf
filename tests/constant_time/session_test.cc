// SPDX-License-Identifier: Apache-2.0
// A search from the template to the holder's masked bits, under valgrind: the template and whatever
// either side draws are secret, and what goes over the wire is public from there on. The block
// secret is not marked here but in sealed_test.cc.
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "services/matching/sealed/holder_round.h"
#include "services/matching/sealed/requester_round.h"
#include "services/matching/sealed/sealed_holder.h"
#include "services/matching/sealed/sealed_requester.h"
#include "tests/constant_time/taint.h"
#include "tests/unit/crypto/sealed/sample_list.h"

namespace comity::constant_time {
namespace {

using namespace comity::matching;
using sealed::testing::Faces;
using sealed::testing::SampleList;

constexpr std::uint32_t kDimension = 128;
constexpr std::size_t kEntries = 20;
constexpr std::uint32_t kCap = 5;

class SealedSession : public ConstantTime {
 protected:
  static SampleList MakeList() {
    SampleList list({.dimension = kDimension}, 1);
    list.Seal(0, Faces(kDimension, 1).Templates(kEntries));
    return list;
  }
  static SealedSessionTerms TermsOf(const SampleList& list) {
    return {.header = list.state().header,
            .tau = 4000,
            .cap = kCap,
            .hit_opening = HitOpening::kAuditor,
            .requester_nonce = {},
            .holder_nonce = {},
            .requester_certificate = {},
            .holder_certificate = {}};
  }
  static std::vector<sealed::SecretArray<std::int8_t>> SecretTemplate() {
    std::vector<sealed::SecretArray<std::int8_t>> templates;
    templates.emplace_back(kDimension);
    std::ranges::copy(Faces(kDimension, 1).Template(), templates[0].ExposeMutable().begin());
    MarkSecret(templates[0].Expose());
    return templates;
  }
  // A message as the other side gets it.
  static Bytes Sent(Bytes message) {
    EXPECT_TRUE(IsSecret(message));
    MarkPublic(message);
    return message;
  }

  const SealedKernels kernels_{.score = sealed::FastestKernel(), .ot = ot::Kernel::kPortable};
  SecretRandom holder_random_{1};
  SecretRandom requester_random_{2};
};

TEST_F(SealedSession, FromTheTemplateToTheMaskedBits) {
  const SampleList list = MakeList();
  const SealedSessionTerms terms = TermsOf(list);
  auto holder = SealedHolder::Create(
      {.list = list.epoch(), .terms = terms, .kernels = kernels_, .random = holder_random_});
  ASSERT_TRUE(holder.has_value());
  auto requester = SealedRequester::Create(
      {.list = list.view(), .terms = terms, .kernels = kernels_, .random = requester_random_},
      Sent(ToBytes(holder->offer())));
  ASSERT_TRUE(requester.has_value());
  ASSERT_TRUE(requester->OnTrees(Sent(*holder->OnAnswer(Sent(ToBytes(requester->answer()))))));
  ASSERT_TRUE(requester->OnPads(Sent(*holder->MakePads())));

  auto begun = requester->Begin(SecretTemplate(), 1);
  ASSERT_TRUE(begun.has_value());
  const Bytes probe = Sent(begun->probes[0]);
  const auto round = holder->Begin(std::vector<ByteView>{probe});
  ASSERT_TRUE(round.has_value());
  ASSERT_TRUE(requester->Accept(*begun->round, std::vector<std::size_t>{0}));
  const Bytes offsets = Sent(*holder->Offsets(**round, 0));
  sealed::Sketch masks{.cap = kCap};
  const Bytes tables = Sent(*requester->Tables(*begun->round, 0, offsets, masks));
  EXPECT_TRUE(IsSecret(masks.sums));
  sealed::Sketch bits{.cap = kCap};
  ASSERT_TRUE(holder->Open(**round, 0, tables, bits));
  EXPECT_TRUE(IsSecret(bits.sums));
}

}  // namespace
}  // namespace comity::constant_time
