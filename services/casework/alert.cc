// SPDX-License-Identifier: Apache-2.0
#include "services/casework/alert.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/check.h"
#include "crypto/base/encoding.h"

namespace comity::casework {
namespace {

using Json = nlohmann::json;

// An alert of 16 frames with every field at its bound has about 12 KiB.
constexpr std::size_t kMaxAlertText = std::size_t{128} << 10;

constexpr std::array<std::pair<Outcome, std::string_view>, 3> kOutcomes = {{
    {Outcome::kTrueMatch, "true-match"},
    {Outcome::kNotAMatch, "not-a-match"},
    {Outcome::kCannotSay, "cannot-say"},
}};

template <typename Number>
std::string EncodeNumber(Number value) {
  std::array<char, 64> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  COMITY_CHECK(error == std::errc());
  return {buffer.data(), end};
}

Json EncodeFrame(const Frame& frame) {
  return {{"capture_ref", frame.capture_ref},
          {"camera", frame.camera},
          {"captured_at", policy::EncodeInstant(frame.captured_at)},
          {"exchange_id", frame.exchange_id}};
}

Json HitJson(const ReleasedHit& hit) {
  Json json = Json::object();
  if (!hit.reference.empty()) json["reference"] = hit.reference;
  if (hit.category) json["category"] = hit.category->text();
  if (!hit.response_code.empty()) json["response_code"] = hit.response_code;
  if (hit.similarity) json["similarity"] = EncodeNumber(*hit.similarity);
  return json;
}

Json EncodeReleases(const std::vector<policy::Release>& releases) {
  Json json = Json::array();
  for (const policy::Release& release : releases) {
    Json roles = Json::array();
    for (const policy::ReceiverRole role : release.roles.Terms()) {
      roles.push_back(policy::Name(role));
    }
    json.push_back({{"item", policy::Name(release.item)}, {"roles", std::move(roles)}});
  }
  return json;
}

Json EncodeAcknowledgement(const Acknowledgement& done) {
  return {{"outcome", Name(done.outcome)},
          {"note", done.note},
          {"by", done.by},
          {"at", policy::EncodeInstant(done.at)}};
}

// Reading: what is missing or of another type throws Json::exception, which ParseAlert catches.

template <typename Number>
Result<Number> ParseNumber(const Json& json) {
  const auto& text = json.get_ref<const std::string&>();
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kCorrupt, "an alert's number is not one");
  }
  return value;
}

Result<policy::Instant> InstantAt(const Json& json, const char* name) {
  return policy::ParseInstant(json.at(name).get_ref<const std::string&>());
}

Result<Frame> ParseFrame(const Json& json) {
  COMITY_ASSIGN_OR_RETURN(const policy::Instant captured_at, InstantAt(json, "captured_at"));
  return Frame{json.at("capture_ref").get<std::string>(), json.at("camera").get<std::string>(),
               captured_at, json.at("exchange_id").get<std::string>()};
}

Result<ReleasedHit> ParseHit(const Json& json) {
  ReleasedHit hit;
  hit.reference = json.value("reference", "");
  hit.response_code = json.value("response_code", "");
  if (json.contains("category")) {
    COMITY_ASSIGN_OR_RETURN(
        hit.category, policy::ListCategory::Parse(json["category"].get_ref<const std::string&>()));
  }
  if (json.contains("similarity")) {
    COMITY_ASSIGN_OR_RETURN(hit.similarity, ParseNumber<float>(json["similarity"]));
  }
  return hit;
}

Result<policy::Release> ParseRelease(const Json& json) {
  policy::Release release;
  COMITY_ASSIGN_OR_RETURN(release.item,
                          policy::ParseReleaseItem(json.at("item").get_ref<const std::string&>()));
  for (const Json& role : json.at("roles")) {
    COMITY_ASSIGN_OR_RETURN(const policy::ReceiverRole term,
                            policy::ParseReceiverRole(role.get_ref<const std::string&>()));
    release.roles.Add(term);
  }
  return release;
}

