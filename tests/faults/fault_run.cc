// SPDX-License-Identifier: Apache-2.0
#include "tests/faults/fault_run.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>

#include "crypto/base/check.h"
#include "tests/support/unsynced_pages.h"

namespace comity::testing {
namespace {

constexpr std::array<std::string_view, 8> kNames = {
    "no fault", "ENOSPC", "EDQUOT", "EIO", "EROFS", "short write", "torn write", "lost sync"};

FaultPlan* MakePlan(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  COMITY_CHECK(fd >= 0 && ::ftruncate(fd, sizeof(FaultPlan)) == 0);
  void* mapped = ::mmap(nullptr, sizeof(FaultPlan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  COMITY_CHECK(mapped != MAP_FAILED);
  return static_cast<FaultPlan*>(mapped);
}

std::uint64_t NumberOf(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

}  // namespace

std::string Describe(const Strike& strike) {
  return std::string(kNames.at(static_cast<std::size_t>(strike.fault))) + " at call " +
         std::to_string(strike.at) + (strike.lasts ? " and all later ones" : "");
}

FaultRun::FaultRun(const std::filesystem::path& folder, const std::filesystem::path& plan,
                   const Strike& strike)
    : file_(plan), plan_(MakePlan(plan)) {
  std::snprintf(plan_->folder, sizeof plan_->folder, "%s", folder.c_str());
  std::snprintf(plan_->record, sizeof plan_->record, "%s.record", plan.c_str());
  plan_->at = strike.at;
  plan_->fault = strike.fault;
  plan_->lasts = strike.lasts ? 1 : 0;
}

FaultRun::~FaultRun() {
  ::munmap(plan_, sizeof(FaultPlan));
}

std::vector<std::string> FaultRun::Before(const std::string& preload) const {
  std::vector<std::string> words = {"env", std::string(kFaultVariable) + "=" + file_.string()};
  if (!preload.empty()) words.push_back("LD_PRELOAD=" + preload);
  return words;
}

Result<CommandOutput> FaultRun::Run(const std::vector<std::string>& command,
                                    const std::string& preload) {
  std::vector<std::string> words = Before(preload);
  words.insert(words.end(), command.begin(), command.end());
  return RunCommand(words);
}

void FaultRun::CutPower() const {
  UnsyncedPages pages;
  pages.Load(plan_->record);
  pages.CutPower();
}

std::vector<std::uint64_t> PickCalls(std::uint64_t calls, std::uint64_t usual) {
  const std::uint64_t wanted = NumberOf("COMITY_FAULT_RUNS", usual);
  if (calls == 0) return {};
  const std::uint64_t seed = NumberOf("COMITY_CRASH_SEED", std::random_device()());
  const std::uint64_t step = wanted == 0 || wanted >= calls ? 1 : calls / wanted;
  std::printf("COMITY_CRASH_SEED=%llu, every %llu of %llu calls\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(step),
              static_cast<unsigned long long>(calls));
  std::vector<std::uint64_t> picked;
  for (std::uint64_t at = 1 + seed % step; at <= calls; at += step) picked.push_back(at);
  return picked;
}

}  // namespace comity::testing
