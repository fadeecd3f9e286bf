// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/identity_keys.h"

#include <string_view>
#include <utility>

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

Result<sign::PublicKey> LoadPeerKey(const runtime::PeerConfig& peer) {
  COMITY_ASSIGN_OR_RETURN(std::string text,
                          runtime::ReadTextFile(peer.signing_key_file, kMaxKeyFile));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  auto parsed = sign::ParsePublicKey(text);
  if (!parsed) {
    return Fail(parsed.error().code, "peer " + peer.agency + ": " + peer.signing_key_file.string() +
                                         ": " + parsed.error().detail);
  }
  return parsed;
}

}  // namespace

Result<IdentityKeys> LoadIdentityKeys(const runtime::Config& config) {
  IdentityKeys keys;
  COMITY_ASSIGN_OR_RETURN(keys.agency, LoadSigningKey("keys.signing", config.keys.signing));
  COMITY_ASSIGN_OR_RETURN(keys.log, LoadSigningKey("keys.log", config.keys.log));
  COMITY_ASSIGN_OR_RETURN(keys.kek, transport::ReadKeyEncryptionFile(config.keys.key_encryption));
  for (const runtime::PeerConfig& peer : config.peers) {
    COMITY_ASSIGN_OR_RETURN(policy::AgencyId agency, policy::AgencyId::Parse(peer.agency));
    COMITY_ASSIGN_OR_RETURN(const sign::PublicKey key, LoadPeerKey(peer));
    for (const auto& [other, other_key] : keys.peers) {
      if (other_key != key && agency != other) continue;
      return Fail(ErrorCode::kInvalidArgument,
                  "peer " + peer.agency + ": its id or signing key is that of " + other.text());
    }
    keys.peers.emplace(std::move(agency), key);
  }
  return keys;
}

std::string LogOrigin(const runtime::Config& config) {
  return config.agency.trust_domain + "/log";
}

}  // namespace comity::gateway
