// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "services/matching/hit_observer.h"
#include "services/oversight/holdings.h"
#include "services/watchlists/entry_change.h"

namespace comity::gateway {

// Passes what happens to own entries on to the partners that were told of them.
// Threads: thread-safe.
class EntryChanges final : public watchlists::EntryChangeSink {
 public:
  explicit EntryChanges(oversight::Holdings& holdings) : holdings_(holdings) {}

  Status OnChange(store::Transaction& transaction, audit::Recorder& recorder,
                  const watchlists::EntryChange& change) override;
  void OnDurable() override {}  // couriers look for themselves

  // What a search tells a partner of, remembered with the hit.
  Status Remember(store::Transaction& transaction, audit::Recorder& recorder,
                  const matching::ReleasedEntries& released);

 private:
  oversight::Holdings& holdings_;
};

}  // namespace comity::gateway
