// SPDX-License-Identifier: Apache-2.0
#include "services/cli/opening_file.h"

#include <cstddef>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "crypto/base/encoding.h"
#include "services/cli/local_file.h"

namespace comity::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kOpeningFormat = "comity-opening/1";
constexpr std::size_t kMaxOpeningFile = std::size_t{1} << 20;  // 16 frames of 16 lists have 0.4 MB
constexpr std::size_t kMostOpened = 16;                        // frames; lists of a frame
constexpr std::size_t kMaxOpeningText = 128;                   // as a log entry has
constexpr std::size_t kMaxOpeningOctets = 1024;                // a template, a header

tl::unexpected<Error> NoOpening(const std::string& member) {
  return Fail(ErrorCode::kInvalidArgument,
              "no opening of a sealed search: '" + member + "' is missing or has another form");
}

bool HasOnly(const Json& value, std::initializer_list<const char*> members) {
  if (!value.is_object() || value.size() != members.size()) return false;
  for (const char* member : members) {
    if (!value.contains(member)) return false;
  }
  return true;
}

Result<std::string> TextOf(const Json& object, const char* member) {
  const Json& value = object.at(member);
  if (!value.is_string()) return NoOpening(member);
  std::string text = value.get<std::string>();
  if (text.empty() || text.size() > kMaxOpeningText) return NoOpening(member);
  return text;
}

Result<std::string> OctetsOf(const Json& object, const char* member) {
  const Json& value = object.at(member);
  if (!value.is_string()) return NoOpening(member);
  const auto octets = ParseBase64(value.get_ref<const std::string&>());
  if (!octets || octets->empty() || octets->size() > kMaxOpeningOctets) return NoOpening(member);
  return std::string(AsText(*octets));
}

// An array of 1 to 16.
bool IsSome(const Json& value) {
  return value.is_array() && !value.empty() && value.size() <= kMostOpened;
}

Result<v1::FrameOpening> ParseOpenedFrame(const Json& value) {
  if (!HasOnly(value, {"exchange", "template", "lists"})) return NoOpening("frames");
  v1::FrameOpening frame;
  COMITY_ASSIGN_OR_RETURN(*frame.mutable_exchange_id(), TextOf(value, "exchange"));
  COMITY_ASSIGN_OR_RETURN(*frame.mutable_probe(), OctetsOf(value, "template"));
  if (!IsSome(value.at("lists"))) return NoOpening("lists");
  for (const Json& one : value.at("lists")) {
    if (!HasOnly(one, {"header", "seed"})) return NoOpening("lists");
    v1::SealedListOpening& list = *frame.add_lists();
    COMITY_ASSIGN_OR_RETURN(*list.mutable_header(), OctetsOf(one, "header"));
    COMITY_ASSIGN_OR_RETURN(*list.mutable_seed(), OctetsOf(one, "seed"));
  }
  return frame;
}

}  // namespace

std::string EncodeOpening(const v1::AlertOpening& opening) {
  Json frames = Json::array();
  for (const v1::FrameOpening& frame : opening.frames()) {
    Json lists = Json::array();
    for (const v1::SealedListOpening& list : frame.lists()) {
      lists.push_back({{"header", EncodeBase64(AsBytes(list.header()))},
                       {"seed", EncodeBase64(AsBytes(list.seed()))}});
    }
    frames.push_back({{"exchange", frame.exchange_id()},
                      {"template", EncodeBase64(AsBytes(frame.probe()))},
                      {"lists", std::move(lists)}});
  }
  const Json file = {{"format", kOpeningFormat},
                     {"alert", opening.alert()},
                     {"requester", opening.requester()},
                     {"holder", opening.holder()},
                     {"frames", std::move(frames)}};
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<v1::AlertOpening> ParseOpening(std::string_view text) {
  const Json file = Json::parse(text, nullptr, false);
  if (!HasOnly(file, {"format", "alert", "requester", "holder", "frames"}) ||
      file.at("format") != kOpeningFormat) {
    return NoOpening("format");
  }
  v1::AlertOpening opening;
  COMITY_ASSIGN_OR_RETURN(*opening.mutable_alert(), TextOf(file, "alert"));
  COMITY_ASSIGN_OR_RETURN(*opening.mutable_requester(), TextOf(file, "requester"));
  COMITY_ASSIGN_OR_RETURN(*opening.mutable_holder(), TextOf(file, "holder"));
  if (!IsSome(file.at("frames"))) return NoOpening("frames");
  for (const Json& frame : file.at("frames")) {
    COMITY_ASSIGN_OR_RETURN(*opening.add_frames(), ParseOpenedFrame(frame));
  }
  return opening;
}

Result<v1::AlertOpening> ReadOpeningFile(const std::filesystem::path& path) {
  COMITY_ASSIGN_OR_RETURN(const std::string text, ReadLocalText(path, kMaxOpeningFile));
  auto opening = ParseOpening(text);
  if (!opening) {
    return Fail(ErrorCode::kInvalidArgument, path.string() + ": " + opening.error().detail);
  }
  return opening;
}

}  // namespace comity::cli
