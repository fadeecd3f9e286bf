// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/engine_profile.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "policy/model/terms.h"
#include "services/matching/offence.h"

namespace comity::matching {

// A live operation of the requester, bounded in why, who, where and when. Every field is
// mandatory but the offence and the mode.
struct Deployment {
  static constexpr std::chrono::hours kMaxLength{24};
  static constexpr std::size_t kMaxCategories = 16;
  static constexpr std::uint64_t kMaxExpectedFaces = 100'000'000;
  static constexpr std::uint32_t kLeastFacesPerFalseAlert = 100;
  static constexpr std::uint32_t kMostFacesPerFalseAlert = 1'000'000;

  // 1..32, no two equal; the version in force is used for each probe.
  std::vector<policy::AgreementId> agreements;
  policy::PurposeCode purpose;
  std::vector<policy::ListCategory> list_categories;  // 1..16, no two equal
  policy::EngineProfile engine;
  std::string engine_name;         // the <name> of the engine's certificate, an Id form
  double threshold = 0;            // cosine in (0, 1]
  std::string place;               // 1..256
  std::string reason;              // 1..1000
  std::string case_ref;            // 1..64
  std::optional<Offence> offence;  // absent: none is behind it, as with missing people
  policy::Instant starts_at{};
  policy::Instant ends_at{};
  // Absent: at each holder what its agreement permits, sealed before direct (sealed_mode.h).
  std::optional<policy::SearchMode> mode;
  std::uint64_t expected_faces = 0;  // that will pass, 1..100,000,000
  double false_match_rate = 0;       // of the engine at this threshold, in (0, 1)
  std::string test_report;           // that measured it, 1..256
  // Budget: at most one false alert in so many faces, 100..1,000,000.
  std::uint32_t faces_per_false_alert = 0;

  bool operator==(const Deployment&) const = default;
};

// How a mode that is left open is written.
inline constexpr std::string_view kAnyMode = "any";

enum class DeploymentPhase { kPlanned, kActive, kOver, kStopped, kClosed };
std::string_view Name(DeploymentPhase phase);  // "planned", "active", "over", "stopped", "closed"

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
