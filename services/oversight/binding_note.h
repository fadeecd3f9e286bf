// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "services/store/store.h"

namespace comity::oversight {

// What the log and people have still to be told of a binding of tables (bound_start.h): the
// setting `tables-bound`, with an authenticator by the tables' key and how often it was written, so
// that nobody who can only write into the database makes the gateway tell of another binding, or of
// none. The erasure ledger, outside the database, knows how often it was written at least.
struct BindingNote {
  std::string text;           // empty: all was told; with a fault, too
  std::uint64_t written = 0;  // so often, with an authenticator that is right; 0: never
  std::string fault;          // empty: it is as the gateway wrote it last
};

inline constexpr std::string_view kBindingNote = "tables-bound";  // the setting

// In: expected  it was written so often at least; 0: not known, also of a copy, whose notes are
//               older than the ledger's by nature
// In a store that was opened without a key there is nothing to read.
Result<BindingNote> ReadBindingNote(const store::Transaction& tx, std::uint64_t expected);
// In: before  it was written so often, as far as is known
Status WriteBindingNote(store::Transaction& tx, std::uint64_t before, std::string_view text);

}  // namespace comity::oversight
