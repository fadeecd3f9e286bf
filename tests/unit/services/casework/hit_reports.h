// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "services/casework/hit_report.h"

namespace comity::casework::testing {

inline policy::Instant At(const std::string& text) {
  return policy::ParseInstant(text).value();
}

inline HitReport Report(const std::string& reference, const std::string& capture) {
  HitReport report;
  report.deployment = policy::DeploymentId::Parse("d-market-square").value();
  report.holder = policy::AgencyId::Parse("eastvale-council").value();
  report.hit.reference = reference;
  report.hit.category = policy::ListCategory::Parse("wanted-by-courts").value();
  report.hit.response_code = "amber: speak to the person";
  report.hit.similarity = 0.71234F;
  using enum policy::ReceiverRole;
  report.releases = {{policy::ReleaseItem::kReferenceNumber, {kEngine, kOperator, kSupervisor}},
                     {policy::ReleaseItem::kCategory, {kOperator, kSupervisor}},
                     {policy::ReleaseItem::kResponseCode, {kOperator}},
                     {policy::ReleaseItem::kSimilarity, {kAdjudicator}}};
  report.threshold = 0.64;
  report.engine = {"facenet", "1.0", 128};
  report.agreement = {policy::AgreementId::Parse("northshire-eastvale-2026").value(), 2, Digest{}};
  report.clauses = {"p1"};
  report.alert_retention = std::chrono::hours(24);
  report.frame = {capture, "camera-1", At("2026-11-25T07:59:59.500Z"), "x-" + capture};
  return report;
}

}  // namespace comity::casework::testing
