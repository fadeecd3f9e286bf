// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/check.h"
#include "services/runtime/clock.h"
#include "tests/e2e/two_agencies.h"

namespace comity::bench {

// The engine's side of one open Watch stream of direct searches.
//
// Threads: one may send while another receives.
class DirectCamera {
 public:
  using Template = testing::TwoAgencies::Template;

  DirectCamera(testing::TwoAgencies& agencies, const std::string& deployment)
      : engine_(testing::EngineClient::Open(agencies.council().engine(), deployment, clock_)) {
    COMITY_CHECK(engine_.has_value());
  }
  void Send(const Template& face) {
    ++sequence_;
    COMITY_CHECK((*engine_)->Send({sequence_, fmt::format("c-{}", sequence_), "camera-1", face}));
  }
  // In: alerts  as many as the answer must have
  void Receive(int alerts) {
    const auto answer = (*engine_)->Receive();
    COMITY_CHECK(answer.has_value() && answer->has_answered());
    COMITY_CHECK(answer->answered().alerts_size() == alerts);
  }

 private:
  runtime::SystemClock clock_;
  Result<std::unique_ptr<testing::EngineClient>> engine_;
  std::uint64_t sequence_ = 0;
};

// Two gateways, a list of synthetic templates at one, a deployment and a camera at the other.
//
// Threads: as DirectCamera.
class DirectPair {
 public:
  using Template = DirectCamera::Template;

  DirectPair(std::uint32_t dimension, std::size_t entries) : agencies_(dimension) {
    agencies_.ImportEntries(entries);
    camera_.emplace(agencies_, agencies_.CreateDeployment());
  }
  DirectCamera& camera() { return *camera_; }
  const Template& stranger() const { return stranger_; }
  const std::vector<Template>& entries() const { return agencies_.entries(); }
  // A face that hits, another one each time until all have been.
  const Template& NextListed() { return entries()[listed_++ % entries().size()]; }

 private:
  testing::TwoAgencies agencies_;
  std::optional<DirectCamera> camera_;
  const Template stranger_ = agencies_.Stranger();
  std::size_t listed_ = 0;
};

}  // namespace comity::bench
