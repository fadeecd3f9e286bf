// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "crypto/base/result.h"
#include "crypto/base/secret.h"
#include "crypto/sign/ed25519.h"
#include "services/runtime/config.h"

namespace comity::gateway {

// The keys a gateway works with, read once at start.
struct IdentityKeys {
  std::optional<sign::SigningKey> agency;  // set after LoadIdentityKeys
  std::optional<sign::SigningKey> log;
  SecretBytes kek;      // 32 octets
  bool locked = false;  // none of them is written to swap
};

// Errors: kNotFound, kUnavailable, kPermissionDenied  a file; kInvalidArgument  not a key; each
// names
//         the configuration key
Result<IdentityKeys> LoadIdentityKeys(const runtime::Config& config);

// The log's origin and key name: <trust domain>/log.
std::string LogOrigin(const runtime::Config& config);

}  // namespace comity::gateway
