// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "services/matching/sealed_holder_session.h"
#include "tests/unit/crypto/sealed/sample_list.h"
#include "tests/unit/services/matching/holder_world.h"

namespace comity::matching::testing {

// Sealed lists in memory, with the release budget in force; slot n has the entry r(n-1).
class ListsInMemory final : public SealedLists {
 public:
  struct Listed {
    policy::AgencyId requester;
    SealedListInForce list;
    std::vector<std::uint32_t> released;  // by block
    bool superseded = false;
    std::uint64_t resealed = 0;  // sequence of the state in which it was last sealed again
  };
  void Put(const policy::AgencyId& requester, const policy::WatchlistId& watchlist,
           const sealed::testing::SampleList& sample);
  void Supersede(const Digest& header) { lists_.at(header).superseded = true; }
  // From the next state on under fresh secrets.
  void Reseal(const Digest& header);
  void Shred(const Digest& header) { lists_.erase(header); }
  // The time of every list is over then.
  void EndAt(policy::Instant at) { over_at_ = at; }

  std::vector<SealedListInForce> InForce(const policy::AgencyId& requester,
                                         const policy::AgreementRef& agreement,
                                         const policy::PurposeCode& purpose,
                                         policy::Instant now) const override;
  Result<SealedListInForce> Find(const Digest& header, const policy::AgencyId& requester,
                                 policy::Instant now) const override;
  bool IsStale(const Digest& header) const override;
  Result<sealed::Release> Look(const Digest& header, std::uint64_t sequence) const override;
  Result<sealed::Release> Charge(store::Transaction& transaction,
                                 const SealedCharge& charge) override;
  void Renew(const Digest& header) override { renewed.push_back(header); }

  std::vector<Digest> renewed;
  std::uint64_t charged = 0;  // hits that were counted

 private:
  std::map<Digest, Listed> lists_;
  policy::Instant over_at_ = policy::Instant::max();
};

// Counts what it is told.
class Watching final : public HitObserver {
 public:
  void OnMiss(const ObservedSearch&) override { ++misses; }
  Result<bool> OnHits(store::Transaction&, audit::Recorder&, const ObservedSearch&,
                      std::span<const std::string> entries) override {
    hits += static_cast<int>(entries.size());
    return hits >= alarm_at;
  }
  Result<bool> OnOverCap(store::Transaction&, audit::Recorder&,
                         const ObservedSearch& search) override {
    ++over_caps;
    clauses = search.decision.clauses;
    return true;
  }
  void AfterHits() override { ++after; }

  int misses = 0;
  int hits = 0;
  int alarm_at = 1'000'000;  // hits in all that stop the searches
  int over_caps = 0;
  int after = 0;
  std::vector<std::string> clauses;
};

inline policy::ReasonCode CodeOf(const std::optional<ProbeAnswer>& answer) {
  return answer ? answer->decision.code : policy::ReasonCode::kStateUnreadable;
}

// HolderWorld under a permission of mode sealed, its list sealed for the council. No probe is ever
// encrypted: what it hit is told to the session.
class SealedWorld : public HolderWorld {
 public:
  SealedWorld();

  AgreementKnobs Knobs() const;
  SearchTerms SealedTerms();
  SealedHolderSession::Opened TryOpen(SearchTerms terms, std::vector<SealedListRef> refs);
  std::unique_ptr<SealedHolderSession> OpenSealed();
  std::vector<SealedListRef> Refs() const;
  // Number `sequence`, of a track of its own.
  SealedProbe Asked(std::uint64_t sequence) const;
  // A probe from beginning to end. Empty: not all of it came to be answered.
  std::optional<ProbeAnswer> Search(SealedHolderSession& session, const SealedProbe& probe,
                                    const SealedOutcome& outcome);
  // What the seal callbacks were given.
  SealedHolderSession::SealAnswers Keep(std::vector<ProbeAnswer>& kept);
  static SealedOutcome Hits(std::vector<std::uint32_t> slots);
  // The sample as it stands is what is in force.
  void Publish() { lists.Put(council, list, sample); }

  sealed::testing::SampleList sample;
  ListsInMemory lists;

 private:
  sealed::ListHeader Header() const;
};

}  // namespace comity::matching::testing
