// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/sign/dsse.h"

// Signed envelopes: what is accepted has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = comity::AsText({data, size});
  if (const auto envelope = comity::sign::ParseDsseJson(text, 64 * 1024)) {
    COMITY_CHECK(comity::sign::EncodeDsseJson(*envelope) == text);
  }
  return 0;
}
