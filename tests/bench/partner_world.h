// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "services/runtime/clock.h"
#include "tests/e2e/gateway_process.h"
#include "tests/integration/live_agency.h"

namespace comity::bench {

struct PartnerTerms {
  std::size_t holders = 20;
  std::size_t entries = 17'000;  // a holder
  std::uint32_t dimension = 512;
  bool sealed = false;
};

// A requester that searches the lists of several holders under one agreement each. They are set up
// in this process; from Run() on each gateway is a `comityd` of its own. No limit of the terms
// stops the search: 1,000,000 probes a day, a hit rate of 100 %, 1,000,000 repeated hits of an
// entry.
//
// Threads: thread-compatible.
class PartnerWorld {
 public:
  using Template = std::vector<float>;
  using Progress = std::function<bool(const std::string& step)>;  // false: give up

  explicit PartnerWorld(const PartnerTerms& terms);
  // Enrols, agrees, imports and deploys, then starts the processes. False: given up, or a process
  // did not start, which is told on standard error.
  [[nodiscard]] bool SetUp(const Progress& progress);
  // Ends the processes, each within ten seconds. False: one had to be killed or failed.
  [[nodiscard]] bool StopProcesses();

  testing::LiveAgency& agency(std::size_t i) { return *agencies_.at(i); }  // 0: the requester
  testing::GatewayProcess& process(std::size_t i) { return *processes_.at(i); }
  std::size_t size() const { return agencies_.size(); }
  const std::string& deployment() const { return deployment_; }
  // A unit template that is on no list, and one that is on the list of holder `i` (1...).
  Template Stranger();
  const Template& Enrolled(std::size_t i, std::size_t n) const {
    return enrolled_.at(i - 1).at(n % enrolled_.at(i - 1).size());
  }

 private:
  void Agree(std::size_t i);
  void Import(std::size_t i);
  void Deploy();
  bool StartProcesses(const Progress& progress);

  PartnerTerms terms_;
  runtime::SystemClock clock_;
  std::mt19937_64 random_{20261125};
  std::vector<std::unique_ptr<testing::LiveAgency>> agencies_;
  std::vector<std::unique_ptr<testing::GatewayProcess>> processes_;
  std::vector<std::vector<Template>> enrolled_;  // the first entries of each list
  std::string deployment_;
};

}  // namespace comity::bench
