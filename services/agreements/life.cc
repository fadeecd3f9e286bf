// SPDX-License-Identifier: Apache-2.0
#include "services/agreements/life.h"

#include <optional>

#include "policy/agreement/status.h"

namespace comity::agreements {
namespace {

using policy::AgreementStatus;

std::string NameOf(const policy::AgreementRef& agreement) {
  return "agreement " + agreement.id.text() + " version " + std::to_string(agreement.version);
}

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

// Calls `visit` with the deciding version of each agreement and its status.
template <typename Visit>
void ForEachCurrent(const policy::AgreementSet& set, policy::Instant now, Visit visit) {
  for (const policy::AgreementId& id : set.ids()) {
    const policy::AgreementVersion& current = *set.FindCurrent(id, now);  // ids(): there is one
    visit(current, set.StatusOf(current, now));
  }
}

// Terminated, or past the last day of a version that was agreed, whether or not it is stopped by
// then: a suspension or a late rejection keeps nothing beyond it.
bool HasEnded(const policy::AgreementVersion& version, AgreementStatus status,
              policy::Instant now) {
  return status == AgreementStatus::kTerminated ||
         (version.agreed && now >= version.agreement.effective_until);
}

bool IsReminderDue(const policy::AgreementVersion& version, AgreementStatus status,
                   policy::Instant now) {
  const policy::Agreement& agreement = version.agreement;
  return status == AgreementStatus::kInForce && !version.state.reviewed &&
         now >= agreement.review_by - agreement.review_reminder;
}

std::optional<DueMark> DueOf(const policy::AgreementVersion& version, AgreementStatus status,
                             policy::Instant now) {
  namespace kind = identity::notice;
  const policy::AgreementRef& ref = version.ref;
  const std::string review = policy::EncodeInstant(version.agreement.review_by);
  if (IsReminderDue(version, status, now)) {
    return DueMark{
        ref, mark::kReviewReminded,
        NoticeTo(kind::kAgreementReview, ref,
                 NameOf(ref) +
                     " must be reviewed: without a higher version it permits "
                     "nothing from " +
                     review + " on. Still missing: " + Joined(version.state.missing_reviews))};
  }
  if (status == AgreementStatus::kReviewOverdue) {
    return DueMark{ref, mark::kReviewOverdue,
                   NoticeTo(kind::kAgreementReview, ref,
                            NameOf(ref) + " permits nothing any more: its review was due at " +
                                review + " and no higher version is in force")};
  }
  if (HasEnded(version, status, now)) {
    return DueMark{ref, mark::kEnded,
                   NoticeTo(kind::kAgreementChanged, ref,
                            NameOf(ref) + " has ended (" + std::string(policy::Name(status)) +
                                "): what was received under it is deleted at both parties")};
  }
  return std::nullopt;
}

}  // namespace

std::vector<DueMark> DueMarks(const policy::AgreementSet& set, const Marks& done,
                              policy::Instant now) {
  std::vector<DueMark> due;
  ForEachCurrent(set, now, [&](const policy::AgreementVersion& version, AgreementStatus status) {
    auto mark = DueOf(version, status, now);
    if (mark && !done.contains({mark->agreement, std::string(mark->mark)})) {
      due.push_back(*std::move(mark));
    }
  });
  return due;
}

std::vector<EndedVersion> EndedVersions(const policy::AgreementSet& set, policy::Instant now) {
  std::vector<EndedVersion> ended;
  ForEachCurrent(set, now, [&](const policy::AgreementVersion& version, AgreementStatus status) {
    if (!HasEnded(version, status, now)) return;
    EndedVersion& each = ended.emplace_back();
    each.agreement = version.ref;
    for (const policy::Party& party : version.agreement.parties) {
      each.parties.push_back(party.agency);
    }
  });
  return ended;
}

bool Differs(const policy::AgreementSet& set, const policy::AgreementVersion& version,
             const PeerStatus& said) {
  return said.status != policy::Name(set.StatusOf(version, said.at));
}

std::vector<StatusDifference> Differences(const policy::AgreementSet& set,
                                          const PeerStatuses& peers) {
  std::vector<StatusDifference> differences;
  for (const auto& [agreement, said] : peers) {
    const auto* const version = set.FindVersion(agreement.id, agreement.version);
    if (version == nullptr || version->ref != agreement || !Differs(set, *version, said)) continue;
    differences.push_back(
        {agreement, said, std::string(policy::Name(set.StatusOf(*version, said.at)))});
  }
  return differences;
}

identity::Notice NoticeTo(std::string_view kind, const policy::AgreementRef& agreement,
                          std::string words) {
  return {kind,
          {identity::Role::kDpo, identity::Role::kSignatory},
          NameOf(agreement),
          std::move(words)};
}

}  // namespace comity::agreements
