// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

enum class PersonState { kActive = 1, kRevoked = 2 };

// One of the agency's own people, by post. Never a person's name.
struct PersonRecord {
  policy::PersonId id;
  std::string post;                // e.g. Senior Information Risk Owner; 1..128
  std::vector<std::string> roles;  // names of services/identity/role.h, ordered, no two equal
  Digest tls_key;                  // SHA-256 of the certificate's SubjectPublicKeyInfo
  std::string signing_key;         // ed25519:<base64>
  std::string vouched;             // DSSE JSON: the agency key over this record (person.h)
  PersonState state = PersonState::kActive;
  policy::Instant added_at{};
  policy::Instant changed_at{};
};

class PersonStore {
 public:
  virtual ~PersonStore() = default;
  // Inserts or replaces the record of this id.
  virtual Status Put(const PersonRecord& person) = 0;
  virtual Result<std::vector<PersonRecord>> All() const = 0;  // by id
};

}  // namespace comity::store
