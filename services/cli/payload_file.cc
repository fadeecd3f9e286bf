// SPDX-License-Identifier: Apache-2.0
#include "services/cli/payload_file.h"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/encoding.h"
#include "crypto/base/utf8.h"
#include "policy/model/instant.h"
#include "services/cli/local_file.h"
#include "services/cli/wire_text.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "comity-payload-opening/1";
// 64 payloads of 512 KiB at most, as base64.
constexpr std::size_t kMaxFile = std::size_t{64} << 20;
constexpr std::size_t kMaxEntries = 64;

std::string Base64(std::string_view octets) {
  return EncodeBase64(AsBytes(octets));
}

tl::unexpected<Error> NoOpening(const std::string& member) {
  return Fail(ErrorCode::kInvalidArgument,
              "no opened payloads: '" + member + "' is missing or has another form");
}

Json EntryJson(const v1::OpenedEntry& entry) {
  Json json = {{"index", entry.index()}, {"entry", entry.entry()}, {"erased", entry.erased()}};
  if (entry.has_period_ended()) json["period_ended"] = TimeText(entry.period_ended());
  if (entry.erased()) return json;
  json["key"] = Base64(entry.record_key());
  json["fields"] = Json::array();
  for (const v1::OpenedField& field : entry.fields()) {
    const bool is_text = IsUtf8(field.octets());
    json["fields"].push_back(
        {{"name", field.name()},
         {is_text ? "text" : "base64", is_text ? field.octets() : Base64(field.octets())}});
  }
  json["commitments"] = Json::array();
  for (const v1::OpenedCommitment& one : entry.commitments()) {
    json["commitments"].push_back({{"kind", one.kind()},
                                   {"day", one.day()},
                                   {"key", Base64(one.key())},
                                   {"value", Base64(one.value())}});
  }
  return json;
}

Result<std::string> TextOf(const Json& object, const char* member) {
  const auto found = object.is_object() ? object.find(member) : object.end();
  if (found == object.end() || !found->is_string()) return NoOpening(member);
  return found->get<std::string>();
}

Result<std::string> OctetsOf(const Json& object, const char* member) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, TextOf(object, member));
  const auto octets = ParseBase64(text);
  if (!octets) return NoOpening(member);
  return std::string(AsText(*octets));
}

Status ParseField(const Json& json, v1::OpenedEntry& entry) {
  v1::OpenedField& field = *entry.add_fields();
  COMITY_ASSIGN_OR_RETURN(*field.mutable_name(), TextOf(json, "name"));
  if (json.size() != 2) return NoOpening("fields");
  if (json.contains("text")) {
    COMITY_ASSIGN_OR_RETURN(*field.mutable_octets(), TextOf(json, "text"));
  } else {
    COMITY_ASSIGN_OR_RETURN(*field.mutable_octets(), OctetsOf(json, "base64"));
  }
  return {};
}

Status ParseCommitment(const Json& json, v1::OpenedEntry& entry) {
  v1::OpenedCommitment& one = *entry.add_commitments();
  COMITY_ASSIGN_OR_RETURN(*one.mutable_kind(), TextOf(json, "kind"));
  COMITY_ASSIGN_OR_RETURN(*one.mutable_day(), TextOf(json, "day"));
  COMITY_ASSIGN_OR_RETURN(*one.mutable_key(), OctetsOf(json, "key"));
  COMITY_ASSIGN_OR_RETURN(*one.mutable_value(), OctetsOf(json, "value"));
  return {};
}

Result<v1::OpenedEntry> ParseEntryJson(const Json& json) {
  v1::OpenedEntry entry;
  COMITY_ASSIGN_OR_RETURN(*entry.mutable_entry(), TextOf(json, "entry"));
  if (!json.contains("index") || !json.at("index").is_number_unsigned()) return NoOpening("index");
  entry.set_index(json.at("index").get<std::uint64_t>());
  if (!json.contains("erased") || !json.at("erased").is_boolean()) return NoOpening("erased");
  entry.set_erased(json.at("erased").get<bool>());
  if (json.contains("period_ended")) {
    COMITY_ASSIGN_OR_RETURN(const std::string text, TextOf(json, "period_ended"));
    const auto ended = policy::ParseInstant(text);
    if (!ended) return NoOpening("period_ended");
    *entry.mutable_period_ended() = ToTimestamp(*ended);
  }
  if (entry.erased()) return entry;
  COMITY_ASSIGN_OR_RETURN(*entry.mutable_record_key(), OctetsOf(json, "key"));
  for (const char* member : {"fields", "commitments"}) {
    if (!json.contains(member) || !json.at(member).is_array()) return NoOpening(member);
  }
  for (const Json& field : json.at("fields")) {
    COMITY_RETURN_IF_ERROR(ParseField(field, entry));
  }
  for (const Json& one : json.at("commitments")) {
    COMITY_RETURN_IF_ERROR(ParseCommitment(one, entry));
  }
  return entry;
}

Result<PayloadOpenings> Parse(std::string_view text) {
  const Json file = Json::parse(text, nullptr, false);
  const auto format = TextOf(file, "format");
  if (!format || *format != kFormat) return NoOpening("format");
  PayloadOpenings openings;
  COMITY_ASSIGN_OR_RETURN(openings.approval, TextOf(file, "approval"));
  if (!file.contains("entries") || !file.at("entries").is_array() || file.at("entries").empty() ||
      file.at("entries").size() > kMaxEntries) {
    return NoOpening("entries");
  }
  for (const Json& json : file.at("entries")) {
    COMITY_ASSIGN_OR_RETURN(openings.entries.emplace_back(), ParseEntryJson(json));
  }
  return openings;
}

}  // namespace

std::string EncodePayloadOpenings(const PayloadOpenings& openings) {
  Json entries = Json::array();
  for (const v1::OpenedEntry& entry : openings.entries) entries.push_back(EntryJson(entry));
  const Json file = {
      {"format", kFormat}, {"approval", openings.approval}, {"entries", std::move(entries)}};
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<PayloadOpenings> ReadPayloadOpenings(const std::filesystem::path& path) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, ReadLocalText(path, kMaxFile));
  auto openings = Parse(text);
  if (!openings) {
    return Fail(ErrorCode::kInvalidArgument, path.string() + ": " + openings.error().detail);
  }
  return openings;
}

}  // namespace comity::cli
