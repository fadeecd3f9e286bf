// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "services/cli/opening_check.h"
#include "services/cli/opening_file.h"

// Files that open sealed probes, and what they are compared with: what is accepted says the same
// when it is written again, and against no log nothing of it is verified.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity::cli;
  const auto opening = ParseOpening(comity::AsText({data, size}));
  if (!opening) return 0;
  const auto again = ParseOpening(EncodeOpening(*opening));
  COMITY_CHECK(again.has_value());
  COMITY_CHECK(again->SerializeAsString() == opening->SerializeAsString());
  const auto findings = OpeningCheck(*opening).Findings();
  COMITY_CHECK(findings.size() == static_cast<std::size_t>(opening->frames_size()));
  for (const FrameFinding& finding : findings) {
    COMITY_CHECK(finding.finding != OpeningFinding::kVerified);
  }
  return 0;
}
