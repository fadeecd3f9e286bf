// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comity/v1/agreements.pb.h"
#include "services/cli/command_line.h"
#include "services/cli/session.h"

namespace comity::cli {

// `comity agreement sign | advise | reject | suspend | resume | review | terminate`.
void AddAgreementActs(CommandLine& line, Session& session);

// What the gateway answers to a submission.
std::string SubmittedText(const v1::SubmitAgreementResponse& response);
nlohmann::ordered_json SubmittedJson(const v1::SubmitAgreementResponse& response);
nlohmann::ordered_json DeliveryJson(const v1::PeerDelivery& delivery);

}  // namespace comity::cli
