// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/tlog/proof_text.h"

// Offline receipts: what is accepted has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = comity::AsText({data, size});
  if (const auto proof = comity::tlog::ParseTlogProof(text)) {
    COMITY_CHECK(comity::tlog::EncodeTlogProof(*proof) == text);
  }
  return 0;
}
