// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/views.h"

#include "policy/agreement/status.h"
#include "policy/model/terms.h"

namespace comity::agreements {
namespace {

StatementView ViewOfStatement(const policy::VerifiedStatement& verified) {
  const policy::Statement& said = verified.statement;
  StatementView view{verified.id, std::string(policy::Name(said.kind)), said.party, said.post, {},
                     said.at};
  if (said.position) view.position = std::string(policy::Name(*said.position));
  return view;
}

}  // namespace

std::string StatusText(const policy::AgreementSet& set, const policy::AgreementRef& ref,
                       policy::Instant now) {
  const policy::AgreementVersion* const version = set.FindVersion(ref.id, ref.version);
  if (version == nullptr) return "untrusted-keys";
  return std::string(policy::Name(set.StatusOf(*version, now)));
}

AgreementView ViewOf(const HeldVersion& version, const policy::AgreementSet& set,
                     policy::Instant now) {
  AgreementView view;
  view.agreement = version.ref;
  view.title = version.agreement.title;
  view.status = StatusText(set, version.ref, now);
  view.effective_from = version.agreement.effective_from;
  view.effective_until = version.agreement.effective_until;
  for (const policy::Party& party : version.agreement.parties) view.parties.push_back(party.agency);
  for (const HeldStatement& held : version.statements) {
    view.statements.push_back(ViewOfStatement(held.verified));
  }
  if (!version.barred.empty()) view.missing.push_back(version.barred);
  const policy::AgreementVersion* const known =
      set.FindVersion(version.ref.id, version.ref.version);
  if (known == nullptr) return view;
  view.missing = known->state.missing;
  for (const policy::AttachmentKind kind : known->missing_attachments) {
    view.missing.push_back("attachment of kind " + std::string(policy::Name(kind)));
  }
  view.against_advice =
      known->state.against_advice && set.StatusOf(*known, now) == policy::AgreementStatus::kInForce;
  return view;
}

AgreementFile FileOf(const HeldVersion& version, const std::optional<policy::AgencyId>& party) {
  AgreementFile file{version.ref, version.document, {}};
  for (const HeldStatement& held : version.statements) {
    if (!party || held.verified.statement.party == *party) file.statements.push_back(held.envelope);
  }
  return file;
}

}  // namespace comity::agreements
