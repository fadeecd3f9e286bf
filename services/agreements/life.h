// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/decide/agreement_set.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/agreements/catalogue.h"
#include "services/identity/notices.h"

namespace comity::agreements {

// What happens once in the life of an agreement version.
namespace mark {
inline constexpr std::string_view kReviewReminded = "review-reminded";
inline constexpr std::string_view kReviewOverdue = "review-overdue";
inline constexpr std::string_view kEnded = "ended";
}  // namespace mark
using Marks = std::set<std::pair<policy::AgreementRef, std::string>>;

// One of them that is due now, with what people are told of it.
struct DueMark {
  policy::AgreementRef agreement;
  std::string_view mark;
  identity::Notice notice;
};

// What is due at `now` and not in `done`: reminders of reviews, reviews that are overdue, ends.
std::vector<DueMark> DueMarks(const policy::AgreementSet& set, const Marks& done,
                              policy::Instant now);

// An agreement that has ended: terminated, or past its last day, with no later version in force.
struct EndedVersion {
  policy::AgreementRef agreement;  // what was got under it and any lower version is to be deleted
  std::vector<policy::AgencyId> parties;
};
std::vector<EndedVersion> EndedVersions(const policy::AgreementSet& set, policy::Instant now);

// A version of which the two sides say different things. The peer's word is compared with the
// status that its moment gives here, so that time alone makes no difference.
struct StatusDifference {
  policy::AgreementRef agreement;
  PeerStatus peer;
  std::string here;  // the status that this gateway computes
};
std::vector<StatusDifference> Differences(const policy::AgreementSet& set,
                                          const PeerStatuses& peers);
// Whether `said` differs from what this gateway computes of `version`.
bool Differs(const policy::AgreementSet& set, const policy::AgreementVersion& version,
             const PeerStatus& said);

// Told to data protection officers and signatories, who are responsible for agreements.
identity::Notice NoticeTo(std::string_view kind, const policy::AgreementRef& agreement,
                          std::string words);

}  // namespace comity::agreements
