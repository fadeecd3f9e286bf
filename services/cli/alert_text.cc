// SPDX-License-Identifier: Apache-2.0
#include "services/cli/alert_text.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "services/cli/output.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

Json TextOrNull(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json HitJson(const v1::Hit& hit) {
  return {{"reference", TextOrNull(hit.reference())},
          {"category", TextOrNull(hit.category())},
          {"response_code", TextOrNull(hit.response_code())},
          {"similarity", hit.has_similarity() ? Json(hit.similarity()) : Json(nullptr)}};
}

Json NoteJson(const v1::Alert& alert) {
  if (!alert.has_entry_note()) return nullptr;
  return {{"change", alert.entry_note().change()}, {"at", TimeText(alert.entry_note().at())}};
}

}  // namespace

std::string LastCamera(const v1::Alert& alert) {
  return alert.frames().empty() ? std::string() : alert.frames(alert.frames_size() - 1).camera();
}

std::string AlertLine(const v1::Alert& alert) {
  std::string text = TimeText(alert.last_seen()) + "  " + alert.alert() + "  " + alert.state() +
                     "  " + alert.holder() + " " + alert.hit().reference();
  if (!alert.hit().category().empty()) text += "  " + alert.hit().category();
  if (!alert.hit().response_code().empty()) text += "  [" + alert.hit().response_code() + "]";
  if (alert.hit().has_similarity()) {
    char similarity[32];
    std::snprintf(similarity, sizeof similarity, "  %.3f", double{alert.hit().similarity()});
    text += similarity;
  }
  if (!alert.frames().empty()) {
    const v1::Frame& frame = alert.frames(alert.frames_size() - 1);
    text += "  camera " + frame.camera() + "  capture " + frame.capture_ref();
  }
  text += "  frames " + std::to_string(alert.frame_count());
  const std::string outcome = OutcomeText(alert.outcome());
  if (!outcome.empty()) text += "  outcome " + outcome;
  if (alert.has_entry_note()) text += "  entry " + alert.entry_note().change() + " by the holder";
  return Clean(text);
}

Json AlertJson(const v1::Alert& alert) {
  Json json = {{"alert", alert.alert()},
               {"state", alert.state()},
               {"deployment", alert.deployment()},
               {"holder", alert.holder()},
               {"hit", HitJson(alert.hit())},
               {"threshold", alert.threshold()},
               {"engine", ToJson(alert.engine())},
               {"exchange_id", alert.exchange_id()},
               {"agreement", ToJson(alert.agreement())},
               {"frames", Json::array()},
               {"frame_count", alert.frame_count()},
               {"first_seen", TimeText(alert.first_seen())},
               {"last_seen", TimeText(alert.last_seen())},
               {"expires_at", TimeText(alert.expires_at())},
               {"outcome", TextOrNull(OutcomeText(alert.outcome()))},
               {"acknowledged_at", TextOrNull(TimeText(alert.acknowledged_at()))},
               {"entry_note", NoteJson(alert)}};
  for (const v1::Frame& frame : alert.frames()) {
    json["frames"].push_back({{"capture_ref", frame.capture_ref()},
                              {"camera", frame.camera()},
                              {"captured_at", TimeText(frame.captured_at())},
                              {"exchange_id", frame.exchange_id()}});
  }
  return json;
}

}  // namespace comity::cli
