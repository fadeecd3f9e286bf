// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/result.h"
#include "services/gateway/wire/signed_message.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::gateway {

// Refuses an exchange id that a peer has used within the window in which its message could still be
// accepted. Remembered durably, so that a restart opens no gap.
//
// Threads: thread-safe.
class ReplayGuard {
 public:
  // References must outlive the object.
  ReplayGuard(store::Store& store, const runtime::Clock& clock) : store_(store), clock_(clock) {}

  // Errors: kConflict  seen before; those of the store, then the message must be refused too
  Status Admit(const policy::AgencyId& sender, std::string_view exchange_id) {
    const runtime::Instant now = clock_.Now();
    return store_.Write([&](store::Transaction& transaction) -> Status {
      COMITY_RETURN_IF_ERROR(transaction.replays().Forget(now));
      return transaction.replays().Remember(sender, exchange_id, now + kReplayWindow);
    });
  }

 private:
  store::Store& store_;
  const runtime::Clock& clock_;
};

}  // namespace comity::gateway
