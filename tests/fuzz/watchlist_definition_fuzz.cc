// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "services/watchlists/definition.h"

// Any octets are either a definition that keeps its rules and can be put into words, or faults.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity;
  using namespace comity::watchlists;
  const ParsedDefinition parsed = ParseDefinition(AsText({data, size}));
  if (parsed.definition.has_value() != parsed.issues.empty()) std::abort();
  if (!parsed.definition) return 0;
  const ListDefinition& list = *parsed.definition;
  if (list.reference.empty() || list.ends_at <= list.starts_at || list.categories.empty() ||
      list.agreements.size() > 16 ||
      list.includes_under_18 != list.HasGround(Exception::kUnder18)) {
    std::abort();
  }
  const Prediction prediction = Predict(list, list.size_cap);
  if (!(prediction.fpir > 0) || !(prediction.fpir <= 1)) std::abort();
  if (Describe(list).empty()) std::abort();
  return 0;
}
