// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/first_people.h"

#include <string>
#include <utility>

#include "services/runtime/file.h"
#include "services/transport/certificate.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

constexpr std::size_t kMaxKeyFile = 4096;

Result<identity::Person> LoadPerson(const runtime::AdministratorConfig& administrator,
                                    const std::string& trust_domain) {
  identity::Person person;
  person.post = administrator.post;
  COMITY_ASSIGN_OR_RETURN(person.id, policy::PersonId::Parse(administrator.id));
  COMITY_ASSIGN_OR_RETURN(
      const std::string pem,
      runtime::ReadTextFile(administrator.certificate, transport::limits::kMaxCertificateChain));
  COMITY_ASSIGN_OR_RETURN(const auto certificate, transport::ReadPublicCertificate(pem));
  const transport::PeerIdentity expected{transport::PeerKind::kPerson, trust_domain,
                                         administrator.id};
  if (certificate.identity != expected) {
    return Fail(ErrorCode::kInvalidArgument, administrator.certificate.string() + " is of " +
                                                 transport::EncodeSpiffeId(certificate.identity) +
                                                 ", not of " + transport::EncodeSpiffeId(expected));
  }
  person.tls_key = certificate.public_key;
  COMITY_ASSIGN_OR_RETURN(std::string text,
                          runtime::ReadTextFile(administrator.signing_key_file, kMaxKeyFile));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  COMITY_ASSIGN_OR_RETURN(person.signing_key, sign::ParsePublicKey(text));
  return person;
}

}  // namespace

Result<std::vector<identity::Person>> LoadFirstPeople(const runtime::Config& config) {
  std::vector<identity::Person> people;
  for (const runtime::AdministratorConfig& administrator : config.administrators) {
    const auto wrong = [&](const Error& error) {
      return Fail(error.code, "administrator " + administrator.id + ": " + error.detail);
    };
    auto person = LoadPerson(administrator, config.agency.trust_domain);
    if (!person) return wrong(person.error());
    for (const identity::Person& other : people) {
      if (other.tls_key != person->tls_key && other.signing_key != person->signing_key) continue;
      return wrong({ErrorCode::kInvalidArgument, "a key is that of " + other.id.text()});
    }
    people.push_back(*std::move(person));
  }
  return people;
}

}  // namespace comity::gateway
