// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/oversight/outbox.h"
#include "services/oversight/partner_content.h"
#include "services/oversight/receipt.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/store/holding_store.h"
#include "services/store/outbox_store.h"
#include "services/store/store.h"

namespace comity::oversight {

// An agreement that has ended, as both sides know it.
struct EndedAgreement {
  policy::AgreementId id;
  std::uint32_t version = 0;
  std::vector<policy::AgencyId> parties;
};

// What was erased within a unit of work; `after` runs once it is durable (may be null).
struct Erased {
  std::uint64_t records = 0;
  std::function<void()> after;
};

// One party's deletion as people see it.
struct DeletionView {
  store::DeletionRecord deletion;
  std::string refused;  // the code of the partner's refusal
  std::string receipt;  // DSSE JSON by the partner; empty until it answered, and for ourselves
};

// When an agreement ends, what was got under it is deleted: here at once, and at each other party
// by an order that it answers with a signed receipt (AG-10).
//
// Threads: thread-safe.
class Deletions {
 public:
  static constexpr std::chrono::hours kDeadline{48};

  // Erases what this agency holds of `holder` (absent: of anyone) under the agreement, up to the
  // version.
  using Erase = std::function<Result<Erased>(store::Transaction&, audit::Recorder&,
                                             const policy::AgreementId&, std::uint32_t version,
                                             const std::optional<policy::AgencyId>& holder)>;
  struct Setup {
    policy::AgencyId own;
    const store::Store& store;
    audit::Journal& journal;
    Outbox& outbox;
    Erase erase;
    const runtime::Clock& clock;
  };
  explicit Deletions(Setup setup) : setup_(std::move(setup)) {}

  // Starts what has not been started: orders to the other parties, own erasure. Each version once,
  // also across restarts. Returns how many versions were started.
  Result<std::uint64_t> Start(std::span<const EndedAgreement> ended);

  // A partner orders us to erase what is its own. Within the unit of work that takes the message.
  Result<Erased> Obey(store::Transaction& transaction, audit::Recorder& recorder,
                      const policy::AgencyId& sender, const DeletionOrder& order) const;
  // A partner's receipt for an order of ours, verified. Within the unit of work that keeps it.
  Status Finish(store::Transaction& transaction, audit::Recorder& recorder,
                const store::OutboxRecord& order, const Receipt& receipt) const;

  // In the order of starting; `agreement` absent: all.
  Result<std::vector<DeletionView>> List(const std::optional<policy::AgreementId>& agreement) const;

 private:
  Result<Erased> StartOne(store::Transaction& transaction, audit::Recorder& recorder,
                          const EndedAgreement& ended) const;

  using Versions = std::set<std::pair<policy::AgreementId, std::uint32_t>>;
  // Of those that the store has, once it was read.
  Result<Versions> Started() const;

  Setup setup_;
  runtime::Guarded<Versions> started_;  // at least these
};

}  // namespace comity::oversight
