// SPDX-License-Identifier: Apache-2.0
// The agreement document as a partner or a file hands it over: any bytes must give either an
// agreement whose clauses can be rendered, or faults.
#include <cstddef>
#include <cstdint>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "policy/agreement/render.h"
#include "policy/check/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto loaded = comity::policy::LoadAgreement(comity::AsText({data, size}));
  COMITY_CHECK(loaded.agreement.has_value() == loaded.issues.empty());
  if (loaded.agreement) COMITY_CHECK(!comity::policy::RenderClauses(*loaded.agreement).empty());
  return 0;
}
