// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/terms.h"

namespace comity::matching {

// A live operation of the requester, bounded in why, who, where and when. Every field is mandatory.
struct Deployment {
  static constexpr std::chrono::hours kMaxLength{24};
  static constexpr std::size_t kMaxCategories = 16;

  policy::AgreementId agreement;  // the version in force is used for each probe
  policy::PurposeCode purpose;
  std::vector<policy::ListCategory> list_categories;  // 1..16, no two equal
  policy::EngineProfile engine;
  std::string engine_name;  // the <name> of the engine's certificate, an Id form
  double threshold = 0;     // cosine in (0, 1]
  std::string place;        // 1..256
  std::string reason;       // 1..1000
  std::string case_ref;     // 1..64
  policy::Instant starts_at{};
  policy::Instant ends_at{};
  std::optional<policy::SearchMode> mode;

  bool operator==(const Deployment&) const = default;
};

enum class DeploymentPhase { kPlanned, kActive, kOver, kStopped };
std::string_view Name(DeploymentPhase phase);  // "planned", "active", "over", "stopped"

// Checks every bound above, and that the deployment is not over at `now` already.
// Errors: kInvalidArgument  names the field and what is allowed
Status CheckDeployment(const Deployment& deployment, policy::Instant now);

// Canonical JSON (docs/formats/deployment.md); the threshold is the shortest decimal text that
// reads back as the same double, since canonical JSON has no fractions.
std::string EncodeDeployment(const Deployment& deployment);
// Reads what EncodeDeployment wrote.
// Errors: kCorrupt  the text is not of that form
Result<Deployment> ParseDeployment(std::string_view text);

}  // namespace comity::matching
