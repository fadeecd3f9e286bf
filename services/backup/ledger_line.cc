// SPDX-License-Identifier: Apache-2.0
#include "services/backup/ledger_line.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/base/random_id.h"
#include "crypto/hash/sha256.h"

namespace comity::backup {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kMaxWord = 255;

Digest MacOf(const Json& unsealed, const SecretBytes& ledger_key) {
  return hash::HmacSha256(ledger_key, {AsBytes("line|"), AsBytes(EncodeCanonicalJson(unsealed))});
}

Json ToJson(const LedgerLine& line) {
  Json groups = Json::array();
  for (const LedgerGroup& group : line.groups) {
    Json ids = Json::array();
    for (const Digest& id : group.ids) ids.push_back(EncodeHex(id.view()));
    groups.push_back(
        {{"class", group.record_class}, {"reason", group.reason}, {"ids", std::move(ids)}});
  }
  return {{"v", kVersion},
          {"line", line.sequence},
          {"previous", EncodeHex(line.previous.view())},
          {"time", policy::EncodeInstant(line.time)},
          {"kind", line.kind},
          {"about", line.about},
          {"log_size", line.log_size},
          {"erased", std::move(groups)}};
}

tl::unexpected<Error> NotALine(std::string_view why) {
  return Fail(ErrorCode::kCorrupt, std::string(why));
}

// What is missing or of another type throws Json::exception, which ParseLedgerLine catches.
Result<LedgerGroup> ParseGroup(const Json& json) {
  LedgerGroup group{json.at("class").get<std::string>(), json.at("reason").get<std::string>(), {}};
  for (const Json& id : json.at("ids")) {
    COMITY_ASSIGN_OR_RETURN(const Digest digest, ParseHexDigest(id.get_ref<const std::string&>()));
    group.ids.push_back(digest);
  }
  return group;
}

Result<LedgerLine> ParseObject(const Json& json) {
  LedgerLine line;
  if (json.at("v") != kVersion || json.size() != 8) return NotALine("not of version 1");
  line.sequence = json.at("line").get<std::uint64_t>();
  COMITY_ASSIGN_OR_RETURN(line.previous,
                          ParseHexDigest(json.at("previous").get_ref<const std::string&>()));
  COMITY_ASSIGN_OR_RETURN(line.time,
                          policy::ParseInstant(json.at("time").get_ref<const std::string&>()));
  line.kind = json.at("kind").get<std::string>();
  line.about = json.at("about").get<std::string>();
  line.log_size = json.at("log_size").get<std::uint64_t>();
  if (line.kind.size() > kMaxWord || line.about.size() > kMaxWord) return NotALine("too long");
  for (const Json& item : json.at("erased")) {
    COMITY_ASSIGN_OR_RETURN(LedgerGroup group, ParseGroup(item));
    line.groups.push_back(std::move(group));
  }
  return line;
}

Result<LedgerLine> ParseSealed(Json json, const SecretBytes& ledger_key) {
  COMITY_ASSIGN_OR_RETURN(const Digest mac,
                          ParseHexDigest(json.at("mac").get_ref<const std::string&>()));
  json.erase("mac");
  if (!ConstantTimeEqual(mac.view(), MacOf(json, ledger_key).view())) {
    return NotALine("not written with this agency's key-encryption key, or changed since");
  }
  return ParseObject(json);
}

}  // namespace

std::string BeginningOf(std::string_view agency, RandomSource& random) {
  return std::string(agency) + "/" + RandomId(random);
}

bool IsBeginningOf(std::string_view about, std::string_view agency) {
  return about.size() > agency.size() && about.starts_with(agency) && about[agency.size()] == '/' &&
         IsRandomId(about.substr(agency.size() + 1));
}

SecretBytes DeriveLedgerKey(const SecretBytes& kek) {
  return hash::DeriveKey(kek, AsBytes("comity/erasure-ledger/v1"));
}

Digest CommitRecord(const SecretBytes& ledger_key, std::string_view record_class,
                    std::string_view reference) {
  // A class has no '|'.
  return hash::HmacSha256(
      ledger_key, {AsBytes("record|"), AsBytes(record_class), AsBytes("|"), AsBytes(reference)});
}

std::string EncodeLedgerLine(const LedgerLine& line, const SecretBytes& ledger_key) {
  Json json = ToJson(line);
  json["mac"] = EncodeHex(MacOf(json, ledger_key).view());
  return EncodeCanonicalJson(json) + "\n";
}

Result<LedgerLine> ParseLedgerLine(std::string_view text, const SecretBytes& ledger_key) {
  auto json = ParseCanonicalJson(text, kMaxLedgerLine);
  if (!json || !json->is_object()) return NotALine("not a line of canonical JSON");
  try {
    auto line = ParseSealed(*std::move(json), ledger_key);
    return line ? line : NotALine(line.error().detail);
  } catch (const Json::exception&) {
    return NotALine("a field is missing or of another type");
  }
}

Digest HashLedgerLine(std::string_view text) {
  return hash::Sha256(AsBytes(text));
}

}  // namespace comity::backup
