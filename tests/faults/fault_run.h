// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/faulty_io.h"
#include "tests/support/process.h"

namespace comity::testing {

// One fault and where it strikes.
struct Strike {
  Fault fault = Fault::kNone;
  std::uint64_t at = 0;
  bool lasts = false;
};
std::string Describe(const Strike& strike);

// Runs victims whose disk fails as a plan says. Threads: thread-compatible.
class FaultRun {
 public:
  // In: folder  whose files may fail; record  a file outside it
  FaultRun(const std::filesystem::path& folder, const std::filesystem::path& plan,
           const Strike& strike);
  ~FaultRun();
  FaultRun(const FaultRun&) = delete;
  FaultRun& operator=(const FaultRun&) = delete;

  // Words to start a victim with. In: preload  as below
  std::vector<std::string> Before(const std::string& preload) const;
  // In: preload  a shared object, or empty if the victim has faulty_io.cc linked in
  Result<CommandOutput> Run(const std::vector<std::string>& command,
                            const std::string& preload = {});
  FaultPlan& plan() { return *plan_; }
  // Takes back what victims wrote and no sync brought to the disk.
  void CutPower() const;

 private:
  const std::filesystem::path file_;
  FaultPlan* plan_;
};

// Which calls of 1..`calls` are tried: all, or as many as COMITY_FAULT_RUNS says (`usual`; 0: all),
// spread evenly from a random first one, whose seed is printed; COMITY_CRASH_SEED repeats it.
std::vector<std::uint64_t> PickCalls(std::uint64_t calls, std::uint64_t usual);

}  // namespace comity::testing
