// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"
#include "services/runtime/config.h"
#include "services/store/transfer/transfer.h"

namespace comity::gateway {

// Carries the node of the data directory, comity.db, over into the PostgreSQL database of [store],
// which must be empty. Then comity.db is called comity.db.imported. While no gateway runs.
//
// Errors: kInvalidArgument  no [store], or no migration_url; kNotFound  no comity.db
//         those of ImportIntoPostgres; each names the key of the configuration
Result<store::Imported> ImportDatabase(const runtime::Config& config);

}  // namespace comity::gateway
