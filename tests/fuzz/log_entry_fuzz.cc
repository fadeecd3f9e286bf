// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/canonical_json.h"
#include "crypto/base/check.h"
#include "crypto/tlog/entry.h"

#include <nlohmann/json.hpp>

// Entries: both readers agree, and what they accept is canonical JSON with one spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = comity::AsText({data, size});
  comity::tlog::EntryFacts facts;
  const auto entry = comity::tlog::ParseEntry(text);
  COMITY_CHECK(entry.has_value() == comity::tlog::CheckEntry(text, facts).has_value());
  if (entry) {
    COMITY_CHECK(*comity::tlog::EncodeEntry(*entry) == text);
    COMITY_CHECK(comity::ParseCanonicalJson(text, comity::tlog::kMaxEntrySize).has_value());
  }
  return 0;
}
