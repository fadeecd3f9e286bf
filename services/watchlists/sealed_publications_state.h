// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/runtime/guarded.h"
#include "services/watchlists/sealed_files.h"
#include "services/watchlists/sealed_publications.h"

// What the parts of SealedPublications share; for sealed_*.cc only.
namespace comity::watchlists {

// A sealed list that ends, and why.
struct EndingList {
  SealedScope scope;
  Digest header;
};
struct EndReason {
  std::string_view reason;
  std::string_view by;
};
inline constexpr std::string_view kGatewayEnds = "gateway";

struct SealedPublications::State {
  using Epochs = std::map<Digest, SealedEpochPtr>;

  // The Bring that is under way, and what happened to its scope meanwhile.
  struct Running {
    SealedScope scope;
    std::set<std::string> withdrawn;
    bool shredded = false;
  };

  State(Setup given, SealedFiles opened) : setup(std::move(given)), files(std::move(opened)) {}

  std::vector<SealedEpochPtr> Matching(
      const std::function<bool(const SealedEpoch&)>& matches) const;
  SealedEpochPtr Newest(const SealedScope& scope) const;  // null: none in force
  // Lets something happen to what is in force, and wakes those who wait for it.
  template <typename Function>
  void Put(Function&& change) {
    epochs.With(std::forward<Function>(change));
    changes.With([](std::uint64_t& count) { ++count; });
  }

  // The key of a list that has not ended. Errors: kNotFound; kCorrupt
  Result<SecretBytes> KeyOf(const Digest& header) const;
  // Ends them in one unit of work, then in memory and on disk. Under `changing`.
  Status End(const std::vector<EndingList>& ending, const EndReason& why);

  Setup setup;
  SealedFiles files;
  runtime::Guarded<Epochs> epochs;  // changed by Put
  runtime::Watched<std::uint64_t> changes;
  std::mutex bringing;             // one Bring at a time
  std::mutex changing;             // store and memory change together; taken after `bringing`
  std::optional<Running> running;  // under `changing`
};

// An event about one sealed list. In: type  a constant of services/audit/events.h
audit::Event SealedListEvent(std::string_view type, const policy::AgencyId& own,
                             const SealedScope& scope, policy::Instant now);
// The end of one within a unit of work.
Status EndInStore(store::Transaction& transaction, audit::Recorder& recorder,
                  const SealedPublications::Setup& setup, const EndingList& ending,
                  const EndReason& why);
SealedScope ScopeOf(const store::SealedListRecord& record);

}  // namespace comity::watchlists
