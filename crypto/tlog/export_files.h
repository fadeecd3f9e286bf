// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/merkle/tree_position.h"

namespace comity::tlog {

// Checks that `paths` are exactly the files of an export of a log of `size` entries: `checkpoint`,
// `log.vkey`, every entry bundle and every hash tile, no partial one that a full one replaces.
//
// In:     paths  untrusted, in any order; work and memory grow with them, not with `size`
// Errors: kNotFound  a file is missing (named)
//         kConflict  a file does not belong (named)
Status CheckExportFiles(const std::vector<std::string>& paths, merkle::TreeSize size);

}  // namespace comity::tlog
