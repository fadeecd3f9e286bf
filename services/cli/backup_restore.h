// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>

#include "crypto/base/result.h"
#include "policy/model/instant.h"
#include "services/backup/manifest.h"
#include "services/runtime/clock.h"

namespace comity::cli {

struct RestoreRequest {
  std::filesystem::path file;    // the backup
  std::filesystem::path config;  // of the gateway, whose keys and ledger are used
  std::filesystem::path into;    // a folder that is absent or empty
};

struct Restored {
  backup::Manifest manifest;
  backup::LedgerSurvey ledger;
  std::uint64_t lines_after = 0;  // of the ledger after the backup: erased again at the first start
};

// Puts a backup back, offline: verifies its signature, age and schema, that the erasure ledger
// extends it, every octet of its parts, and its log from end to end; only then does the folder
// appear. What was erased since the backup is erased again by the gateway before it reads anything.
//
// Errors: kInvalidArgument, kNotFound  the file, the configuration or a key cannot be read, or the
//                     disk fails. If it also refuses to take back what is there, the error names
//                     what is left: the whole folder, or one beside it that is no data folder
//         kConflict   the folder is not empty
//         kCorrupt    the backup is another agency's, expired, of a newer schema, or damaged; the
//                     ledger is missing, damaged or older than the backup. Nothing was put back.
Result<Restored> RestoreBackup(const RestoreRequest& request, const runtime::Clock& clock);

}  // namespace comity::cli
