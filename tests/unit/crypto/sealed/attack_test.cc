// SPDX-License-Identifier: Apache-2.0
// The attacks that profile sealed-v1 is built against, carried out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/sealed/release_budget.h"
#include "tests/unit/crypto/sealed/samples.h"
#include "tests/unit/crypto/sealed/search.h"
#include "tests/unit/crypto/sealed/slow_reference.h"

namespace comity::sealed {
namespace {

using testing::Faces;
using testing::OneBlock;
using testing::Search;

// A requester that sends c'' = 2^21 X^m: t_i is then -2^21 s_(i-m), and a threshold of its choice
// for each slot asks "is this coefficient -1?", then "is it 1?". Every message looks like an honest
// one, no answer has more than cap hits, and no face need match.
class KeyRecovery {
 public:
  explicit KeyRecovery(OneBlock& block) : block_(block), search_(block, kFilled, {}, kDefaultCap) {}

  // Runs until every coefficient is known, or a search is refused if there is a budget.
  void Run(bool with_budget) {
    std::vector<std::uint32_t> released(1);
    while (known_ < kRingDegree) {
      const auto asked = Ask();
      const std::vector<std::uint32_t> hits = {static_cast<std::uint32_t>(asked.size())};
      if (with_budget && ChargeAnswer(released, hits) == Release::kStaleBlock) return;
      released_hits_ += asked.size();
      Learn(asked);
    }
  }

  std::size_t known() const { return known_; }
  std::size_t released_hits() const { return released_hits_; }
  std::size_t probes() const { return probes_; }
  const reference::Polynomial& guess() const { return guess_; }

 private:
  enum State : std::uint8_t { kUnknown, kNotMinusOne, kKnown };
  static constexpr std::uint32_t kHitsPlus = 8;    // leading bits of r that only t = 2^21 reaches
  static constexpr std::uint32_t kHitsMinus = 56;  // only t = -2^21
  static constexpr std::uint32_t kHitsNone = 32;
  inline static const std::vector<std::uint32_t> kFilled = {0, 0, 0, kRingDegree};

  std::vector<std::size_t> Ask() {
    asked_.clear();
    const std::size_t m = probes_++ * 97 % kRingDegree;  // spreads the hits over entries
    Element b;
    b.fill(Share(kHitsNone));
    for (std::size_t c = 0; c < kRingDegree && asked_.size() < kDefaultCap; ++c) {
      if (state_[c] == kKnown) continue;
      asked_.push_back(c);
      const int sign = c + m < kRingDegree ? 1 : -1;
      const int target = state_[c] == kUnknown ? -1 : 1;
      b[(c + m) % kRingDegree] = Share(-sign * target == 1 ? kHitsPlus : kHitsMinus);
    }
    Element crafted{};
    crafted[m] = 1U << 21;
    std::array<std::uint8_t, kElementBytes> message;
    EncodeElement(crafted, message);
    const std::vector<std::uint8_t> masks(kRingDegree);
    const auto found = search_.Finish(b, block_.HolderShare(message), masks, 0);
    EXPECT_NE(found.outcome, HitOutcome::kOverCap);
    std::vector<std::size_t> hits;
    for (const std::uint32_t slot : found.slots) {
      hits.push_back((slot - 1 + 2 * kRingDegree - m) % kRingDegree);
    }
    return hits;
  }

  void Learn(const std::vector<std::size_t>& hits) {
    for (const std::size_t c : asked_) {
      const bool hit = std::ranges::find(hits, c) != hits.end();
      if (!hit && state_[c] == kUnknown) {
        state_[c] = kNotMinusOne;
        continue;
      }
      guess_[c] = !hit ? 0 : state_[c] == kUnknown ? -1 : 1;
      state_[c] = kKnown;
      ++known_;
    }
  }

  // The B that makes r, with T = 0.
  static std::uint32_t Share(std::uint32_t r) { return (0 - (r << 17)) & kModulusMask; }

  OneBlock& block_;
  Search search_;
  std::array<std::uint8_t, kRingDegree> state_{};
  reference::Polynomial guess_ = reference::Polynomial(kRingDegree);
  std::vector<std::size_t> asked_;
  std::size_t known_ = 0;
  std::size_t released_hits_ = 0;
  std::size_t probes_ = 0;
};

class CraftedProbes : public ::testing::Test {
 protected:
  reference::Polynomial TrueSecret() const {
    return reference::Ternary(
        reference::ExpansionKey(testing::SampleIdentity(), block_.sealed.root.root.Expose(),
                                kRingDegree, block_.sealed.root.contents),
        2);
  }
  const std::vector<std::int8_t> entries_ = Faces(128, 1).Templates(kRingDegree);
  OneBlock block_{{.dimension = 128}, entries_};
};

// Documents the attack: it is why the budget is there.
TEST_F(CraftedProbes, WithoutABudgetGiveTheBlockSecretAndWithItTheTemplates) {
  KeyRecovery attack(block_);
  attack.Run(false);
  EXPECT_EQ(attack.guess(), TrueSecret());
  EXPECT_GT(attack.released_hits(), 600U);
  EXPECT_LT(attack.probes(), 500U);
  for (std::size_t j = 0; j < 128; ++j) {
    const auto mask =
        reference::Product(reference::PublicElement(testing::PublicSeed(), j + 1), attack.guess());
    const std::int64_t noisy =
        reference::Mod(block_.sealed.block.rows.At(700, j) - mask[700] + 4096 * 96);
    const std::int64_t delta = block_.profile.delta();
    ASSERT_EQ((noisy + delta / 2) / delta - 4096, entries_[700 * 128 + j]);
  }
}

TEST_F(CraftedProbes, RunIntoTheReleaseBudget) {
  KeyRecovery attack(block_);
  attack.Run(true);
  EXPECT_LE(attack.released_hits(), kReleaseBudget);
  EXPECT_LE(attack.known(), 40U);
  EXPECT_NE(attack.guess(), TrueSecret());
}

// A holder that adds T to its shares asks for "score >= 0" of every entry of an honest list: about
// half of them, enough to compute the probe from. The sketch tells it only that they are too many.
TEST_F(CraftedProbes, ShiftedChoicesOfTheHolderAreOverTheCap) {
  Search search(block_, {0, 0, 0, kRingDegree}, {}, kDefaultCap);
  Faces faces(128, 2);
  const std::uint32_t threshold = *block_.profile.Threshold(4000);
  for (int run = 0; run < 5; ++run) {
    const auto q = faces.Template();
    EXPECT_EQ(search.Run(q, 4000).outcome, HitOutcome::kNoHit);
    EXPECT_EQ(search.Run(q, 4000, threshold).outcome, HitOutcome::kOverCap);
  }
}

}  // namespace
}  // namespace comity::sealed
