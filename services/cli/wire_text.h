// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "comity/v1/alerts.pb.h"
#include "comity/v1/types.pb.h"
#include "crypto/base/result.h"
#include "policy/model/instant.h"

// The wire's values as people and scripts read them.
namespace comity::cli {

std::string TimeText(const google::protobuf::Timestamp& time);  // RFC 3339; empty when absent
google::protobuf::Timestamp ToTimestamp(policy::Instant instant);

std::string HexText(std::string_view octets);
std::string EngineText(const v1::EngineProfile& engine);       // facenet/20180402/128
std::string AgreementText(const v1::AgreementRef& agreement);  // northshire-eastvale-2026@1
std::string DecisionCodeText(v1::DecisionCode code);           // threshold-below-floor
std::string OutcomeText(v1::Outcome outcome);                  // true-match; empty when none

nlohmann::ordered_json ToJson(const v1::EngineProfile& engine);
nlohmann::ordered_json ToJson(const v1::AgreementRef& agreement);
// {code, agreement or null, clauses}
nlohmann::ordered_json ToJson(const v1::Decision& decision);

// NAME/VERSION/DIMENSION. Errors: kInvalidArgument
Result<v1::EngineProfile> ParseEngine(std::string_view text);
Result<v1::Outcome> ParseOutcome(std::string_view text);
Result<v1::SearchMode> ParseMode(std::string_view text);

}  // namespace comity::cli
