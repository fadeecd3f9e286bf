// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/identity/notices.h"
#include "services/oversight/outbox.h"
#include "services/oversight/partner_content.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::oversight {

// What one agency's people tell a partner's: outages, suspensions, alarms (SM-13).
//
// Threads: thread-safe.
class PartnerNotices {
 public:
  struct Setup {
    Outbox& outbox;
    identity::Notices& notices;
    const runtime::Clock& clock;
  };
  explicit PartnerNotices(Setup setup) : setup_(setup) {}

  // Within the unit of work that causes it.
  // In:     kind   of peer_notice
  //         words  1..2000 octets of visible text, no person's name
  // Errors: kInvalidArgument  another kind or text
  Status Tell(store::Transaction& transaction, audit::Recorder& recorder,
              const policy::AgencyId& peer, std::string_view kind, std::string_view words) const;
  // A partner's notice becomes one for the people whom it concerns; within the unit of work that
  // takes the message. Announce it once that is durable.
  Status Show(store::Transaction& transaction, audit::Recorder& recorder,
              const policy::AgencyId& sender, const PeerNotice& notice) const;

 private:
  Setup setup_;
};

}  // namespace comity::oversight
