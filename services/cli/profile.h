// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "services/cli/session.h"
#include "services/transport/address.h"

namespace comity::cli {

// Which gateway a person talks to, and as whom: the TOML file that `comity pki issue --person`
// writes. Paths are relative to the file.
struct Profile {
  transport::Address gateway;      // agency port
  std::string spiffe_id;           // of the gateway
  std::filesystem::path identity;  // PEM: the person's key and chain
  std::filesystem::path roots;     // PEM: CA certificates that may certify the gateway
  std::optional<std::filesystem::path> signing_key;  // the person's Ed25519 key file
};

// Errors: kInvalidArgument  with the line of the fault; kNotFound
Result<Profile> ParseProfile(std::string_view text, const std::filesystem::path& file);
std::string EncodeProfile(const Profile& profile);

// The profile that --profile or COMITY_PROFILE names.
// Errors: kInvalidArgument  none is named, or it is faulty; kNotFound
Result<Profile> LoadProfile(const Session& session);

}  // namespace comity::cli
