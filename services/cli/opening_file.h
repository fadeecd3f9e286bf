// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "comity/v1/alerts.pb.h"
#include "crypto/base/result.h"

namespace comity::cli {

// What opens the sealed probes behind an alert, as a file: docs/formats/opening.md. Biometric.
//
// Secret: the text
std::string EncodeOpening(const v1::AlertOpening& opening);
// In:     text  untrusted
// Errors: kInvalidArgument  it is none; names the member at fault. What the octets say is not
//                           looked at
Result<v1::AlertOpening> ParseOpening(std::string_view text);

Result<v1::AlertOpening> ReadOpeningFile(const std::filesystem::path& path);

}  // namespace comity::cli
