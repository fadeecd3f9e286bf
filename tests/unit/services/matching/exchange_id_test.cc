// SPDX-License-Identifier: Apache-2.0
#include "services/matching/exchange_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace comity::matching {
namespace {

class FixedRandom final : public RandomSource {
 public:
  explicit FixedRandom(std::string octets) : octets_(std::move(octets)) {}
  void Fill(std::span<std::uint8_t> out) override {
    std::copy_n(octets_.begin(), out.size(), out.begin());
  }

 private:
  std::string octets_;
};

// `printf 'comity exchange!' | base32 | tr A-Z a-z | tr -d =` and of 16 octets 0xff, 0x00.
TEST(ExchangeId, IsBase32InLowerCaseWithoutPadding) {
  FixedRandom text("comity exchange!");
  EXPECT_EQ(NewExchangeId(text), "mnxw22lupeqgk6ddnbqw4z3fee");
  FixedRandom ones(std::string(16, '\xff'));
  EXPECT_EQ(NewExchangeId(ones), "77777777777777777777777774");
  FixedRandom zeros(std::string(16, '\0'));
  EXPECT_EQ(NewExchangeId(zeros), "aaaaaaaaaaaaaaaaaaaaaaaaaa");
}

TEST(ExchangeId, IsNeverTheSameTwice) {
  SystemRandom random;
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = NewExchangeId(random);
    EXPECT_TRUE(IsExchangeId(id));
    EXPECT_TRUE(seen.insert(id).second);
  }
}

TEST(ExchangeId, RecognisesNothingElse) {
  for (const char* text :
       {"", "aaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Aaaaaaaaaaaaaaaaaaaaaaaaaa", "1aaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaa/1"}) {
    EXPECT_FALSE(IsExchangeId(text)) << text;
  }
}

TEST(ExchangeId, OfAProbeNamesSessionAndSequence) {
  EXPECT_EQ(ProbeExchangeId("abc", 17), "abc/17");
}

TEST(DeploymentIds, AreWellFormed) {
  SystemRandom random;
  const auto id = NewDeploymentId(random);
  EXPECT_TRUE(id.text().starts_with("d-"));
  EXPECT_TRUE(IsExchangeId(id.text().substr(2)));
}

}  // namespace
}  // namespace comity::matching
