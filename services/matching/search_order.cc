// SPDX-License-Identifier: Apache-2.0
#include "services/matching/search_order.h"

#include "crypto/base/check.h"
#include "services/matching/exchange_id.h"
#include "services/matching/search_bounds.h"

namespace comity::matching {

std::shared_ptr<const SearchOrder> OrderOf(const Deployment& definition,
                                           const policy::DeploymentId& id,
                                           const std::string& operator_id,
                                           const policy::AgencyId& own) {
  auto order = std::make_shared<SearchOrder>();
  policy::SearchRequest& request = order->request;
  request.requester = own;
  request.purpose = definition.purpose;
  request.role = policy::RequesterRole::kEngine;
  request.use = policy::UseMode::kLive;
  request.mode = definition.mode;
  request.list_categories = definition.list_categories;
  request.engine = definition.engine;
  request.threshold = definition.threshold;
  request.has_case_reference = true;
  order->deployment = id;
  order->ends_at = definition.ends_at;
  order->case_ref = definition.case_ref;
  order->operator_id = operator_id;
  order->justification = {{"engine_name", definition.engine_name}};
  if (definition.offence) {
    request.offence_class = ClassOf(*definition.offence);
    order->justification["offence"] = NameForLog(*definition.offence);
  }
  return order;
}

std::string_view Name(SearchAim aim) {
  return aim == SearchAim::kIdentify ? "identify" : "more-data";
}

std::string_view Name(SubjectStatus status) {
  switch (status) {
    case SubjectStatus::kSuspect:
      return "suspect";
    case SubjectStatus::kConvicted:
      return "convicted";
    case SubjectStatus::kVictim:
      return "victim";
    case SubjectStatus::kMissing:
      return "missing";
    case SubjectStatus::kRemains:
      return "remains";
  }
  return "unknown";
}

Status CheckOrder(const IdentifyOrder& asked) {
  if (!asked.purpose || asked.purpose->empty()) return Wrong("purpose", "is missing");
  COMITY_RETURN_IF_ERROR(CheckText("case_ref", asked.case_ref, kMaxCaseRef));
  if (asked.offence) COMITY_RETURN_IF_ERROR(CheckOffence(*asked.offence));
  if (!asked.aim) return Wrong("aim", "must be identify or more-data");
  if (!asked.subject_status) {
    return Wrong("subject_status", "must be suspect, convicted, victim, missing or remains");
  }
  COMITY_RETURN_IF_ERROR(CheckEngineProfile(asked.engine));
  COMITY_RETURN_IF_ERROR(CheckThreshold(asked.threshold));
  COMITY_RETURN_IF_ERROR(CheckCategories(asked.list_categories));
  return {};
}

std::shared_ptr<const SearchOrder> OrderOf(const IdentifyOrder& asked, const std::string& search) {
  COMITY_CHECK(asked.aim && asked.subject_status);
  auto order = std::make_shared<SearchOrder>();
  policy::SearchRequest& request = order->request;
  request.requester = asked.own;
  request.purpose = asked.purpose;
  request.role = policy::RequesterRole::kOperator;
  request.use = policy::UseMode::kRetrospective;
  request.mode = asked.mode;
  request.list_categories = asked.list_categories;
  request.engine = asked.engine;
  request.threshold = asked.threshold;
  request.has_case_reference = true;
  order->ends_at = asked.ends_at;
  order->case_ref = asked.case_ref;
  order->operator_id = asked.operator_id;
  order->justification = {{"search", search},
                          {"aim", std::string(Name(*asked.aim))},
                          {"subject_status", std::string(Name(*asked.subject_status))}};
  if (asked.offence) {
    request.offence_class = ClassOf(*asked.offence);
    order->justification["offence"] = NameForLog(*asked.offence);
  }
  return order;
}

std::string NewSearchId(RandomSource& random) {
  return "s-" + NewExchangeId(random);
}

}  // namespace comity::matching
