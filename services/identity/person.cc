// SPDX-License-Identifier: Apache-2.0
#include "services/identity/person.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/sign/dsse.h"
#include "services/identity/visible_text.h"

namespace comity::identity {
namespace {

// In records they stand where no person acted.
constexpr std::array<std::string_view, 3> kNobodys{"alarm", "configuration", "erasure-ledger"};
constexpr std::size_t kMaxVouched = std::size_t{16} << 10;

std::string_view Name(store::PersonState state) {
  return state == store::PersonState::kActive ? "active" : "revoked";
}

// What the agency signs: every field of the record but the signature.
std::string EncodePayload(const store::PersonRecord& record, const policy::AgencyId& agency) {
  return EncodeCanonicalJson({{"agency", agency.text()},
                              {"id", record.id.text()},
                              {"post", record.post},
                              {"roles", record.roles},
                              {"tls_key", EncodeHex(record.tls_key.view())},
                              {"signing_key", record.signing_key},
                              {"state", Name(record.state)},
                              {"added_at", policy::EncodeInstant(record.added_at)},
                              {"changed_at", policy::EncodeInstant(record.changed_at)}});
}

}  // namespace

Status CheckPerson(const Person& person) {
  if (person.id.empty()) return Fail(ErrorCode::kInvalidArgument, "a person needs an id");
  if (std::ranges::find(kNobodys, person.id.text()) != kNobodys.end()) {
    return Fail(ErrorCode::kInvalidArgument,
                "the id " + person.id.text() + " is the gateway's own, where nobody acts");
  }
  COMITY_RETURN_IF_ERROR(CheckVisibleText("a post", person.post, kMaxPost));
  if (person.roles.empty()) return Fail(ErrorCode::kInvalidArgument, "at least one role is needed");
  return CheckTogether(person.roles);
}

store::PersonRecord Vouch(const Person& person, const Voucher& voucher) {
  store::PersonRecord record;
  record.id = person.id;
  record.post = person.post;
  record.roles = person.roles.Names();
  record.tls_key = person.tls_key;
  record.signing_key = sign::EncodePublicKey(person.signing_key);
  record.state = person.active ? store::PersonState::kActive : store::PersonState::kRevoked;
  record.added_at = person.added_at;
  record.changed_at = person.changed_at;
  sign::DsseEnvelope envelope;
  envelope.payload_type = kPersonPayloadType;
  envelope.payload = ToBytes(EncodePayload(record, voucher.agency));
  sign::AddSignature(voucher.key, envelope);
  record.vouched = sign::EncodeDsseJson(envelope);
  return record;
}

Result<Person> ReadVouched(const store::PersonRecord& record, const policy::AgencyId& agency,
                           const sign::PublicKey& agency_key) {
  const auto corrupt = [&](std::string_view what) {
    return Fail(ErrorCode::kCorrupt, "the record of person " + record.id.text() + " " +
                                         std::string(what) +
                                         ": the database was changed, or is another agency's");
  };
  const auto envelope = sign::ParseDsseJson(record.vouched, kMaxVouched);
  if (!envelope || envelope->payload_type != kPersonPayloadType ||
      !sign::VerifySignedBy(*envelope, agency_key)) {
    return corrupt("is not vouched for by the agency key");
  }
  if (AsText(envelope->payload) != EncodePayload(record, agency)) {
    return corrupt("is not the one the agency vouched for");
  }
  const auto roles = RoleSet::Parse(record.roles);
  const auto key = sign::ParsePublicKey(record.signing_key);
  if (!roles || !key) return corrupt("holds an unknown role or a malformed key");
  return Person{record.id,
                record.post,
                *roles,
                record.tls_key,
                *key,
                record.state == store::PersonState::kActive,
                record.added_at,
                record.changed_at};
}

}  // namespace comity::identity
