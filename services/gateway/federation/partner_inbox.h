// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "comity/v1/federation.pb.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/gateway/federation/partner_message.h"
#include "services/gateway/wire/callers.h"
#include "services/runtime/clock.h"

namespace comity::gateway {

// Takes messages of partners, each once: effect, receipt and log entry are one unit of work, and a
// repeat is answered with the receipt of the first time.
//
// Threads: thread-safe.
class PartnerInbox {
 public:
  struct Ports {
    policy::AgencyId self;
    audit::Journal& journal;
    const sign::SigningKey& agency_key;  // signs the receipts
    const PartnerMessageHandlers& handlers;
    RefusalRecord& refusals;
    const runtime::Clock& clock;
  };
  // All references must outlive the object.
  explicit PartnerInbox(Ports ports) : ports_(std::move(ports)) {}

  // In:     message  verified as the sender's; its values are not
  // Errors: kInvalidArgument  id, kind or content is outside its bounds, or not canonical JSON
  //         kExhausted        the sender has used up its budget of this kind (inbox_budget.h)
  //         those of store, log and handler: nothing happened, the sender tries again
  Result<v1::PartnerReceipt> Take(const policy::AgencyId& sender,
                                  const v1::PartnerMessage& message);

 private:
  struct Taking {
    std::string receipt;
    std::function<void()> after;
    std::string_view refused;  // set with an error that is final
    bool known_kind = false;   // it has a handler here
    bool over_budget = false;
  };
  Status TakeOnce(store::Transaction& transaction, audit::Recorder& recorder,
                  const policy::AgencyId& sender, const v1::PartnerMessage& message,
                  Taking& taking) const;

  Ports ports_;
};

}  // namespace comity::gateway
