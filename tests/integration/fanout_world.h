// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "comity/v1/recognition.grpc.pb.h"
#include "services/runtime/clock.h"
#include "tests/integration/live_agency.h"

namespace comity::testing {

// One council and several holders, each with a live gateway on loopback, an agreement of its own
// with the council (fan-0, fan-1 ...) and a list of one face, `faces()[i]`.
//
// Threads: thread-compatible.
class FanoutWorld {
 public:
  static constexpr std::uint32_t kDimension = 128;
  // In: change  what the agreement with holder i says otherwise; may be null
  using Change = std::function<void(std::size_t holder, AgreementText& text)>;
  explicit FanoutWorld(std::size_t holders, const Change& change = nullptr);

  LiveAgency& council() { return council_; }
  LiveAgency& holder(std::size_t i) { return *holders_.at(i); }
  std::size_t size() const { return holders_.size(); }
  const std::vector<std::vector<float>>& faces() const { return faces_; }
  std::vector<float> Stranger();
  std::string AgreementId(std::size_t i) const { return "fan-" + std::to_string(i); }
  const runtime::SystemClock& clock() const { return clock_; }
  // Each holder in the mode in which its agreement lets it be searched.
  void SearchInAnyMode() { mode_ = v1::SEARCH_MODE_UNSPECIFIED; }

  // The holder's data protection officer suspends its agreement.
  void Suspend(std::size_t holder);

  // A deployment with all holders, started, whose lists they have validated. Returns its id.
  std::string Deploy();
  std::unique_ptr<EngineClient> Watch(const std::string& deployment);

  // A search for `face` at all holders, as an operator asks for it.
  v1::IdentifyRequest Request(const std::vector<float>& face) const;
  grpc::Status Identify(const v1::IdentifyRequest& request, v1::IdentifyResponse& response,
                        const std::string& person = "operator");
  // The same; the test's process ends if the gateway refuses the call.
  v1::IdentifyResponse Identify(const v1::IdentifyRequest& request);
  v1::OffersResponse Offers(const std::string& holder = {});

 private:
  void Agree(std::size_t holder, const Change& change);

  runtime::SystemClock clock_;
  std::mt19937_64 random_{20261125};
  LiveAgency council_{"eastvale-council"};
  std::vector<std::unique_ptr<LiveAgency>> holders_;
  std::vector<std::vector<float>> faces_;
  std::vector<policy::AgreementRef> refs_;
  v1::SearchMode mode_ = v1::SEARCH_MODE_DIRECT;
};

// The result of one holder. The test's process ends if there is none.
const v1::HolderResult& ResultOf(const v1::IdentifyResponse& response, const std::string& holder);

}  // namespace comity::testing
