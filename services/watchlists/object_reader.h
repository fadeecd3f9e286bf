// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/model/instant.h"

namespace comity::watchlists {

enum class Need { kMandatory, kOptional };

// Reads the fields of one object of a closed schema and notes every fault: a field that is missing,
// of the wrong type, outside its bounds, or unknown (asked for by nobody).
//
// Threads: thread-compatible. `object` and `faults` must outlive it.
class ObjectReader {
 public:
  // In: path  what stands before the names in messages: "" or "image."
  ObjectReader(const nlohmann::json& object, std::string path, std::vector<std::string>& faults);

  // 1..max octets of UTF-8 without control characters.
  std::optional<std::string> Text(std::string_view name, Need need, std::size_t max);
  std::optional<std::string> Term(std::string_view name, Need need,
                                  std::span<const std::string_view> terms);
  std::optional<std::int64_t> Whole(std::string_view name, Need need, std::int64_t max);
  std::optional<policy::Instant> Time(std::string_view name, Need need);
  // 2026-11-25, or the word `unknown`.
  void DateOrUnknown(std::string_view name, Need need);
  std::optional<bool> Flag(std::string_view name, Need need);
  // Null unless the field is an object.
  const nlohmann::json* Object(std::string_view name, Need need);
  // Notes the names that were not asked for; those that would say who a person is by their own
  // message (WL-8). Call it last.
  void Finish();

  void Fault(std::string_view name, std::string_view what);

 private:
  const nlohmann::json* Find(std::string_view name, Need need);
  const std::string* FindText(std::string_view name, Need need);

  const nlohmann::json& object_;
  std::string path_;
  std::vector<std::string>& faults_;
  std::vector<std::string_view> known_;  // literals of the schema
};

}  // namespace comity::watchlists
