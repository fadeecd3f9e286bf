// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "comity/v1/exchange.pb.h"
#include "comity/v1/types.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/casework/alerts.h"
#include "services/casework/hit_opening.h"
#include "services/gateway/federation/search_link.h"
#include "services/matching/requester_session.h"
#include "services/runtime/logging.h"

namespace comity::gateway {

// What a holder answered to one probe, whatever the mode; verified, not yet believed.
struct HolderAnswer {
  const google::protobuf::RepeatedPtrField<v1::Hit>& hits;
  const google::protobuf::Timestamp& sent_at;
  std::uint64_t entries = 0;
  policy::Decision decision;
  Digest digest;         // of the signed message
  std::string exchange;  // of its session
  // What opens the probe, if it was sealed.
  std::shared_ptr<const casework::HitOpening> opening{};
  std::map<std::string, Digest> messages{};  // then: what the log gets of it: BlindedMessages
};

// Turns what one holder reports into alerts.
//
// Threads: thread-safe.
class LinkHits {
 public:
  struct Ports {
    const matching::RequesterPorts& search;
    casework::AlertDesk& alerts;
    runtime::Logger& logger;
  };
  // References must outlive the object.
  LinkHits(Ports ports, policy::AgencyId holder, std::shared_ptr<const matching::SearchOrder> order)
      : ports_(ports), holder_(std::move(holder)), order_(std::move(order)) {}

  // What the agreement lets through of an answer, as reports.
  // In:     probe  as it was sent: its permit bounds what may come back
  // Errors: kInvalidArgument  what the holder released is not what was asked for
  Result<std::vector<casework::HitReport>> ReportsOf(const HolderAnswer& answer,
                                                     const matching::PendingProbe& probe) const;

  struct Stopped {};  // nobody is to be told anything
  using Outcome = std::variant<std::vector<casework::Raised>, policy::Decision, Stopped>;
  // Makes alerts of them, durable on return; a denial when the search is halted meanwhile or they
  // cannot be stored.
  Outcome Raise(const std::vector<casework::HitReport>& reports, const policy::Decision& permit,
                const LinkAsker& asker) const;

 private:
  // The denial of a search that was permitted and is halted by now.
  std::optional<policy::Decision> HaltedNow(const policy::Decision& permit) const;

  const Ports ports_;
  const policy::AgencyId holder_;
  const std::shared_ptr<const matching::SearchOrder> order_;
};

}  // namespace comity::gateway
