// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "services/casework/alert.h"
#include "services/casework/hit_opening.h"

namespace comity::casework {

// One hit as the holder answered it and both sides' policy let it through.
struct HitReport {
  policy::DeploymentId deployment;  // empty: a retrospective search
  policy::AgencyId holder;
  ReleasedHit hit;
  std::vector<policy::Release> releases;  // Decision::releases
  double threshold = 0;
  policy::EngineProfile engine;
  policy::AgreementRef agreement;
  std::vector<std::string> clauses;        // that permitted the search
  std::chrono::seconds alert_retention{};  // Decision::alert_retention
  policy::Instant answered_at{};           // by the holder's clock, as its answer says
  Frame frame;
  std::map<std::string, Digest> messages;       // `probe`, `answer`: digests that both sides hold
  std::shared_ptr<const HitOpening> opening{};  // of a sealed probe; null: it was none
};

// Errors: kInvalidArgument  no holder, retention not positive, a number that is not finite, or a
//                           text over its bound, with control characters or not UTF-8
Status CheckHitReport(const HitReport& report);

// Errors: kInvalidArgument  as above, naming `what`
Status CheckText(std::string_view what, std::string_view text, std::size_t max);

}  // namespace comity::casework
