// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <memory>

#include "crypto/base/result.h"
#include "services/store/store.h"

namespace comity::store {

// Opens the embedded database in `directory` (made with mode 0700 if absent) and brings its schema
// up to date. The directory belongs to one process at a time; the returned store holds its lock.
//
// In:     directory  on a local file system: locks and memory maps of SQLite's WAL need one
// Errors: kUnavailable  another process holds the directory, it is not writable, the disk is full
//         kConflict     the schema is newer than this program
//         kCorrupt      comity.db is not a database of this program, or is damaged
Result<std::unique_ptr<Store>> OpenSqliteStore(const std::filesystem::path& directory);

}  // namespace comity::store
