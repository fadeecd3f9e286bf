// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "comity/v1/audit.pb.h"
#include "crypto/base/result.h"

namespace comity::cli {

// A file with opened payloads of the log: docs/formats/payload_opening.md. It holds what the log
// only commits to, and keys: secret.
struct PayloadOpenings {
  std::string approval;                  // of the two people: p-<26 characters>
  std::vector<v1::OpenedEntry> entries;  // 1..64, by index
};

std::string EncodePayloadOpenings(const PayloadOpenings& openings);
// In:     path  untrusted content. Errors: kInvalidArgument, kNotFound  names the file and what is
//         wrong in it
Result<PayloadOpenings> ReadPayloadOpenings(const std::filesystem::path& path);

}  // namespace comity::cli
