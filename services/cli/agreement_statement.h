// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "crypto/base/result.h"
#include "crypto/sign/dsse.h"
#include "crypto/sign/ed25519.h"
#include "policy/agreement/statement.h"
#include "policy/model/agreement.h"

namespace comity::cli {

// For whom a key speaks in a document.
struct Speaker {
  policy::AgencyId party;
  std::string post;
};

// Finds the key's post that may make a statement of this kind (policy::MayState).
//
// Errors: kInvalidArgument  the key is none of the document's, or its posts may not do this
Result<Speaker> FindSpeaker(const policy::Agreement& agreement, const sign::PublicKey& key,
                            policy::StatementKind kind);

struct StatementRequest {
  policy::StatementKind kind{};
  std::optional<policy::AdvicePosition> position;
  std::string text;
  std::optional<Digest> lifts;
};
struct SignedStatement {
  policy::Statement statement;
  Digest id;
  std::string dsse_json;
};
// Makes the statement and verifies it as a gateway would, but for the agency's countersignature.
Result<SignedStatement> SignStatement(const policy::Agreement& agreement,
                                      const sign::SigningKey& key, const StatementRequest& request,
                                      policy::Instant now);

}  // namespace comity::cli