Result<Acknowledgement> ParseAcknowledgement(const Json& json) {
  Acknowledgement done;
  COMITY_ASSIGN_OR_RETURN(done.outcome,
                          ParseOutcome(json.at("outcome").get_ref<const std::string&>()));
  COMITY_ASSIGN_OR_RETURN(done.at, InstantAt(json, "at"));
  done.note = json.at("note").get<std::string>();
  done.by = json.at("by").get<std::string>();
  return done;
}

Result<policy::AgreementRef> ParseAgreement(const Json& json) {
  policy::AgreementRef agreement;
  COMITY_ASSIGN_OR_RETURN(agreement.id,
                          policy::AgreementId::Parse(json.at("id").get_ref<const std::string&>()));
  agreement.version = json.at("version").get<std::uint32_t>();
  COMITY_ASSIGN_OR_RETURN(agreement.sha256,
                          ParseHexDigest(json.at("sha256").get_ref<const std::string&>()));
  return agreement;
}

Status ParseIdentity(const Json& json, Alert& alert) {
  alert.id = json.at("id").get<std::string>();
  alert.state =
      json.at("state") == "new" ? store::AlertState::kNew : store::AlertState::kAcknowledged;
  if (json.contains("deployment")) {
    COMITY_ASSIGN_OR_RETURN(
        alert.deployment,
        policy::DeploymentId::Parse(json["deployment"].get_ref<const std::string&>()));
  }
  COMITY_ASSIGN_OR_RETURN(alert.holder,
                          policy::AgencyId::Parse(json.at("holder").get_ref<const std::string&>()));
  alert.exchange_id = json.at("exchange_id").get<std::string>();
  COMITY_ASSIGN_OR_RETURN(alert.agreement, ParseAgreement(json.at("agreement")));
  return {};
}

Status ParseMatch(const Json& json, Alert& alert) {
  COMITY_ASSIGN_OR_RETURN(alert.hit, ParseHit(json.at("hit")));
  for (const Json& item : json.at("releases")) {
    COMITY_ASSIGN_OR_RETURN(policy::Release release, ParseRelease(item));
    alert.releases.push_back(release);
  }
  COMITY_ASSIGN_OR_RETURN(alert.threshold, ParseNumber<double>(json.at("threshold")));
  const Json& engine = json.at("engine");
  alert.engine = {engine.at("name").get<std::string>(), engine.at("version").get<std::string>(),
                  engine.at("dimension").get<std::uint32_t>()};
  for (const Json& item : json.at("frames")) {
    COMITY_ASSIGN_OR_RETURN(Frame frame, ParseFrame(item));
    alert.frames.push_back(std::move(frame));
  }
  alert.frame_count = json.at("frame_count").get<std::uint32_t>();
  return {};
}

Result<Alert> ParseObject(const Json& json) {
  Alert alert;
  COMITY_RETURN_IF_ERROR(ParseIdentity(json, alert));
  COMITY_RETURN_IF_ERROR(ParseMatch(json, alert));
  COMITY_ASSIGN_OR_RETURN(alert.first_seen, InstantAt(json, "first_seen"));
  COMITY_ASSIGN_OR_RETURN(alert.last_seen, InstantAt(json, "last_seen"));
  COMITY_ASSIGN_OR_RETURN(alert.expires_at, InstantAt(json, "expires_at"));
  if (json.contains("acknowledgement")) {
    COMITY_ASSIGN_OR_RETURN(alert.acknowledgement, ParseAcknowledgement(json["acknowledgement"]));
  }
  if (json.contains("entry_note")) {
    const Json& note = json["entry_note"];
    COMITY_ASSIGN_OR_RETURN(const policy::Instant at, InstantAt(note, "at"));
    alert.entry_note = EntryNote{note.at("change").get<std::string>(), at};
  }
  if (!json.contains("openings")) return alert;
  for (const Json& item : json["openings"]) {
    COMITY_ASSIGN_OR_RETURN(Bytes sealed,
                            ParseBase64(item.at("sealed").get_ref<const std::string&>()));
    alert.openings.push_back({item.at("exchange_id").get<std::string>(), std::move(sealed)});
  }
  return alert;
}

