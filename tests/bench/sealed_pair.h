// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/e2e/two_agencies.h"
#include "tests/support/delay_proxy.h"

namespace comity::bench {

using Template = testing::TwoAgencies::Template;

// Agencies with an agreement for sealed search. Answers leave `answer_after` after the tables; with
// a line, what goes between the two gateways goes over it.
struct SealedTerms {
  std::uint32_t dimension = 512;
  std::chrono::milliseconds answer_after{0};
  std::optional<testing::DelayProxy::Line> line;  // each way
};

class SealedPair {
 public:
  explicit SealedPair(const SealedTerms& terms);
  testing::TwoAgencies& agencies() { return *agencies_; }
  const testing::DelayProxy* line() const { return proxy_.get(); }  // null: none

 private:
  std::unique_ptr<testing::DelayProxy> proxy_;  // outlives the gateways
  std::unique_ptr<testing::TwoAgencies> agencies_;
};

// The engine's side of one open Watch stream. The program ends if anything else fails.
class SealedCamera {
 public:
  SealedCamera(const testing::EngineSettings& engine, const std::string& deployment);

  void Send(const Template& face);
  // The holder searched, and this many entries matched.
  void Receive(int alerts);
  void Ask(const Template& face, int alerts) {
    Send(face);
    Receive(alerts);
  }
  // Whether the holder searched; false: it did not in time, or not yet.
  bool TryAsk(const Template& face);
  // Asks until the holder has searched: its list must be sealed and fetched first.
  // In: waiting  called before each further try
  void AwaitSearched(const Template& face, const std::function<void()>& waiting);

 private:
  runtime::SystemClock clock_;
  std::unique_ptr<testing::EngineClient> engine_;
  std::uint64_t sequence_ = 0;
};

}  // namespace comity::bench
