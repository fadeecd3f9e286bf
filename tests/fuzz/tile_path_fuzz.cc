// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/tlog/tile.h"

// Tile paths: what is accepted has one spelling.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = comity::AsText({data, size});
  if (const auto tile = comity::tlog::ParseTilePath(text)) {
    COMITY_CHECK(comity::tlog::EncodeTilePath(*tile) == text);
  }
  return 0;
}
