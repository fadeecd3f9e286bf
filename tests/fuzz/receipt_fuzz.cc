// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "services/oversight/receipt.h"

// Receipts: a payload that is accepted has one spelling; an envelope is never good without a key.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace comity::oversight;
  const std::string_view text = comity::AsText({data, size});
  if (const auto receipt = ParseReceipt(text)) COMITY_CHECK(EncodeReceipt(*receipt) == text);
  COMITY_CHECK(!OpenReceipt(text, {}).has_value());
  return 0;
}