Result<Alert> ParseCanonical(std::string_view text) {
  COMITY_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(text, kMaxAlertText));
  try {
    return ParseObject(json);
  } catch (const Json::exception&) {
    return Fail(ErrorCode::kCorrupt, "a field is missing or of another type");
  }
}

}  // namespace

std::string_view Name(Outcome outcome) {
  for (const auto& [term, name] : kOutcomes) {
    if (term == outcome) return name;
  }
  COMITY_CHECK(false);
}

Result<Outcome> ParseOutcome(std::string_view text) {
  for (const auto& [term, name] : kOutcomes) {
    if (name == text) return term;
  }
  return Fail(ErrorCode::kInvalidArgument, "an outcome is true-match, not-a-match or cannot-say");
}

ReleasedHit VisibleTo(policy::TermSet<policy::ReceiverRole> roles, const ReleasedHit& hit,
                      const std::vector<policy::Release>& releases) {
  ReleasedHit visible;
  for (const policy::Release& release : releases) {
    if (!release.roles.Meets(roles)) continue;
    switch (release.item) {
      case policy::ReleaseItem::kReferenceNumber:
        visible.reference = hit.reference;
        break;
      case policy::ReleaseItem::kCategory:
        visible.category = hit.category;
        break;
      case policy::ReleaseItem::kResponseCode:
        visible.response_code = hit.response_code;
        break;
      case policy::ReleaseItem::kSimilarity:
        visible.similarity = hit.similarity;
        break;
    }
  }
  return visible;
}

std::string_view Name(store::AlertState state) {
  switch (state) {
    case store::AlertState::kNew:
      return "new";
    case store::AlertState::kAcknowledged:
      return "acknowledged";
    case store::AlertState::kWithdrawn:
      return "withdrawn";
  }
  COMITY_CHECK(false);
}

std::string EncodeHit(const ReleasedHit& hit) {
  return EncodeCanonicalJson(HitJson(hit));
}

std::string EncodeAlert(const Alert& alert) {
  Json json = {
      {"id", alert.id},
      {"state", Name(alert.state)},
      {"holder", alert.holder.text()},
      {"hit", HitJson(alert.hit)},
      {"releases", EncodeReleases(alert.releases)},
      {"threshold", EncodeNumber(alert.threshold)},
      {"engine",
       {{"name", alert.engine.name},
        {"version", alert.engine.version},
        {"dimension", alert.engine.dimension}}},
      {"exchange_id", alert.exchange_id},
      {"agreement",
       {{"id", alert.agreement.id.text()},
        {"version", alert.agreement.version},
        {"sha256", EncodeHex(alert.agreement.sha256.view())}}},
      {"frame_count", alert.frame_count},
      {"first_seen", policy::EncodeInstant(alert.first_seen)},
      {"last_seen", policy::EncodeInstant(alert.last_seen)},
      {"expires_at", policy::EncodeInstant(alert.expires_at)},
  };
  if (!alert.deployment.empty()) json["deployment"] = alert.deployment.text();
  json["frames"] = Json::array();
  for (const Frame& frame : alert.frames) json["frames"].push_back(EncodeFrame(frame));
  if (alert.acknowledgement) {
    json["acknowledgement"] = EncodeAcknowledgement(*alert.acknowledgement);
  }
  for (const SealedOpening& opening : alert.openings) {
    json["openings"].push_back(
        {{"exchange_id", opening.exchange_id}, {"sealed", EncodeBase64(opening.sealed)}});
  }
  if (alert.entry_note) {
    json["entry_note"] = {{"change", alert.entry_note->change},
                          {"at", policy::EncodeInstant(alert.entry_note->at)}};
  }
  return EncodeCanonicalJson(json);
}

Result<Alert> ParseAlert(std::string_view text) {
  auto alert = ParseCanonical(text);
  if (!alert) return Fail(ErrorCode::kCorrupt, "not an alert: " + alert.error().detail);
  // One alert has one text: an unknown field or another spelling of a value shows here.
  if (EncodeAlert(*alert) != text) {
    return Fail(ErrorCode::kCorrupt, "not an alert: it has a field or spelling of another form");
  }
  return alert;
}

}  // namespace comity::casework
