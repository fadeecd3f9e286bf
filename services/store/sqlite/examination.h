// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "services/store/bound_tables.h"
#include "services/store/peer_store.h"

namespace comity::store {

// Whether a process, that is a gateway, holds the data directory. False also when the directory or
// its lock file is not there or may not be opened.
bool IsSqliteStoreInUse(const std::filesystem::path& directory);

// A database as it stands, for whoever looks for a fault of the set-up.
struct DatabaseExamination {
  std::int64_t schema = 0;          // 0: empty
  std::vector<PeerRecord> peers;    // by agency, kSelf among them; nothing is verified
  std::vector<BoundState> bound;    // with a key: each bound table; empty before schema 16
  std::vector<std::string> damage;  // what SQLite's look at every page found; at most 10 lines
};

// Looks at every page of the database in `directory` and changes nothing in it; a gateway may be at
// work. Run it as the user to whom the files belong: SQLite may leave its two files beside them.
//
// Errors: kNotFound     there is no comity.db
//         kConflict     the schema is newer than this program
//         kCorrupt      it is no database, damaged in its first page, or another program's
//         kUnavailable  it cannot be read
// In:     kek  the key-encryption key, to check bound tables with; null: they are not. Secret: kek
Result<DatabaseExamination> ExamineSqliteStore(const std::filesystem::path& directory,
                                               const SecretBytes* kek = nullptr);

}  // namespace comity::store
