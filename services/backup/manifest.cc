// SPDX-License-Identifier: Apache-2.0
#include "services/backup/manifest.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/sign/dsse.h"

namespace comity::backup {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kFields = 13;

Json ToJson(const Manifest& manifest) {
  Json parts = Json::array();
  for (const ManifestPart& part : manifest.parts) {
    parts.push_back(
        {{"name", part.name}, {"size", part.size}, {"sha256", EncodeHex(part.sha256.view())}});
  }
  return {{"v", kVersion},
          {"backup", manifest.id},
          {"agency", manifest.agency.text()},
          {"made_at", policy::EncodeInstant(manifest.made_at)},
          {"expires_at", policy::EncodeInstant(manifest.expires_at)},
          {"schema", manifest.schema},
          {"software", manifest.software},
          {"log_origin", manifest.log_origin},
          {"log_size", manifest.log_size},
          {"checkpoint_size", manifest.checkpoint_size},
          {"ledger_line", manifest.ledger.sequence},
          {"ledger_hash", EncodeHex(manifest.ledger.hash.view())},
          {"parts", std::move(parts)}};
}

// What is missing or of another type throws Json::exception, which OpenManifest catches.
Result<Manifest> ParseObject(const Json& json) {
  if (json.at("v") != kVersion || json.size() != kFields) {
    return Fail(ErrorCode::kCorrupt, "a backup of another version");
  }
  Manifest manifest;
  const auto instant = [&](const char* name) {
    return policy::ParseInstant(json.at(name).get_ref<const std::string&>());
  };
  manifest.id = json.at("backup").get<std::string>();
  COMITY_ASSIGN_OR_RETURN(manifest.agency,
                          policy::AgencyId::Parse(json.at("agency").get_ref<const std::string&>()));
  COMITY_ASSIGN_OR_RETURN(manifest.made_at, instant("made_at"));
  COMITY_ASSIGN_OR_RETURN(manifest.expires_at, instant("expires_at"));
  manifest.schema = json.at("schema").get<std::uint32_t>();
  manifest.software = json.at("software").get<std::string>();
  manifest.log_origin = json.at("log_origin").get<std::string>();
  manifest.log_size = json.at("log_size").get<std::uint64_t>();
  manifest.checkpoint_size = json.at("checkpoint_size").get<std::uint64_t>();
  manifest.ledger.sequence = json.at("ledger_line").get<std::uint64_t>();
  COMITY_ASSIGN_OR_RETURN(manifest.ledger.hash,
                          ParseHexDigest(json.at("ledger_hash").get_ref<const std::string&>()));
  for (const Json& item : json.at("parts")) {
    COMITY_ASSIGN_OR_RETURN(const Digest sha256,
                            ParseHexDigest(item.at("sha256").get_ref<const std::string&>()));
    manifest.parts.push_back(
        {item.at("name").get<std::string>(), item.at("size").get<std::uint64_t>(), sha256});
  }
  return manifest;
}

}  // namespace

std::string SignManifest(const Manifest& manifest, const sign::SigningKey& agency_key) {
  sign::DsseEnvelope envelope;
  envelope.payload_type = kManifestType;
  envelope.payload = ToBytes(EncodeCanonicalJson(ToJson(manifest)));
  sign::AddSignature(agency_key, envelope);
  return sign::EncodeDsseJson(envelope);
}

Result<Manifest> OpenManifest(std::string_view text, const sign::PublicKey& agency_key) {
  COMITY_ASSIGN_OR_RETURN(const sign::DsseEnvelope envelope,
                          sign::ParseDsseJson(text, kMaxManifest));
  if (envelope.payload_type != kManifestType) {
    return Fail(ErrorCode::kCorrupt, "not the manifest of a backup");
  }
  COMITY_RETURN_IF_ERROR(sign::VerifySignedBy(envelope, agency_key));
  // Nobody signed the key id; with one signature of the right name nothing can be changed unseen.
  if (envelope.signatures.size() != 1 ||
      envelope.signatures.front().key_id != sign::KeyId(agency_key)) {
    return Fail(ErrorCode::kCorrupt, "the manifest has another signature than this agency's one");
  }
  auto json = ParseCanonicalJson(AsText(envelope.payload), kMaxManifest);
  if (!json || !json->is_object()) {
    return Fail(ErrorCode::kCorrupt, "the manifest is not canonical JSON");
  }
  try {
    return ParseObject(*json);
  } catch (const Json::exception&) {
    return Fail(ErrorCode::kCorrupt, "a field of the manifest is missing or of another type");
  }
}

}  // namespace comity::backup
