// SPDX-License-Identifier: Apache-2.0
// Example requests of an agreement as a file holds them: any bytes must give either examples that
// can be decided, or faults.
#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "policy/decide/rehearsal.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = comity::policy::ParseExamples(comity::AsText({data, size}));
  COMITY_CHECK(parsed.examples.has_value() == parsed.issues.empty());
  if (!parsed.examples) return 0;
  comity::policy::Agreement empty;
  empty.id = parsed.examples->agreement;
  const auto cases = comity::policy::Rehearse(empty, *parsed.examples);
  COMITY_CHECK(cases.has_value() && cases->size() == parsed.examples->cases.size());
  for (const auto& each : *cases) COMITY_CHECK(!each.decision.permitted());
  return 0;
}
