// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/views.h"

#include <algorithm>

#include "policy/agreement/status.h"
#include "policy/model/terms.h"

namespace comity::agreements {
namespace {

StatementView ViewOfStatement(const HeldStatement& held) {
  const policy::Statement& said = held.verified.statement;
  StatementView view;
  view.id = held.verified.id;
  view.kind = std::string(policy::Name(said.kind));
  view.party = said.party;
  view.post = said.post;
  view.at = said.at;
  view.barred = held.barred;
  if (said.position) view.position = std::string(policy::Name(*said.position));
  return view;
}

std::vector<policy::ReleaseItem> ItemsOf(const policy::Agreement& agreement) {
  policy::TermSet<policy::ReleaseItem> items;
  for (const policy::SearchPermission& permission : agreement.permissions) {
    for (const policy::Release& release : permission.releases) items.Add(release.item);
  }
  return items.Terms();
}

void AddState(const policy::AgreementVersion& known, AgreementView& view) {
  const policy::StatementState& state = known.state;
  view.missing = state.missing;
  for (const policy::AttachmentKind kind : known.missing_attachments) {
    view.missing.push_back("attachment of kind " + std::string(policy::Name(kind)));
  }
  view.reviewed = state.reviewed;
  view.missing_reviews = state.missing_reviews;
  if (state.termination) view.terminates_at = state.termination->effective_at;
  view.against_advice = state.complete && state.against_advice;
  view.conditional_advice = state.complete && state.conditional_advice;
}

}  // namespace

std::string StatusText(const policy::AgreementSet& set, const policy::AgreementRef& ref,
                       policy::Instant now) {
  const policy::AgreementVersion* const version = set.FindVersion(ref.id, ref.version);
  if (version == nullptr) return "untrusted-keys";
  return std::string(policy::Name(set.StatusOf(*version, now)));
}

AgreementView ViewOf(const HeldVersion& version, const Published& published, policy::Instant now) {
  AgreementView view;
  const policy::Agreement& agreement = version.agreement;
  view.agreement = version.ref;
  view.title = agreement.title;
  view.status = StatusText(*published.set, version.ref, now);
  view.effective_from = agreement.effective_from;
  view.effective_until = agreement.effective_until;
  view.review_by = agreement.review_by;
  for (const policy::Party& party : agreement.parties) view.parties.push_back(party.agency);
  for (const policy::Purpose& purpose : agreement.purposes) view.purposes.push_back(purpose.code);
  view.items = ItemsOf(agreement);
  for (const HeldStatement& held : version.statements) {
    view.statements.push_back(ViewOfStatement(held));
  }
  if (!version.barred.empty()) view.missing.push_back(version.barred);
  if (const auto* known = published.set->FindVersion(version.ref.id, version.ref.version)) {
    AddState(*known, view);
  }
  const auto said = published.peers->find(version.ref);
  if (said != published.peers->end()) {
    view.peer_status = said->second;
    view.status_differs =
        said->second.status != StatusText(*published.set, version.ref, said->second.at);
  }
  return view;
}

bool Matches(const AgreementView& view, const ListFilter& filter) {
  const auto has = [](const auto& values, const auto& wanted) {
    return !wanted || std::ranges::count(values, *wanted) > 0;
  };
  if (filter.id && view.agreement.id != *filter.id) return false;
  return has(view.parties, filter.party) && has(view.purposes, filter.purpose) &&
         has(view.items, filter.item) &&
         (!filter.review_before || view.review_by < *filter.review_before) &&
         (filter.status.empty() || view.status == filter.status);
}

AgreementFile FileOf(const HeldVersion& version, const std::optional<policy::AgencyId>& party) {
  AgreementFile file{version.ref, version.document, {}, {}};
  for (const HeldStatement& held : version.statements) {
    if (!party || held.verified.statement.party == *party) file.statements.push_back(held.envelope);
  }
  return file;
}

}  // namespace comity::agreements
