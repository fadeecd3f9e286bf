// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/random.h"
#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/matching/deployment.h"
#include "services/matching/offence.h"

namespace comity::matching {

// What is searched for and why, the same for every holder that is asked.
struct SearchOrder {
  policy::SearchRequest request;    // without holder and agreement
  policy::DeploymentId deployment;  // empty: one search by a person
  policy::Instant ends_at{};        // no holder is asked after it
  std::string case_ref;
  std::string operator_id;  // the person answerable for it
  // What else an opening commits to in the log, by field name: `engine_name` of a deployment;
  // `search`, `offence`, `aim`, `subject_status` of one search.
  std::map<std::string, std::string> justification;
};

// The order of a live operation, for which `operator_id` is answerable.
std::shared_ptr<const SearchOrder> OrderOf(const Deployment& definition,
                                           const policy::DeploymentId& id,
                                           const std::string& operator_id,
                                           const policy::AgencyId& own);

// What a single search is for (domain study, LG-3). Closed lists; the names stand in the log.
enum class SearchAim { kIdentify, kMoreData };  // identify, more-data
enum class SubjectStatus { kSuspect, kConvicted, kVictim, kMissing, kRemains };
std::string_view Name(SearchAim aim);
std::string_view Name(SubjectStatus status);

// One search as a person asks for it.
struct IdentifyOrder {
  policy::AgencyId own;
  std::optional<policy::PurposeCode> purpose;
  std::optional<policy::SearchMode> mode;
  std::vector<policy::ListCategory> list_categories;
  policy::EngineProfile engine;
  double threshold = 0;
  std::string case_ref;  // 1..64: no search without a case (PU-7)
  std::string operator_id;
  std::optional<Offence> offence;
  std::optional<SearchAim> aim;
  std::optional<SubjectStatus> subject_status;
  policy::Instant ends_at{};
};

// Errors: kInvalidArgument  names the field and what is allowed
Status CheckOrder(const IdentifyOrder& asked);
// In: search  NewSearchId
//     asked   that CheckOrder found right
std::shared_ptr<const SearchOrder> OrderOf(const IdentifyOrder& asked, const std::string& search);

// s-<26 characters>: joins this agency's log entries of one search at several holders.
std::string NewSearchId(RandomSource& random);

}  // namespace comity::matching
