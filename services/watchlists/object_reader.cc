// SPDX-License-Identifier: Apache-2.0
#include "services/watchlists/object_reader.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "crypto/base/quote.h"

namespace comity::watchlists {
namespace {

using Json = nlohmann::json;

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7f;
  });
}

// Names under which systems keep who a person is, without case and separators.
bool Identifies(std::string_view name) {
  constexpr std::array<std::string_view, 40> kIdentifying = {"name",
                                                             "names",
                                                             "firstname",
                                                             "givenname",
                                                             "forename",
                                                             "forenames",
                                                             "middlename",
                                                             "lastname",
                                                             "surname",
                                                             "familyname",
                                                             "fullname",
                                                             "maidenname",
                                                             "alias",
                                                             "aliases",
                                                             "nickname",
                                                             "dob",
                                                             "dateofbirth",
                                                             "birthdate",
                                                             "birthday",
                                                             "placeofbirth",
                                                             "address",
                                                             "postcode",
                                                             "homeaddress",
                                                             "phone",
                                                             "telephone",
                                                             "mobile",
                                                             "email",
                                                             "passport",
                                                             "passportno",
                                                             "passportnumber",
                                                             "nino",
                                                             "ni",
                                                             "nationalinsurancenumber",
                                                             "nhsnumber",
                                                             "pncid",
                                                             "cro",
                                                             "cronumber",
                                                             "drivinglicence",
                                                             "socialsecuritynumber",
                                                             "vrm"};
  std::string plain;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') plain += static_cast<char>(c - 'A' + 'a');
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) plain += c;
  }
  return std::find(kIdentifying.begin(), kIdentifying.end(), plain) != kIdentifying.end();
}

std::string Joined(std::span<const std::string_view> terms) {
  std::string joined;
  for (const std::string_view term : terms) {
    if (!joined.empty()) joined += ", ";
    joined += term;
  }
  return joined;
}

}  // namespace

ObjectReader::ObjectReader(const Json& object, std::string path, std::vector<std::string>& faults)
    : object_(object), path_(std::move(path)), faults_(faults) {}

void ObjectReader::Fault(std::string_view name, std::string_view what) {
  faults_.push_back("`" + path_ + std::string(name) + "` " + std::string(what));
}

const Json* ObjectReader::Find(std::string_view name, Need need) {
  known_.push_back(name);
  const auto found = object_.find(name);
  if (found != object_.end()) return &*found;
  if (need == Need::kMandatory) Fault(name, "is missing");
  return nullptr;
}

const std::string* ObjectReader::FindText(std::string_view name, Need need) {
  const Json* const value = Find(name, need);
  if (value == nullptr) return nullptr;
  const auto* const text = value->get_ptr<const std::string*>();
  if (text == nullptr) Fault(name, "is not a text");
  return text;
}

std::optional<std::string> ObjectReader::Text(std::string_view name, Need need, std::size_t max) {
  const std::string* const text = FindText(name, need);
  if (text == nullptr) return {};
  if (text->empty() || text->size() > max) {
    Fault(name, "has " + std::to_string(text->size()) + " octets; 1 to " + std::to_string(max) +
                    " are allowed");
    return {};
  }
  if (HasControlCharacter(*text)) {
    Fault(name, "contains a control character");
    return {};
  }
  return *text;
}

std::optional<std::string> ObjectReader::Term(std::string_view name, Need need,
                                              std::span<const std::string_view> terms) {
  const std::string* const text = FindText(name, need);
  if (text == nullptr) return {};
  if (std::find(terms.begin(), terms.end(), *text) == terms.end()) {
    Fault(name, "is " + Quote(*text, 40) + "; allowed are " + Joined(terms));
    return {};
  }
  return *text;
}

std::optional<std::int64_t> ObjectReader::Whole(std::string_view name, Need need,
                                                std::int64_t max) {
  const Json* const value = Find(name, need);
  if (value == nullptr) return {};
  const bool inside =
      value->is_number_unsigned() && value->get<std::uint64_t>() <= static_cast<std::uint64_t>(max);
  if (!inside) {
    Fault(name, "is not a whole number from 0 to " + std::to_string(max));
    return {};
  }
  return value->get<std::int64_t>();
}

std::optional<policy::Instant> ObjectReader::Time(std::string_view name, Need need) {
  const std::string* const text = FindText(name, need);
  if (text == nullptr) return {};
  const auto instant = policy::ParseInstant(*text);
  if (!instant) {
    Fault(name, "is not a time like 2026-11-25T08:00:00Z");
    return {};
  }
  return *instant;
}

void ObjectReader::DateOrUnknown(std::string_view name, Need need) {
  const std::string* const text = FindText(name, need);
  if (text == nullptr || *text == "unknown") return;
  const auto midnight = policy::ParseInstant(*text + "T00:00:00Z");
  if (!midnight || policy::UtcDay(*midnight) != *text) {
    Fault(name, "is not a date like 2026-11-25, nor `unknown`");
  }
}

std::optional<bool> ObjectReader::Flag(std::string_view name, Need need) {
  const Json* const value = Find(name, need);
  if (value == nullptr) return {};
  if (value->is_boolean()) return value->get<bool>();
  Fault(name, "is not true or false");
  return {};
}

const Json* ObjectReader::Object(std::string_view name, Need need) {
  const Json* const value = Find(name, need);
  if (value == nullptr || value->is_object()) return value;
  Fault(name, "is not an object {...}");
  return nullptr;
}

void ObjectReader::Finish() {
  for (const auto& [name, value] : object_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    faults_.push_back(Quote(path_ + name, 60) +
                      (Identifies(name)
                           ? " would say who the person is, which no entry does: keep it in your "
                             "own system, and its key there in `identity_ref`"
                           : " is not a field of an entry"));
  }
}

}  // namespace comity::watchlists
