// SPDX-License-Identifier: Apache-2.0
// What is signed, hashed or sealed as JSON: what is accepted is, octet for octet, what this program
// would write, and a value of any other JSON is written so that it is read again as itself.
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/canonical_json.h"
#include "crypto/base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  const std::string_view text = AsText({data, size});
  if (const auto value = ParseCanonicalJson(text, text.size())) {
    COMITY_CHECK(EncodeCanonicalJson(*value) == text);
    COMITY_CHECK(!ParseCanonicalJson(text, text.size() - 1));
  }
  const auto any = nlohmann::json::parse(text, nullptr, false);
  if (any.is_discarded()) return 0;
  const auto canonical = TryEncodeCanonicalJson(any);
  if (!canonical) return 0;
  const auto again = ParseCanonicalJson(*canonical, canonical->size());
  COMITY_CHECK(again && *again == any);
  return 0;
}
