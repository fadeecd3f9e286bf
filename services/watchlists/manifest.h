// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"

namespace comity::watchlists {

inline constexpr std::string_view kManifestPayloadType =
    "application/vnd.comity.watchlist-manifest.v1+json";

// When an entry was on a list: from when it could match (list approved, entry approved if it had to
// be, valid) until it could not any more (withdrawn, expired, list closed). Restrictions and
// overdue reviews are no gaps: the entry stayed on the list.
struct Listing {
  policy::WatchlistId list;
  store::ListState state{};  // of the list now
  policy::ListCategory category;
  policy::Instant from{};
  std::optional<policy::Instant> until;  // absent: it still is on it
};
// Absent: it never was.
std::optional<Listing> ListingOf(const store::WatchlistRecord& list,
                                 const store::EntryRecord& entry, policy::Instant now);

// One row of a manifest: canonical JSON, pseudonymous. In: listing  ended
std::string EncodeManifestRow(const Listing& listing, const store::EntryRecord& entry,
                              const policy::AgencyId& originator);

// What is kept of lists after their faces are deleted (WL-12), for rights requests and audit.
//
// Threads: thread-safe.
class Manifests {
 public:
  // References must outlive the object.
  Manifests(const store::Store& store, audit::Journal& journal, const runtime::Clock& clock,
            policy::AgencyId own)
      : store_(store), journal_(journal), clock_(clock), own_(std::move(own)) {}

  // The signed head: DSSE JSON by the agency key. Recorded.
  // Errors: kNotFound; kConflict  the list is not closed
  Result<std::string> Head(const policy::WatchlistId& list, std::string_view by);
  // Rows after position `after`, at most about `limit`: whole lines, each ending with a line feed.
  struct Rows {
    std::string lines;
    std::uint64_t last = 0;  // position to go on after
    bool more = false;
  };
  Result<Rows> RowsAfter(const policy::WatchlistId& list, std::uint64_t after,
                         std::uint32_t limit) const;
  // The lists that `reference` was on at any moment of the UTC day, by their names. Recorded.
  // In:     day  2026-11-25
  // Errors: kInvalidArgument  no day, or no reference
  Result<std::vector<Listing>> WasOn(std::string_view reference, std::string_view day,
                                     std::string_view by);

 private:
  const store::Store& store_;
  audit::Journal& journal_;
  const runtime::Clock& clock_;
  const policy::AgencyId own_;
};

}  // namespace comity::watchlists
