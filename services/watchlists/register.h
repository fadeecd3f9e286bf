// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/audit/journal.h"
#include "services/runtime/clock.h"
#include "services/store/store.h"
#include "services/watchlists/import.h"

namespace comity::watchlists {

// What a Register stands on; all references must outlive it.
struct RegisterSetup {
  store::Store& store;
  audit::Journal& journal;
  const SecretBytes& kek;  // 32 octets; wraps the list keys
  RandomSource& random;
  const runtime::Clock& clock;
  policy::AgencyId own;
};

struct ListStatus {
  policy::WatchlistId list;
  policy::EngineProfile engine;
  policy::Instant imported_at{};
  std::uint64_t active = 0;  // would match now
  std::uint64_t withdrawn = 0;
  std::uint64_t expired = 0;
  std::uint64_t not_yet_valid = 0;
  std::map<std::string, std::uint64_t> active_by_category;
};

// One entry with its template, valid during the visit only; the template is wiped after it.
struct ActiveEntry {
  const std::string& reference;
  const policy::ListCategory& category;
  const std::string& response_code;  // see ResponseCode(): what travels with a hit
  policy::Instant valid_from{};
  policy::Instant expires_at{};
  std::span<const float> face_template;  // unit norm
};

struct Withdrawal {
  policy::WatchlistId list;
  std::string reference;
  std::string reason;  // 1..1000 octets; the log holds a commitment
  std::string by;      // who withdraws
};

// The agency's own lists: what may match, and since when or until when. Templates and personal
// fields rest encrypted, each entry under its own key, wrapped under the list's key, wrapped under
// the key-encryption key; a withdrawal destroys the entry's key.
//
// Threads: thread-safe.
class Register {
 public:
  // Errors: kCorrupt  a list key does not open (another key-encryption key, or changed octets);
  //                   names the list. Else the store's.
  static Result<std::unique_ptr<Register>> Open(RegisterSetup setup);
  ~Register();

  // Stores a parsed list and its audit entry together; all or nothing.
  //
  // In:     by  who imports
  // Errors: kInvalidArgument  `parsed` has faults or no entry
  //         kConflict         a list of this name exists
  Status Import(const policy::WatchlistId& list, const ParsedImport& parsed, std::string_view by);

  // On return the entry's key and content are destroyed and Matches() is false for it.
  // Errors: kInvalidArgument  reason empty or too long
  //         kNotFound         no such list or entry
  //         kConflict         withdrawn already
  Status Withdraw(const Withdrawal& withdrawal);

  // In: list  absent: all of them. Errors: kNotFound  no such list
  Result<std::vector<ListStatus>> StatusOf(const std::optional<policy::WatchlistId>& list,
                                           policy::Instant now) const;

  // Whether the entry is neither withdrawn nor outside its validity: the last look before a hit is
  // told to anyone.
  bool Matches(const policy::WatchlistId& list, std::string_view reference,
               policy::Instant now) const;

  // Calls `visit` for each entry that is neither withdrawn nor expired, in the order of import;
  // stops at its first error. Entries that are not yet valid are visited too.
  //
  // Errors: kNotFound  no such list
  //         kCorrupt   an entry does not decrypt; names list and reference. Entries visited before
  //                    must not be used: the list as a whole is not trustworthy.
  Status VisitActive(const policy::WatchlistId& list,
                     const std::function<Status(const ActiveEntry&)>& visit) const;

 private:
  struct State;
  explicit Register(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace comity::watchlists
