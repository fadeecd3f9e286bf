// SPDX-License-Identifier: Apache-2.0
#include "services/cli/person_key.h"

#include <filesystem>
#include <utility>

#include "services/cli/exit_code.h"
#include "services/cli/local_file.h"
#include "services/cli/profile.h"
#include "services/transport/certificate.h"

namespace comity::cli {

Result<PersonSigner> LoadSigner(const Session& session, const std::string& key_file) {
  COMITY_ASSIGN_OR_RETURN(const Profile profile, LoadProfile(session));
  COMITY_ASSIGN_OR_RETURN(const transport::OwnCertificate own,
                          Locally(transport::ReadOwnCertificate(profile.identity)));
  COMITY_ASSIGN_OR_RETURN(policy::PersonId person, policy::PersonId::Parse(own.identity.name));
  std::filesystem::path file = key_file;
  if (file.empty()) {
    file = profile.signing_key.value_or(
        std::filesystem::path(profile.identity).replace_extension(".key"));
  }
  COMITY_ASSIGN_OR_RETURN(sign::SigningKey key, ReadSigningKey(file));
  return PersonSigner{std::move(person), std::move(key)};
}

}  // namespace comity::cli
