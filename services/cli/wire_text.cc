// SPDX-License-Identifier: Apache-2.0
#include "services/cli/wire_text.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "crypto/base/encoding.h"
#include "crypto/base/quote.h"
#include "services/transport/limits.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kDecisionPrefix = "DECISION_CODE_";
constexpr std::string_view kOutcomePrefix = "OUTCOME_";

// DECISION_CODE_NO_AGREEMENT -> no-agreement
std::string TermOf(std::string_view enumerator, std::string_view prefix) {
  std::string term(enumerator.substr(std::min(prefix.size(), enumerator.size())));
  for (char& c : term) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return term;
}

}  // namespace

std::string TimeText(const google::protobuf::Timestamp& time) {
  if (time.seconds() == 0 && time.nanos() == 0) return {};
  return policy::EncodeInstant(policy::Instant(std::chrono::seconds(time.seconds()) +
                                               std::chrono::microseconds(time.nanos() / 1000)));
}

google::protobuf::Timestamp ToTimestamp(policy::Instant instant) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(instant);
  google::protobuf::Timestamp time;
  time.set_seconds(seconds.time_since_epoch().count());
  time.set_nanos(static_cast<int>(std::chrono::nanoseconds(instant - seconds).count()));
  return time;
}

std::string HexText(std::string_view octets) {
  return EncodeHex(AsBytes(octets));
}

std::string EngineText(const v1::EngineProfile& engine) {
  return engine.name() + "/" + engine.version() + "/" + std::to_string(engine.dimension());
}

std::string AgreementText(const v1::AgreementRef& agreement) {
  if (agreement.id().empty()) return {};
  return agreement.id() + "@" + std::to_string(agreement.version());
}

std::string DecisionCodeText(v1::DecisionCode code) {
  // A code of a later version is a refusal that this one cannot name.
  if (!v1::DecisionCode_IsValid(code)) return "refused-" + std::to_string(code);
  return TermOf(v1::DecisionCode_Name(code), kDecisionPrefix);
}

std::string OutcomeText(v1::Outcome outcome) {
  if (outcome == v1::OUTCOME_UNSPECIFIED || !v1::Outcome_IsValid(outcome)) return {};
  return TermOf(v1::Outcome_Name(outcome), kOutcomePrefix);
}

Json ToJson(const v1::EngineProfile& engine) {
  return {
      {"name", engine.name()}, {"version", engine.version()}, {"dimension", engine.dimension()}};
}

Json ToJson(const v1::AgreementRef& agreement) {
  return {{"id", agreement.id()},
          {"version", agreement.version()},
          {"sha256", HexText(agreement.sha256())}};
}

Json ToJson(const v1::Decision& decision) {
  Json json = {{"code", DecisionCodeText(decision.code())}};
  json["agreement"] = decision.has_agreement() ? ToJson(decision.agreement()) : Json(nullptr);
  json["clauses"] = Json::array();
  for (const std::string& clause : decision.clauses()) json["clauses"].push_back(clause);
  return json;
}

Result<v1::EngineProfile> ParseEngine(std::string_view text) {
  const std::size_t last = text.rfind('/');
  const std::size_t first = text.find('/');
  v1::EngineProfile engine;
  std::uint32_t dimension = 0;
  bool is_good = first != std::string_view::npos && first > 0 && last > first + 1;
  if (is_good) {
    const std::string_view number = text.substr(last + 1);
    const auto [end, fault] =
        std::from_chars(number.data(), number.data() + number.size(), dimension);
    is_good = fault == std::errc() && end == number.data() + number.size() &&
              dimension >= transport::limits::kMinDimension &&
              dimension <= transport::limits::kMaxDimension;
  }
  if (!is_good) {
    return Fail(ErrorCode::kInvalidArgument,
                Quote(text) +
                    " is no engine profile; it is NAME/VERSION/DIMENSION with a "
                    "dimension of 32 to 2048, for example facenet/20180402/128");
  }
  engine.set_name(std::string(text.substr(0, first)));
  engine.set_version(std::string(text.substr(first + 1, last - first - 1)));
  engine.set_dimension(dimension);
  return engine;
}

Result<v1::Outcome> ParseOutcome(std::string_view text) {
  for (const v1::Outcome outcome :
       {v1::OUTCOME_TRUE_MATCH, v1::OUTCOME_NOT_A_MATCH, v1::OUTCOME_CANNOT_SAY}) {
    if (OutcomeText(outcome) == text) return outcome;
  }
  return Fail(ErrorCode::kInvalidArgument,
              "an outcome is true-match, not-a-match or cannot-say, not " + Quote(text));
}

Result<v1::SearchMode> ParseMode(std::string_view text) {
  if (text == "direct") return v1::SEARCH_MODE_DIRECT;
  if (text == "sealed") return v1::SEARCH_MODE_SEALED;
  if (text == "any") return v1::SEARCH_MODE_UNSPECIFIED;
  return Fail(ErrorCode::kInvalidArgument, "a mode is direct, sealed or any, not " + Quote(text));
}

}  // namespace comity::cli
