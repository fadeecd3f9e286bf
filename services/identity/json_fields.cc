// SPDX-License-Identifier: Apache-2.0
#include "services/identity/json_fields.h"

#include <utility>

#include "crypto/base/canonical_json.h"
#include "crypto/base/encoding.h"
#include "crypto/base/quote.h"

namespace comity::identity {

JsonFields::JsonFields(nlohmann::json object, std::string what)
    : object_(std::move(object)), what_(std::move(what)) {}

Result<JsonFields> JsonFields::Parse(std::string_view text, std::size_t max_size,
                                     std::string what) {
  auto value = ParseCanonicalJson(text, max_size);
  if (!value) return Fail(value.error().code, what + ": " + value.error().detail);
  if (!value->is_object()) {
    return Fail(ErrorCode::kInvalidArgument, what + ": it is a JSON object");
  }
  return JsonFields(*std::move(value), std::move(what));
}

tl::unexpected<Error> JsonFields::Wrong(std::string_view name, std::string_view why) const {
  return Fail(ErrorCode::kInvalidArgument,
              what_ + ", field `" + std::string(name) + "`: " + std::string(why));
}

Result<std::string> JsonFields::Text(const char* name) {
  const auto found = object_.find(name);
  if (found == object_.end() || !found->is_string()) return Wrong(name, "a text is needed");
  std::string text = std::move(found->get_ref<std::string&>());
  object_.erase(found);
  return text;
}

Result<Digest> JsonFields::HexDigest(const char* name) {
  return Parsed(name, [](std::string_view text) { return ParseHexDigest(text); });
}

Result<std::vector<std::string>> JsonFields::Texts(const char* name) {
  const auto found = object_.find(name);
  if (found == object_.end() || !found->is_array()) return Wrong(name, "a list is needed");
  std::vector<std::string> texts;
  for (nlohmann::json& item : *found) {
    if (!item.is_string()) return Wrong(name, "a list of texts is needed");
    texts.push_back(std::move(item.get_ref<std::string&>()));
  }
  object_.erase(found);
  return texts;
}

Status JsonFields::Finish() const {
  if (object_.empty()) return {};
  return Wrong(Quote(object_.begin().key(), 40), "no such field is known");
}

}  // namespace comity::identity
