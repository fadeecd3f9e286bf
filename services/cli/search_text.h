// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "comity/v1/recognition.pb.h"

// What searches found, and what partners offer, as people and scripts read it.
namespace comity::cli {

std::string ModeName(v1::SearchMode mode);              // direct, sealed; empty when none
std::string ReasonText(v1::Unanswered::Reason reason);  // holder-busy

std::string IdentifyText(const v1::IdentifyResponse& response);
nlohmann::ordered_json IdentifyJson(const v1::IdentifyResponse& response);

std::string OffersText(const v1::OffersResponse& response);
nlohmann::ordered_json OffersJson(const v1::OffersResponse& response);

}  // namespace comity::cli
