// SPDX-License-Identifier: Apache-2.0
#include "crypto/base/secret.h"

#include <gtest/gtest.h>

#include <utility>

#include "crypto/base/random.h"

namespace comity {
namespace {

TEST(SecretBytes, MovesAndLeavesNothingBehind) {
  const Bytes octets = {1, 2, 3};
  SecretBytes first = SecretBytes::CopyOf(octets);
  SecretBytes second = std::move(first);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is what is tested
  EXPECT_TRUE(ConstantTimeEqual(second.Expose(), octets));
  first = std::move(second);
  EXPECT_EQ(first.size(), 3U);
  EXPECT_TRUE(second.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(SecretBytes, WipeSetsEveryOctetToZero) {
  Bytes octets = {1, 2, 3};
  Wipe(octets);
  EXPECT_EQ(octets, Bytes({0, 0, 0}));
}

TEST(ConstantTimeEqual, ComparesContentAndLength) {
  const Bytes octets = {1, 2, 3};
  EXPECT_TRUE(ConstantTimeEqual(octets, Bytes({1, 2, 3})));
  EXPECT_TRUE(ConstantTimeEqual({}, {}));
  EXPECT_FALSE(ConstantTimeEqual(octets, Bytes({1, 2, 4})));
  EXPECT_FALSE(ConstantTimeEqual(octets, Bytes({1, 2})));
}

TEST(SystemRandom, FillsWithOctetsThatDiffer) {
  SystemRandom random;
  Bytes first(32);
  Bytes second(32);
  random.Fill(first);
  random.Fill(second);
  EXPECT_NE(first, second);
}

}  // namespace
}  // namespace comity
