// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"

namespace comity::cli {

// The caller's own files. Every failure is kInvalidArgument, kNotFound or kConflict: bad input, not
// a gateway out of reach.
Result<std::string> ReadLocalText(const std::filesystem::path& path, std::size_t max_size);

// Errors: kConflict  something of that name is there
Status CheckNewFile(const std::filesystem::path& path);
// Writes a file that must not exist yet, with mode 0644.
Status WriteNewFile(const std::filesystem::path& path, std::string_view content);
// The same with mode 0600.
Status WriteNewPrivateFile(const std::filesystem::path& path, std::string_view content);

// A person's Ed25519 key; the file must be readable by its owner only.
Result<sign::SigningKey> ReadSigningKey(const std::filesystem::path& path);

}  // namespace comity::cli
