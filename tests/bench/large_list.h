// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "tests/e2e/gateway_process.h"
#include "tests/e2e/two_agencies.h"

// What the benchmarks of one large sealed list have in common.
namespace comity::bench {

inline constexpr std::chrono::minutes kPatience{60};

// The stages of a benchmark, told on standard error.
class Stages {
 public:
  void Begin(const std::string& name);
  void Tell(const std::string& state) const;
  double End() const;  // returns the seconds since Begin
  double Elapsed() const;

 private:
  std::string name_;
  std::chrono::steady_clock::time_point began_;
};

// Octets of all files in and under the folder, as far as they can be seen.
double OctetsIn(const std::filesystem::path& folder);
// Of the list when it is sealed.
std::size_t SealedOctets(std::size_t entries, std::uint32_t dimension);
// The police draft the list "lantern" and give it so many entries, in several imports.
void ImportLantern(testing::TwoAgencies& agencies, std::size_t entries, std::uint32_t dimension,
                   const Stages& stages);
// Starts it and waits until it listens: it loads its lists first.
void Launch(testing::GatewayProcess& gateway);

}  // namespace comity::bench
