// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "comity/v1/recognition.pb.h"
#include "crypto/base/result.h"
#include "policy/model/term_set.h"
#include "policy/model/terms.h"
#include "services/gateway/agency/deployment_holders.h"
#include "services/gateway/agency/identify_request.h"
#include "services/gateway/federation/link_ports.h"
#include "services/matching/search_order.h"

namespace comity::gateway {

// One search by a person: asks every holder beside the others, with a session and one probe each,
// and gathers what they say until the deadline.
//
// Threads: Run() by the handler's thread; the links have their own.
class IdentifySearch {
 public:
  // References must outlive the object.
  IdentifySearch(LinkPorts ports, const IdentifyAsked& asked,
                 policy::TermSet<policy::ReceiverRole> roles);

  // Errors: kInvalidArgument  more holders than one search may ask; those of the journal: nothing
  //         has left then
  Result<v1::IdentifyResponse> Run();

 private:
  struct Gathered;

  std::vector<AskedHolder> Candidates() const;
  // Of those that nobody named: the ones that may be asked now. None: all, so that each says why.
  std::vector<AskedHolder> Permitted(std::vector<AskedHolder> candidates) const;
  matching::RequesterTerms TermsFor(const AskedHolder& asked) const;
  Status RecordJustification(const std::vector<AskedHolder>& holders);
  Result<v1::IdentifyResponse> RefuseAll();
  v1::IdentifyResponse Ask(const std::vector<AskedHolder>& holders);
  std::uint32_t MillisecondsSinceStart() const;

  const LinkPorts ports_;
  const IdentifyAsked& asked_;
  const policy::TermSet<policy::ReceiverRole> roles_;
  const std::chrono::steady_clock::time_point start_;
  const std::string search_;
  std::shared_ptr<const matching::SearchOrder> order_;
};

}  // namespace comity::gateway
