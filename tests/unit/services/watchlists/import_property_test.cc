// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <random>

#include "services/watchlists/register.h"
#include "tests/support/agency_store.h"
#include "tests/support/result_matchers.h"
#include "tests/unit/services/watchlists/list_files.h"

namespace comity::watchlists {
namespace {

using comity::testing::AgencyStore;
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
  AgencyStore agency;
  auto lists = Register::Open({.store = agency.store(),
                               .journal = agency.journal(),
                               .kek = agency.kek(),
                               .random = agency.random,
                               .clock = agency.clock,
                               .own = agency.own})
                   .value();
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
    const auto id = policy::WatchlistId::Parse("list-" + std::to_string(round)).value();
    const Status imported = lists->Import(id, parsed, "officer");
    const auto status = lists->StatusOf(id, agency.clock.Now());
    if (parsed.ok()) {
      ASSERT_THAT(imported, IsOk());
      ASSERT_EQ(status->front().active + status->front().not_yet_valid, parsed.entries.size());
    } else {
      ++refused;
      ASSERT_FALSE(parsed.faults.empty());
      ASSERT_TRUE(parsed.entries.empty());
      ASSERT_THAT(imported, FailsWith(ErrorCode::kInvalidArgument));
      ASSERT_THAT(status, FailsWith(ErrorCode::kNotFound));
    }
  }
  EXPECT_GT(refused, 100);
}

}  // namespace
}  // namespace comity::watchlists
