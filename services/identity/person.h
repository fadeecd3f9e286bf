// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/identity/role.h"
#include "services/store/person_store.h"

namespace comity::identity {

inline constexpr std::string_view kPersonPayloadType = "application/vnd.comity.person.v1+json";
inline constexpr std::size_t kMaxPost = 128;

// One of the agency's own people, by post. Never a person's name.
struct Person {
  policy::PersonId id;
  std::string post;
  RoleSet roles;
  Digest tls_key;  // SHA-256 of the SubjectPublicKeyInfo of the person's certificate
  sign::PublicKey signing_key;
  bool active = false;
  policy::Instant added_at{};  // when this access began: another one for who is let back in
  policy::Instant changed_at{};
};

// Errors: kInvalidArgument  no role, roles that no one person holds together, no id, or a post that
// is not 1..128 octets of visible text
Status CheckPerson(const Person& person);

// Who vouches for a person, and with which key.
struct Voucher {
  policy::AgencyId agency;
  const sign::SigningKey& key;
};
// The record as it is stored, signed by the agency over every field of it
// (docs/formats/person.md).
store::PersonRecord Vouch(const Person& person, const Voucher& voucher);
// Errors: kCorrupt  the signature, or a field of the record, is not what the agency signed; names
//                   the person
Result<Person> ReadVouched(const store::PersonRecord& record, const policy::AgencyId& agency,
                           const sign::PublicKey& agency_key);

}  // namespace comity::identity
