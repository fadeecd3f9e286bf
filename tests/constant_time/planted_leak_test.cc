// SPDX-License-Identifier: Apache-2.0
// What the checks of this folder must find: each operation as somebody would write it who does not
// think of time. Without these a check that sees nothing would look like code that shows nothing.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

#include "crypto/base/secret.h"
#include "crypto/ot/block.h"
#include "tests/constant_time/taint.h"

namespace comity::constant_time {
namespace {

// A statement that the compiler neither removes nor turns into a conditional move.
template <typename T>
void Touch(T& value) {
  asm volatile("" : "+m"(value) : : "memory");
}
// An access that neither it nor valgrind removes.
template <typename T>
void Read(const T& value) {
  T copy = *static_cast<const volatile T*>(&value);
  Touch(copy);
}

class PlantedLeak : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(UnderValgrind()) << "without valgrind this test finds nothing";
    errors_before_ = CountErrors();
  }
  void TearDown() override { EXPECT_GT(CountErrors(), errors_before_) << "the leak was missed"; }

  template <typename T>
  std::vector<T> Secrets(std::size_t count) {
    std::vector<T> values(count);
    random_.Fill({reinterpret_cast<std::uint8_t*>(values.data()), count * sizeof(T)});
    return values;
  }

 private:
  std::uint64_t errors_before_ = 0;
  SecretRandom random_{1};
};

TEST_F(PlantedLeak, QuantiserThatClampsWithABranch) {
  for (std::int32_t value : Secrets<std::int32_t>(8)) {
    if (value > 127) {
      Touch(value);
      value = 127;
    }
    Touch(value);
  }
}

TEST_F(PlantedLeak, RingProductThatLeavesOutZeros) {
  std::uint32_t sum = 0;
  for (const std::int8_t digit : Secrets<std::int8_t>(8)) {
    if (digit % 3 == 0) continue;
    sum += static_cast<std::uint32_t>(digit);
    Touch(sum);
  }
}

TEST_F(PlantedLeak, ScoreThatAsksForTheSignOfTheProbe) {
  std::uint32_t sum = 0;
  for (const std::int8_t q : Secrets<std::int8_t>(8)) {
    if (q < 0) {
      sum -= 1;
      Touch(sum);
    }
  }
}

TEST_F(PlantedLeak, TableFoundByTheScore) {
  std::array<std::uint64_t, 64> tables{};
  for (const std::uint32_t score : Secrets<std::uint32_t>(8)) {
    Read(tables[score >> 17 & 63]);
  }
}

TEST_F(PlantedLeak, BitFoundByTheChoiceInAnArray) {
  std::array<std::uint8_t, 64> bits{};
  for (const std::uint8_t choice : Secrets<std::uint8_t>(8)) {
    Read(bits[choice & 63]);
  }
}

TEST_F(PlantedLeak, SketchThatFoldsOnlyOnes) {
  std::uint64_t sum = 0;
  for (const std::uint8_t bit : Secrets<std::uint8_t>(8)) {
    if ((bit & 1) != 0) {
      sum ^= 0x12345;
      Touch(sum);
    }
  }
}

TEST_F(PlantedLeak, BaseTransferThatSwapsByItsChoice) {
  std::array<std::uint8_t, 64> points{};
  for (const std::uint8_t choice : Secrets<std::uint8_t>(2)) {
    Read(points[32 * (choice & 1U)]);
  }
}

TEST_F(PlantedLeak, TreeThatStepsOverItsMissingLeaf) {
  const std::uint8_t missing = Secrets<std::uint8_t>(1)[0] & 15;
  ot::Block sum;
  for (std::uint8_t leaf = 0; leaf < 16; ++leaf) {
    if (leaf == missing) continue;
    Touch(sum);
  }
}

TEST_F(PlantedLeak, CorrectionThatIsAddedWhereABitOfDeltaIsSet) {
  const std::uint64_t delta = Secrets<std::uint64_t>(1)[0];
  ot::Block column;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((delta >> bit & 1) != 0) Touch(column);
  }
}

TEST_F(PlantedLeak, CipherWithATableOfOctets) {
  std::array<std::uint8_t, 256> box{};
  for (const std::uint8_t octet : Secrets<std::uint8_t>(16)) {
    Read(box[octet]);
  }
}

TEST_F(PlantedLeak, ComparisonThatStopsAtTheFirstDifference) {
  const auto left = Secrets<std::uint8_t>(32);
  const std::vector<std::uint8_t> right(32);
  std::size_t at = 0;
  while (at < left.size() && left[at] == right[at]) ++at;
  Touch(at);
}

TEST_F(PlantedLeak, BitThatWasMadePublicElsewhere) {
  std::uint8_t octet = Secrets<std::uint8_t>(1)[0];
  std::uint64_t count = 0;
  if (Declassify((octet & 1) != 0)) Touch(count);  // this bit is public, its octet is not
  if ((octet & 2) != 0) Touch(count);
}

// Not a leak: the one way for a secret to choose a branch.
TEST_F(ConstantTime, ADeclassifiedBitMayChoose) {
  SecretRandom random(1);
  std::uint8_t octet = 0;
  random.Fill({&octet, 1});
  std::uint64_t count = 0;
  if (Declassify((octet & 1) != 0)) Touch(count);
}

}  // namespace
}  // namespace comity::constant_time
