// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_world.h"

namespace comity::watchlists {
namespace {

using comity::testing::FailsWith;
using comity::testing::IsOk;
using namespace testing;

constexpr std::size_t kEntries = 8;

// Overwrites, inserts or removes up to three octets somewhere.
void Corrupt(Bytes& file, std::mt19937& generator) {
  const auto changes = 1 + generator() % 3;
  for (std::uint64_t i = 0; i < changes; ++i) {
    const auto at = file.begin() + static_cast<std::ptrdiff_t>(generator() % file.size());
    const auto octet = static_cast<std::uint8_t>(generator());
    switch (generator() % 3) {
      case 0:
        *at = octet;
        break;
      case 1:
        file.insert(at, octet);
        break;
      default:
        file.erase(at);
    }
  }
}

TEST(CorruptImport, IsWholeOrLeavesNothing) {
  const std::random_device::result_type seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 generator(seed);
  ListWorld world;
  std::vector<nlohmann::json> entries;
  for (std::size_t i = 0; i < kEntries; ++i) entries.push_back(FullEntry("r" + std::to_string(i)));
  const Bytes good_lines = ToBytes(Lines(entries));
  const Bytes good_rows =
      NpyFile(NpyDictionary(kEntries, kDimension), Float32File(UnitRows(kEntries)));
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    Bytes lines = good_lines;
    Bytes rows = good_rows;
    Corrupt(round % 2 == 0 ? lines : rows, generator);
    const ParsedImport parsed = ParseImport(AsText(lines), rows, Options(TemplateFormat::kNpy));
    const std::string name = "list-" + std::to_string(round);
    ASSERT_THAT(world.Draft(Definition(name)), IsOk());
    const Status added = world.lists->Add(ListId(name), parsed, kOperator, "file");
    const ListCounts counts = world.StatusOf(ListId(name)).counts;
    if (parsed.ok()) {
      ASSERT_THAT(added, IsOk());
      ASSERT_EQ(counts.entries, parsed.entries.size());
    } else {
      ++refused;
      ASSERT_FALSE(parsed.faults.empty());
      ASSERT_TRUE(parsed.entries.empty());
      ASSERT_THAT(added, FailsWith(ErrorCode::kInvalidArgument));
      ASSERT_EQ(counts.entries, 0U);
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace comity::watchlists
