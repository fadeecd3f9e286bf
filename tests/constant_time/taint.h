// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <span>
#include <type_traits>

#include "crypto/base/bytes.h"
#include "crypto/base/random.h"
#include "tests/unit/crypto/ot/seeded_random.h"

namespace comity::constant_time {

// Secrets as memcheck sees them: bits without a definite value. It follows them through every
// operation, and counts an error wherever a branch or an address depends on one. What it does not
// see: instructions whose own time depends on their operands (a division), and AVX-512.

bool UnderValgrind();
// Errors of this process until now, those under a suppression excepted.
std::uint64_t CountErrors();

void MarkSecretOctets(ByteView octets);
void MarkPublicOctets(ByteView octets);
// Whether any bit depends on a secret.
bool IsSecretOctets(ByteView octets);

template <typename Range>
ByteView OctetsOf(const Range& range) {
  static_assert(std::is_trivially_copyable_v<std::remove_cvref_t<decltype(*range.data())>>);
  return {reinterpret_cast<const std::uint8_t*>(range.data()),
          range.size() * sizeof(*range.data())};
}
template <typename Range>
void MarkSecret(const Range& range) {
  MarkSecretOctets(OctetsOf(range));
}
// For what leaves over the wire.
template <typename Range>
void MarkPublic(const Range& range) {
  MarkPublicOctets(OctetsOf(range));
}
template <typename Range>
bool IsSecret(const Range& range) {
  return IsSecretOctets(OctetsOf(range));
}

// Octets that a test can repeat, all of them secret.
class SecretRandom final : public RandomSource {
 public:
  explicit SecretRandom(std::uint64_t seed) : random_(seed) {}
  void Fill(std::span<std::uint8_t> out) override {
    random_.Fill(out);
    MarkSecret(out);
  }

 private:
  testing::SeededRandom random_;
};

// What a test does between its beginning and its end has no branch and no address that depends on a
// secret.
class ConstantTime : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(UnderValgrind()) << "without valgrind this test finds nothing";
    errors_before_ = CountErrors();
  }
  void TearDown() override { EXPECT_EQ(CountErrors(), errors_before_); }

 private:
  std::uint64_t errors_before_ = 0;
};

}  // namespace comity::constant_time
