// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/identity_keys.h"

#include <string_view>
#include <utility>

#include "crypto/base/memory_lock.h"
#include "services/runtime/file.h"
#include "services/transport/key_encryption_file.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

Result<sign::SigningKey> LoadSigningKey(std::string_view key, const std::filesystem::path& file) {
  const auto content = runtime::ReadSecretFile(file, kMaxKeyFile);
  if (!content) {
    return Fail(content.error().code, std::string(key) + ": " + content.error().detail);
  }
  auto parsed = sign::SigningKey::ParseKeyFile(AsText(content->Expose()));
  if (!parsed) {
    return Fail(parsed.error().code,
                std::string(key) + ": " + file.string() + ": " + parsed.error().detail);
  }
  return parsed;
}

}  // namespace

Result<IdentityKeys> LoadIdentityKeys(const runtime::Config& config) {
  IdentityKeys keys;
  COMITY_ASSIGN_OR_RETURN(keys.agency, LoadSigningKey("keys.signing", config.keys.signing));
  COMITY_ASSIGN_OR_RETURN(keys.log, LoadSigningKey("keys.log", config.keys.log));
  COMITY_ASSIGN_OR_RETURN(keys.kek, transport::ReadKeyEncryptionFile(config.keys.key_encryption));
  const bool signing = keys.agency->LockInMemory() && keys.log->LockInMemory();
  keys.locked = LockInMemory(keys.kek.Expose()) && signing;
  return keys;
}

std::string LogOrigin(const runtime::Config& config) {
  return config.agency.trust_domain + "/log";
}

}  // namespace comity::gateway
