// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "services/watchlists/definition.h"
#include "services/watchlists/import.h"
#include "tests/support/watchlist_text.h"

namespace comity::watchlists::testing {

inline constexpr std::uint32_t kDimension = 32;

inline policy::Instant At(const std::string& text) {
  return policy::ParseInstant(text).value();
}

inline constexpr const char* kNow = "2026-11-25T08:00:00Z";

inline comity::testing::DefinitionText Definition(const std::string& reference) {
  comity::testing::DefinitionText text;
  text.reference = reference;
  text.agreements = {"northshire-eastvale-2026"};
  text.categories = {"wanted-by-courts", "victim", "missing-at-risk"};
  text.engine_version = "1.0";
  text.dimension = kDimension;
  text.starts_at = At("2026-11-25T00:00:00Z");
  text.ends_at = At("2026-11-30T00:00:00Z");
  return text;
}
inline ListDefinition Parsed(const comity::testing::DefinitionText& text) {
  return ParseDefinition(comity::testing::WriteDefinition(text)).definition.value();
}

// Valid on 25 November, reviewed by its end.
inline nlohmann::json Entry(const std::string& reference) {
  nlohmann::json entry = comity::testing::EntryJson({.reference = reference, .now = At(kNow)});
  entry["valid_from"] = "2026-11-25T00:00:00Z";
  entry["expires_at"] = "2026-11-26T00:00:00Z";
  entry["review_by"] = "2026-11-26T00:00:00Z";
  return entry;
}

// Every field of the schema.
inline nlohmann::json FullEntry(const std::string& reference) {
  nlohmann::json entry = Entry(reference);
  entry["offence_code"] = "CJ88116";
  entry["max_penalty_years"] = 10;
  entry["response"]["officer_safety_code"] = "weapons";
  entry["handling_code"] = "C";
  entry["handling_conditions"] = "Not to be told to third parties.";
  entry["identity_ref"] = "nominal 4711";
  return entry;
}

inline std::string Lines(const std::vector<nlohmann::json>& entries) {
  std::string text;
  for (const auto& entry : entries) text += entry.dump() + "\n";
  return text;
}

inline std::vector<float> UnitRows(std::size_t rows, std::uint32_t dimension = kDimension,
                                   unsigned seed = 1) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> elements(rows * dimension);
  for (std::size_t row = 0; row < rows; ++row) {
    double sum = 0;
    for (std::uint32_t i = 0; i < dimension; ++i) {
      float& element = elements[row * dimension + i];
      element = normal(generator);
      sum += double{element} * double{element};
    }
    for (std::uint32_t i = 0; i < dimension; ++i) {
      float& element = elements[row * dimension + i];
      element = static_cast<float>(double{element} / std::sqrt(sum));
    }
  }
  return elements;
}

inline Bytes Float32File(const std::vector<float>& elements) {
  Bytes file(elements.size() * sizeof(float));
  std::memcpy(file.data(), elements.data(), file.size());
  return file;
}

// As numpy.save writes it: version 1.0, header padded so that the elements start at 64 octets.
inline Bytes NpyFile(const std::string& dictionary, const Bytes& elements,
                     std::uint8_t major_version = 1) {
  const std::size_t prefix = major_version == 1 ? 10 : 12;
  std::string header = dictionary;
  header.append(63 - (prefix + header.size()) % 64, ' ');
  header += '\n';
  Bytes file = ToBytes("\x93NUMPY");
  file.push_back(major_version);
  file.push_back(0);
  std::size_t length = header.size();
  for (std::size_t i = 8; i < prefix; ++i, length >>= 8) {
    file.push_back(static_cast<std::uint8_t>(length & 0xff));
  }
  file.insert(file.end(), header.begin(), header.end());
  file.insert(file.end(), elements.begin(), elements.end());
  return file;
}
inline std::string NpyDictionary(std::size_t rows, std::size_t columns) {
  return "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ", " +
         std::to_string(columns) + "), }";
}

inline ImportOptions Options(TemplateFormat format = TemplateFormat::kFloat32) {
  ImportOptions options;
  options.format = format;
  options.engine = {"facenet", "1.0", kDimension};
  options.rules = RulesOf(Parsed(Definition("lantern")));
  options.now = At(kNow);
  return options;
}

inline ParsedImport Parse(const std::vector<nlohmann::json>& entries) {
  return ParseImport(Lines(entries), Float32File(UnitRows(entries.size())), Options());
}

}  // namespace comity::watchlists::testing
