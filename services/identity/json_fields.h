// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity::identity {

// Reads one canonical JSON object of a closed schema: each field is taken by name, and Finish
// refuses what nobody took.
//
// Threads: thread-compatible.
class JsonFields {
 public:
  // In:     text  untrusted; `what` names it in errors: "decision"
  // Errors: kInvalidArgument  not a canonical JSON object of at most `max_size` octets
  static Result<JsonFields> Parse(std::string_view text, std::size_t max_size, std::string what);

  bool Has(const char* name) const { return object_.contains(name); }
  // Errors of each: kInvalidArgument  missing, or of another kind; names the field
  Result<std::string> Text(const char* name);
  Result<Digest> HexDigest(const char* name);
  Result<std::vector<std::string>> Texts(const char* name);
  // The field as an id or the like: `parse` takes its text.
  template <typename Parse>
  auto Parsed(const char* name, Parse parse) -> decltype(parse(std::string_view())) {
    COMITY_ASSIGN_OR_RETURN(const std::string text, Text(name));
    auto value = parse(std::string_view(text));
    if (!value) return Wrong(name, value.error().detail);
    return value;
  }
  // Errors: kInvalidArgument  a field is left over
  Status Finish() const;

 private:
  JsonFields(nlohmann::json object, std::string what);
  tl::unexpected<Error> Wrong(std::string_view name, std::string_view why) const;

  nlohmann::json object_;
  std::string what_;
};

}  // namespace comity::identity
