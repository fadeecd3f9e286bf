// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/result.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "services/matching/deployment.h"

namespace comity::matching {

// What is known of one holder when a deployment is proposed.
struct HolderForecast {
  policy::AgencyId agency;
  policy::ReasonCode code{};   // how a face would be decided now
  double threshold_floor = 0;  // of the permission; 0: none
  bool reached = false;        // the holder said what it offers; else the counts are unknown
  std::uint64_t entries = 0;
  std::map<std::string, std::uint64_t> categories;
  bool operator==(const HolderForecast&) const = default;
};

// A deployment as the second person is to judge it: the content of the act deployment-start
// (docs/formats/deployment.md).
struct DeploymentProposal {
  policy::DeploymentId id;
  Deployment definition;
  std::vector<HolderForecast> holders;
  bool operator==(const DeploymentProposal&) const = default;
};

std::string EncodeProposal(const DeploymentProposal& proposal);
// Errors: kInvalidArgument  the text is not of that form
Result<DeploymentProposal> ParseProposal(std::string_view content);

// False alerts that are to be expected over the whole deployment, at one holder or at all together.
double PredictedFalseAlerts(const Deployment& definition, std::uint64_t entries);
std::uint64_t EntriesOf(const std::vector<HolderForecast>& holders);

// Why, who, where and when, with which engine and threshold; sizes, and what they predict.
std::string DescribeProposal(const DeploymentProposal& proposal);

}  // namespace comity::matching
