// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/large_list.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "crypto/base/check.h"
#include "crypto/sealed/sealed_block.h"
#include "tests/bench/sealed_pair.h"
#include "tests/integration/live_acts.h"

namespace comity::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kImport = 50'000;  // entries at once: 40 MB of lines

// Unit vectors without any likeness; no copy of all is kept.
class Faces {
 public:
  explicit Faces(std::uint32_t dimension) : values_(dimension) {}
  const Template& Next() {
    double sum = 0;
    for (float& value : values_) {
      value = normal_(random_);
      sum += double{value} * double{value};
    }
    for (float& value : values_) value = static_cast<float>(double{value} / std::sqrt(sum));
    return values_;
  }

 private:
  std::mt19937_64 random_{1};
  std::normal_distribution<float> normal_;
  Template values_;
};

}  // namespace

void Stages::Begin(const std::string& name) {
  name_ = name;
  began_ = steady_clock::now();
  Tell("");
}

void Stages::Tell(const std::string& state) const {
  fmt::print(stderr, "\r\033[K{} ... {} {:.0f} s", name_, state, Elapsed());
}

double Stages::End() const {
  const double seconds = Elapsed();
  fmt::print(stderr, "\r\033[K{}: {:.1f} s\n", name_, seconds);
  return seconds;
}

double Stages::Elapsed() const {
  return std::chrono::duration<double>(steady_clock::now() - began_).count();
}

double OctetsIn(const std::filesystem::path& folder) {
  std::uintmax_t octets = 0;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator file(folder, error), end;
       !error && file != end; file.increment(error)) {
    std::error_code gone;
    const bool is_file = file->is_regular_file(gone);
    const std::uintmax_t size = is_file && !gone ? file->file_size(gone) : 0;
    if (!gone) octets += size;
  }
  return static_cast<double>(octets);
}

std::size_t SealedOctets(std::size_t entries, std::uint32_t dimension) {
  std::size_t octets = 0;
  for (std::size_t first = 0; first < entries; first += sealed::kRingDegree) {
    octets += sealed::EncodedBlockBytes(std::min(sealed::kRingDegree, entries - first), dimension);
  }
  return octets;
}

void ImportLantern(testing::TwoAgencies& agencies, std::size_t entries, std::uint32_t dimension,
                   const Stages& stages) {
  const testing::DefinitionText list = agencies.ListNamed("lantern");
  testing::LiveAgency& police = agencies.police();
  testing::DraftList(police, list);
  Faces faces(dimension);
  testing::EntryText text;
  text.now = list.starts_at + std::chrono::hours(1);
  text.category = list.categories.front();
  for (std::size_t first = 0; first < entries; first += kImport) {
    std::string lines, floats;
    for (std::size_t i = first; i < std::min(first + kImport, entries); ++i) {
      text.reference = fmt::format("ref-{}", i);
      lines += testing::EntryLine(text);
      const Template& face = faces.Next();
      floats.append(reinterpret_cast<const char*>(face.data()), face.size() * sizeof(float));
    }
    testing::AddEntries(police, list.reference, lines, floats);
    stages.Tell(fmt::format("{} of {}", std::min(first + kImport, entries), entries));
  }
}

void Launch(testing::GatewayProcess& gateway) {
  COMITY_CHECK(gateway.Begin());
  const auto end = steady_clock::now() + kPatience;
  while (!gateway.AwaitListening()) {  // it loads its copies first
    COMITY_CHECK(gateway.IsRunning() && steady_clock::now() < end);
  }
}

}  // namespace comity::bench
