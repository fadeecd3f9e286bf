// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "services/watchlists/block_sealer.h"
#include "services/watchlists/sealed_publications.h"
#include "services/watchlists/sealed_publications_state.h"
#include "services/watchlists/sealing_plan.h"

// One Bring; for sealed_bring.cc and sealed_commit.cc only.
namespace comity::watchlists {

// The entries that match now.
struct Survey {
  std::set<std::string> wanted;
  policy::Instant next = policy::Instant::max();  // the next entry's validity begins
};

// Brings one scope up to date. Threads: thread-compatible.
class SealedPublications::Bringing {
 public:
  Bringing(State& state, const SealedScope& scope, const SealingTerms& terms, policy::Instant now)
      : state_(state), setup_(state.setup), scope_(scope), terms_(terms), now_(now) {
    const std::lock_guard changing(state_.changing);
    state_.running = State::Running{scope, {}, false};
  }
  ~Bringing() {
    const std::lock_guard changing(state_.changing);
    state_.running.reset();
  }
  Bringing(const Bringing&) = delete;
  Bringing& operator=(const Bringing&) = delete;

  Result<Brought> Run();
  Result<bool> SealAgain();

 private:
  Status Check();
  bool Takes(const ActiveEntry& entry) const;
  Result<Survey> Look() const;
  Result<std::set<std::uint32_t>> StaleBlocks(const Digest& header) const;
  // Why a new epoch is needed; empty: none is.
  std::string_view WhyAnew(const SealedEpochPtr& current) const;
  Result<sealed::ListHeader> NewHeader() const;
  Result<std::vector<NewBlock>> SealAll(const sealed::ListHeader& header, const SealingPlan& plan);
  Status SealStale(const SealedEpochPtr& current);
  Status Change(const SealedEpochPtr& current, const SealingPlan& plan, std::string_view reason);
  Status Enforce(const SealedEpochPtr& current, const SealingPlan& plan,
                 const std::vector<NewBlock>& made, std::string_view reason);
  Status Begin(const std::set<std::string>& wanted, std::string_view reason);
  // Both under `changing`.
  Status CommitChange(const SealedEpochPtr& current, const SealingPlan& plan,
                      const std::vector<NewBlock>& made, std::string_view reason);
  Status CommitEpoch(const EpochParts& beginning, const std::vector<NewBlock>& made,
                     std::string_view reason);
  Status PutChange(store::Transaction& transaction, const SealedEpoch& epoch,
                   const SealingPlan& plan, const std::vector<store::SealedBlockRecord>& blocks,
                   const Bytes& sealed_state) const;
  struct Followed {
    std::vector<SealedEpochPtr> kept;  // superseded from now on
    // The partner holds a newer one, or nothing of it, or it was sealed for a lower threshold.
    std::vector<EndingList> ended;
  };
  Result<Followed> FollowedBy(const sealed::ListHeader& next) const;
  void Forget(const Digest& header, const std::vector<NewBlock>& made) const;
  Brought Outcome(const Survey& survey) const;

  State& state_;
  const Setup& setup_;
  const SealedScope& scope_;
  const SealingTerms& terms_;
  const policy::Instant now_;
  policy::EngineProfile engine_;
  bool changed_ = false;
  std::uint64_t done_ = 0;
};

}  // namespace comity::watchlists
