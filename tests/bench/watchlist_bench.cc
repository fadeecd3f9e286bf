// SPDX-License-Identifier: Apache-2.0
// Times one import of a large list and the start after it: watchlist_bench ENTRIES DIMENSION.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "crypto/base/check.h"
#include "services/watchlists/register.h"
#include "tests/support/agency_store.h"
#include "tests/unit/services/watchlists/list_files.h"

namespace {

using namespace comity;
using namespace comity::watchlists;

// Wall and processor time (of all threads): on a busy machine only the second says much.
class Stopwatch {
 public:
  void Lap(const char* what) {
    const auto wall = std::chrono::steady_clock::now() - wall_;
    const auto processor = static_cast<double>(std::clock() - processor_) / CLOCKS_PER_SEC;
    std::printf("%-26s %8.3f s wall %8.3f s processor\n", what,
                std::chrono::duration<double>(wall).count(), processor);
    wall_ = std::chrono::steady_clock::now();
    processor_ = std::clock();
  }

 private:
  std::chrono::steady_clock::time_point wall_ = std::chrono::steady_clock::now();
  std::clock_t processor_ = std::clock();
};

std::unique_ptr<Register> Open(comity::testing::AgencyStore& agency) {
  auto opened = Register::Open({.store = agency.store(),
                                .journal = agency.journal(),
                                .kek = agency.kek(),
                                .random = agency.random,
                                .clock = agency.clock,
                                .own = agency.own});
  COMITY_CHECK(opened.has_value());
  return std::move(opened).value();
}

void Run(std::size_t rows, std::uint32_t dimension) {
  std::string lines;
  for (std::size_t i = 0; i < rows; ++i) {
    lines += watchlists::testing::FullEntry("ref-" + std::to_string(i)).dump() + "\n";
  }
  const Bytes templates =
      watchlists::testing::Float32File(watchlists::testing::UnitRows(rows, dimension));
  ImportOptions options = watchlists::testing::Options();
  options.engine.dimension = dimension;
  const auto list = policy::WatchlistId::Parse("bench").value();
  comity::testing::AgencyStore agency;
  std::printf("%zu entries x %u, %zu octets of JSON Lines\n", rows, dimension, lines.size());

  Stopwatch watch;
  auto lists = Open(agency);
  watch.Lap("open, empty store");
  const ParsedImport parsed = ParseImport(lines, templates, options);
  COMITY_CHECK(parsed.ok());
  watch.Lap("parse and check");
  COMITY_CHECK(lists->Import(list, parsed, "bench").has_value());
  watch.Lap("seal and store (durable)");
  lists.reset();
  agency.Reopen();
  watch.Lap("reopen store and log");
  lists = Open(agency);
  watch.Lap("open register");
  std::size_t visited = 0;
  const auto count = [&](const ActiveEntry&) -> Status {
    ++visited;
    return {};
  };
  COMITY_CHECK(lists->VisitActive(list, count).has_value() && visited == rows);
  watch.Lap("decrypt and visit all");
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t rows = 0;
  std::uint32_t dimension = 0;
  const auto number = [](std::string_view text, auto& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && value > 0;
  };
  if (argc != 3 || !number(argv[1], rows) || !number(argv[2], dimension)) {
    std::fprintf(stderr, "usage: %s ENTRIES DIMENSION\n", argv[0]);
    return 2;
  }
  Run(rows, dimension);
  return 0;
}
