// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/audit/log.h"

namespace comity::audit {

// Takes one whole file: `path` relative ("checkpoint", "tile/0/000.p/3"), content <= 2.1 MB.
using FileSink = std::function<Status(std::string_view path, ByteView content)>;

// Streams the log at one fixed size: a checkpoint that covers every entry durable at the call,
// log.vkey, and exactly the tiles and entry bundles of that size. All is computed from the store
// and compared with the signed root, so that an export that succeeded verifies. Returns the
// checkpoint.
//
// Errors:  those of `sink` and of Log::Flush; kCorrupt  the store no longer matches the signed root
//          (what the sink got is then not a whole export)
// Threads: safe from any thread; Commit goes on meanwhile.
// Source:  docs/formats/audit_export.md
Result<Checkpoint> Export(Log& log, const FileSink& sink);

}  // namespace comity::audit
