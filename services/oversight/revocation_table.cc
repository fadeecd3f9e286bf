// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/revocation_table.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/hash/sha256.h"

namespace comity::oversight {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxText = std::size_t{8} << 20;  // 1000 rows whose reasons are all escaped
constexpr std::string_view kContext = "comity/certificate-revocations/vouch/v1";

tl::unexpected<Error> Corrupt() {
  return Fail(ErrorCode::kCorrupt,
              "the table of revoked certificates (setting certificate-revocations) is not the one "
              "that this gateway wrote: the database was changed, or is another agency's");
}

std::string Vouch(std::string_view table, const policy::AgencyId& own, const SecretBytes& kek) {
  const SecretBytes key = hash::DeriveKey(kek, AsBytes(kContext));
  return EncodeHex(
      hash::HmacSha256(key, {AsBytes(own.text()), AsBytes(std::string_view("\n")), AsBytes(table)})
          .view());
}

Json JsonOf(const CertificateRevocation& one) {
  Json json = {{"id", one.id},
               {"scope", Name(one.scope)},
               {"sha256", EncodeHex(one.sha256.view())},
               {"subject", one.subject},
               {"set_by", one.set_by},
               {"reason", one.reason},
               {"set_at", policy::EncodeInstant(one.set_at)}};
  if (one.stands()) return json;
  json["lifted_by"] = one.lifted_by;
  json["lift_reason"] = one.lift_reason;
  json["lifted_at"] = policy::EncodeInstant(one.lifted_at);
  return json;
}

// The text of a field; absent or of another kind: empty, which no required field may be.
std::string TextOf(const Json& row, const char* name) {
  const auto found = row.find(name);
  return found != row.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<CertificateRevocation> RowOf(const Json& row) {
  if (!row.is_object()) return std::nullopt;
  CertificateRevocation one;
  const auto scope = ScopeOf(TextOf(row, "scope"));
  const auto sha256 = ParseHexDigest(TextOf(row, "sha256"));
  const auto set_at = policy::ParseInstant(TextOf(row, "set_at"));
  one.id = TextOf(row, "id");
  if (!scope || !sha256 || !set_at || one.id.empty()) return std::nullopt;
  one.scope = *scope;
  one.sha256 = *sha256;
  one.subject = TextOf(row, "subject");
  one.set_by = TextOf(row, "set_by");
  one.reason = TextOf(row, "reason");
  one.set_at = *set_at;
  if (!row.contains("lifted_by")) return one;
  const auto lifted_at = policy::ParseInstant(TextOf(row, "lifted_at"));
  one.lifted_by = TextOf(row, "lifted_by");
  if (!lifted_at || one.lifted_by.empty()) return std::nullopt;
  one.lift_reason = TextOf(row, "lift_reason");
  one.lifted_at = *lifted_at;
  return one;
}

}  // namespace

std::string_view Name(RevocationScope scope) {
  return scope == RevocationScope::kKey ? "key" : "certificate";
}

std::optional<RevocationScope> ScopeOf(std::string_view name) {
  for (const auto scope : {RevocationScope::kCertificate, RevocationScope::kKey}) {
    if (Name(scope) == name) return scope;
  }
  return std::nullopt;
}

Result<std::string> SealRevocationTable(const RevocationTable& table, const policy::AgencyId& own,
                                        const SecretBytes& kek) {
  Json rows = Json::array();
  for (const CertificateRevocation& one : table.revocations) rows.push_back(JsonOf(one));
  COMITY_ASSIGN_OR_RETURN(
      const std::string text,
      TryEncodeCanonicalJson({{"revocations", std::move(rows)}, {"version", table.version}}));
  return Vouch(text, own, kek) + "\n" + text;
}

Result<RevocationTable> OpenRevocationTable(std::string_view text, const policy::AgencyId& own,
                                            const SecretBytes& kek) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return Corrupt();
  const std::string_view body = text.substr(end + 1);
  if (!ConstantTimeEqual(AsBytes(text.substr(0, end)), AsBytes(Vouch(body, own, kek)))) {
    return Corrupt();
  }
  const auto json = ParseCanonicalJson(body, kMaxText);
  if (!json || !json->is_object() || !json->contains("version") || !json->contains("revocations")) {
    return Corrupt();
  }
  const Json& version = json->at("version");
  const Json& rows = json->at("revocations");
  if (!version.is_number_unsigned() || !rows.is_array()) return Corrupt();
  RevocationTable table;
  table.version = version.get<std::uint64_t>();
  for (const Json& row : rows) {
    auto one = RowOf(row);
    if (!one) return Corrupt();
    table.revocations.push_back(*std::move(one));
  }
  return table;
}

}  // namespace comity::oversight
