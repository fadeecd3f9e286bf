// SPDX-License-Identifier: Apache-2.0
// Times the life of a large list: watchlist_bench ENTRIES DIMENSION.
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <string_view>

#include "crypto/base/check.h"
#include "services/watchlists/register.h"
#include "tests/unit/services/watchlists/list_world.h"

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

void Run(std::size_t rows, std::uint32_t dimension) {
  auto text = watchlists::testing::Definition("bench");
  text.dimension = dimension;
  const ListDefinition definition = watchlists::testing::Parsed(text);
  std::string lines;
  for (std::size_t i = 0; i < rows; ++i) {
    lines += watchlists::testing::FullEntry("ref-" + std::to_string(i)).dump() + "\n";
  }
  const Bytes templates =
      watchlists::testing::Float32File(watchlists::testing::UnitRows(rows, dimension));
  ImportOptions options = watchlists::testing::Options();
  options.engine = definition.engine;
  const auto list = watchlists::testing::ListId("bench");
  std::printf("%zu entries x %u, %zu octets of JSON Lines\n", rows, dimension, lines.size());

  Stopwatch watch;
  watchlists::testing::ListWorld world;
  watch.Lap("open, empty store");
  COMITY_CHECK(world.Draft(text).has_value());
  const ParsedImport parsed = ParseImport(lines, templates, options);
  COMITY_CHECK(parsed.ok());
  watch.Lap("draft, parse and check");
  COMITY_CHECK(world.lists->Add(list, parsed, watchlists::testing::kOperator, "file").has_value());
  watch.Lap("seal and store (durable)");
  COMITY_CHECK(world.Approve(list).has_value());
  watch.Lap("check and approve");
  world.Restart();
  watch.Lap("reopen store, log, register");
  std::size_t visited = 0;
  const auto count = [&](const ActiveEntry&) -> Status {
    ++visited;
    return {};
  };
  COMITY_CHECK(world.lists->VisitActive(list, count).has_value() && visited == rows);
  watch.Lap("decrypt and visit all");
  world.agency.clock.Advance(std::chrono::hours(1));
  COMITY_CHECK(world.lists->Close(list, "over", "bench").has_value());
  watch.Lap("close and sign the manifest");
  world.agency.clock.Advance(std::chrono::hours(24));
  COMITY_CHECK(world.lists->DeleteDue(world.agency.clock.Now()).has_value());
  watch.Lap("delete");
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
