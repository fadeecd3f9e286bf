// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/encoding.h"

namespace comity::testing {

// A file of tests/vectors by its path below it. A missing file ends the test with an exception.
inline std::string ReadVector(const std::string& path) {
  std::ifstream in(std::string(COMITY_SOURCE_DIR) + "/tests/vectors/" + path, std::ios::binary);
  if (!in) throw std::runtime_error("no vector file " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline nlohmann::json ReadJsonVector(const std::string& path) {
  return nlohmann::json::parse(ReadVector(path));
}

inline Digest DigestOf(const nlohmann::json& base64) {
  return ParseBase64Digest(base64.get<std::string>()).value();
}

inline std::vector<Digest> DigestsOf(const nlohmann::json& list) {
  std::vector<Digest> digests;
  for (const auto& item : list) digests.push_back(DigestOf(item));
  return digests;
}

}  // namespace comity::testing
