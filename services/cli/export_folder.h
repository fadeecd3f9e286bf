// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/tlog/log_verifier.h"

namespace comity::cli {

// An exported log in a folder (docs/formats/audit_export.md), as the verifier takes it. Every name
// in the folder is listed; reading is safe from several threads.
//
// In:     trusted_vkey  vkey line, or the path of a file of them, from a source that the auditor
//                       trusts: log.vkey must name exactly this log; witnesses may stand beside it
// Errors: kNotFound         no such folder, no log.vkey or checkpoint
//         kConflict         something in it is neither a folder nor a regular file, e.g. a link
//         kInvalidArgument  it holds more than ten million files, or `trusted_vkey` is none
//         kCorrupt          log.vkey is not that of the trusted key
Result<tlog::LogExport> OpenExportFolder(const std::filesystem::path& folder,
                                         const std::optional<std::string>& trusted_vkey);

// Verifies ranges of tiles on all cores; otherwise tlog::VerifyLog.
Result<tlog::LogSummary> VerifyOnAllCores(
    const tlog::LogExport& log,
    const std::function<void(std::uint64_t done, std::uint64_t all)>& progress);

// The verifier key in a text or in the file of that name: its first line.
Result<tlog::VerifierKey> ReadVerifierKey(const std::string& text_or_file);

}  // namespace comity::cli
