// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "policy/decide/agreement_set.h"
#include "services/gateway/federation/sealed_scopes.h"
#include "services/matching/sealed_lists.h"
#include "services/runtime/clock.h"
#include "services/runtime/guarded.h"
#include "services/runtime/logging.h"
#include "services/watchlists/register.h"
#include "services/watchlists/sealed_publications.h"

namespace comity::gateway {

// Keeps this agency's sealed lists as its agreements and watchlists ask for them, and gives them to
// searches. One thread seals; a search that finds a block without release left has it sealed again
// at once, before everything else that waits.
//
// Threads: thread-safe. Withdrawn, Dropped and Shred not within a unit of work.
class SealedDesk final : public matching::SealedLists {
 public:
  struct Ports {  // all references must outlive the object
    policy::AgencyId self;
    watchlists::SealedPublications& publications;
    watchlists::Register& lists;
    std::function<std::shared_ptr<const policy::AgreementSet>()> agreements;
    const runtime::Clock& clock;
    runtime::Logger& logger;
    std::chrono::milliseconds tick{1000};  // how often it looks whether something is due
  };
  explicit SealedDesk(Ports ports);
  ~SealedDesk() override;

  // Something has changed: looks at everything soon.
  void Poke();
  // Entries were withdrawn from a list: their slots are tombstones on return, or, if that cannot be
  // stored, at the next look; they are no hits in any case.
  void Withdrawn(const policy::WatchlistId& list, std::span<const std::string> references);
  // A list was closed: its sealed copies are useless on return.
  void Dropped(const policy::WatchlistId& list);
  // A person destroys the keys of all sealed lists of a watchlist, whoever holds copies: returns
  // how many. Those that are still wanted are sealed anew, as new epochs under new keys, soon
  // after. Errors: those of SealedPublications::Shred
  Result<std::uint64_t> Shred(const policy::WatchlistId& list, std::string_view reason,
                              std::string_view by);
  // Nothing is sealed any more. Idempotent.
  void Halt();

  // Whether a list for these terms is wanted that is not in force yet, or not as it should be: a
  // block has no release left, or what is wanted is just being found out.
  bool IsPreparing(const policy::AgencyId& requester, const policy::AgreementRef& agreement,
                   const policy::PurposeCode& purpose) const;
  struct Counts {
    std::uint64_t in_force = 0;
    std::uint64_t waiting = 0;  // wanted, and not as they should be
  };
  Counts counts() const;
  watchlists::SealedPublications& publications() { return ports_.publications; }

  // matching::SealedLists
  std::vector<matching::SealedListInForce> InForce(const policy::AgencyId& requester,
                                                   const policy::AgreementRef& agreement,
                                                   const policy::PurposeCode& purpose,
                                                   policy::Instant now) const override;
  Result<matching::SealedListInForce> Find(const Digest& header, const policy::AgencyId& requester,
                                           policy::Instant now) const override;
  bool IsStale(const Digest& header) const override;
  Result<sealed::Release> Look(const Digest& header, std::uint64_t sequence) const override;
  Result<sealed::Release> Charge(store::Transaction& transaction,
                                 const matching::SealedCharge& charge) override;
  void Renew(const Digest& header) override;

 private:
  struct Asked {
    bool poked = true;
    bool stale = false;
    bool looking = false;  // somebody poked, and what is wanted now is not known yet
  };
  struct Due {
    policy::Instant at{};
    policy::Instant again{};  // after a failure: not sooner for a search
    bool waiting = true;
  };
  void Keep(const std::stop_token& stop);
  void Look(const std::stop_token& stop, const Asked& asked);
  bool IsSettled() const;
  // Destroys the keys of what is over; false if something of it failed.
  bool Sweep(const policy::AgreementSet& agreements, std::span<const watchlists::ListStatus> lists,
             policy::Instant now);
  // Keeps in mind what is wanted; returns which of it a search may wait for.
  std::set<watchlists::SealedScope> Expect(std::span<const WantedSealed> wanted,
                                           policy::Instant now);
  bool SealAgain(const WantedSealed& wanted, policy::Instant now);
  void Bring(const WantedSealed& wanted, policy::Instant now);
  void NoteFailure(const watchlists::SealedScope& scope, const Error& error, policy::Instant now);
  void Report(std::string_view what, const Error& error) const;

  const Ports ports_;
  // As of the last look; changed by the desk's thread only.
  runtime::Guarded<std::shared_ptr<const policy::AgreementSet>> seen_;
  policy::Instant sweep_at_{};  // the desk's thread's only
  runtime::Watched<Asked> asked_;
  runtime::Guarded<std::map<watchlists::SealedScope, Due>> due_;
  std::jthread thread_;
};

}  // namespace comity::gateway
