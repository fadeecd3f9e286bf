// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "services/cli/session.h"

namespace comity::cli {

// The person of the profile, as they sign.
struct PersonSigner {
  policy::PersonId person;
  sign::SigningKey key;
};
// In:     key_file  empty: the profile's, or the file beside its certificate that `comity pki
// issue`
//                   writes
// Errors: kInvalidArgument, kNotFound  no profile, no certificate of a person, or no key
Result<PersonSigner> LoadSigner(const Session& session, const std::string& key_file);

}  // namespace comity::cli
