// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/stop_lift.h"

#include <nlohmann/json.hpp>

#include "crypto/base/canonical_json.h"
#include "services/identity/json_fields.h"
#include "services/identity/visible_text.h"

namespace comity::oversight {
namespace {

constexpr std::size_t kMaxContent = 8 * 1024;  // a reason of 1,000 octets, each escaped

struct Content {
  std::string stop;
  std::string reason;
};

Result<Content> Parse(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(auto fields, identity::JsonFields::Parse(text, kMaxContent, "stop-lift"));
  Content content;
  COMITY_ASSIGN_OR_RETURN(content.stop, fields.Text("stop"));
  COMITY_ASSIGN_OR_RETURN(content.reason, fields.Text("reason"));
  COMITY_RETURN_IF_ERROR(fields.Finish());
  COMITY_RETURN_IF_ERROR(
      identity::CheckVisibleText("the reason", content.reason, StopOrder::kMaxReason));
  return content;
}

}  // namespace

std::string EncodeStopLift(std::string_view stop, std::string_view reason) {
  return TryEncodeCanonicalJson({{"stop", stop}, {"reason", reason}}).value_or("{}");
}

Result<std::string> StopLift::Describe(std::string_view text) const {
  COMITY_ASSIGN_OR_RETURN(const Content content, Parse(text));
  COMITY_ASSIGN_OR_RETURN(const Stop stop, stops_.Get(content.stop));
  if (stop.lifted_by) return Fail(ErrorCode::kConflict, "the stop is lifted already");
  std::string words = "Lifts stop " + stop.id + ": the " + std::string(Name(stop.scope)) + " " +
                      stop.reference + " is searched again.\nIt was set by " + stop.set_by +
                      " at " + policy::EncodeInstant(stop.set_at) + ": " + stop.reason;
  if (!stop.order.empty()) words += "\nIt carries out order " + stop.order + ".";
  return words + "\nWhy it is to be lifted: " + content.reason;
}

Result<identity::ActHandler::AfterCommit> StopLift::Carry(store::Transaction& transaction,
                                                          audit::Recorder& recorder,
                                                          const identity::PendingAct& act,
                                                          const policy::PersonId& by) {
  COMITY_ASSIGN_OR_RETURN(const Content content, Parse(act.content));
  COMITY_ASSIGN_OR_RETURN(const Stop stop,
                          stops_.Lift(transaction, recorder, content.stop, by, content.reason));
  COMITY_RETURN_IF_ERROR(alarms_.OnLift(transaction, stop));
  // What cannot be read again stays stopped, and the next change reads it.
  return AfterCommit([this] { static_cast<void>(stops_.Refresh()); });
}

}  // namespace comity::oversight
