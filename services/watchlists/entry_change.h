// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/store/store.h"

namespace comity::watchlists {

enum class ChangeKind : std::uint8_t {
  kWithdrawn,
  kCorrected,
  kRestricted,
  kUnrestricted,
  kExpired,
  kListClosed,  // of every entry of the list
};
std::string_view Name(ChangeKind kind);  // "list-closed"

// Whoever was told of an entry must know of a change of it by then (WL-10: the hard limit; online
// partners learn it within seconds).
inline constexpr std::chrono::hours kChangeDeadline{48};

// What happened to an entry that partners may have been told of.
struct EntryChange {
  policy::WatchlistId list;
  std::string reference;  // empty: every entry of the list (kListClosed)
  ChangeKind kind{};
  policy::Instant at{};
  policy::Instant deadline{};                   // at + kChangeDeadline
  std::vector<policy::AgreementId> agreements;  // under which the list may be searched
  // What a hit would carry from now on; kCorrected and kUnrestricted only.
  std::string category;
  std::string response_code;
};

// Who passes changes on to those who were told of the entry.
//
// Threads: thread-safe.
class EntryChangeSink {
 public:
  virtual ~EntryChangeSink() = default;
  // Within the unit of work that makes the change: both commit or neither.
  virtual Status OnChange(store::Transaction& transaction, audit::Recorder& recorder,
                          const EntryChange& change) = 0;
  // The changes that OnChange saw in one unit of work are durable now.
  virtual void OnDurable() = 0;
};

}  // namespace comity::watchlists
