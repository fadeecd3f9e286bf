// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <utility>

#include "comity/v1/federation.pb.h"
#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/matching/galleries.h"
#include "services/matching/holder_session.h"
#include "services/matching/list_validations.h"
#include "services/watchlists/register.h"

namespace comity::gateway {

// The holder's part in the activation of a deployment (WL-5): every entry that it would search is
// looked at again. That writes to the store and the log for each list, so lists that were looked at
// less than five minutes ago (half of what the permission lets them be old, if that is shorter) are
// reported and not looked at once more, whichever partner asks.
//
// Threads: thread-safe.
class ListValidator {
 public:
  struct Ports {
    policy::AgencyId self;
    watchlists::Register& lists;
    const matching::HolderPorts& search;
  };
  // References must outlive the object.
  explicit ListValidator(Ports ports) : ports_(std::move(ports)) {}

  static constexpr std::chrono::seconds kRest{300};

  // Counts what probes of the deployment would meet: lists, categories and kinds of people that the
  // permission opens, nothing else.
  // Errors: kInvalidArgument  a bound is broken, or the deployment starts more than a day from now
  //         those of the journal
  Result<v1::ValidateListsReply> Validate(const v1::ValidateListsRequest& request,
                                          const policy::AgencyId& requester);
  // Logs what was asked and answered; before the answer leaves.
  Status Record(const v1::ValidateListsRequest& request, const v1::ValidateListsReply& reply,
                const policy::AgencyId& requester, std::map<std::string, Digest> messages) const;

 private:
  using Key = std::pair<policy::AgreementId, policy::PurposeCode>;  // both bounded by agreements

  Result<watchlists::Validation> LookAgain(const matching::SearchScope& scope, policy::Instant now);

  const Ports ports_;
  std::mutex mutex_;  // guards last_, also while lists are looked at
  std::map<Key, watchlists::Validation> last_;
};

// What a holder's answer says, without the digests of the messages.
// Errors: kInvalidArgument  more categories than a search names, or no time
Result<matching::HolderValidation> FromProto(const v1::ValidateListsReply& reply);

}  // namespace comity::gateway
