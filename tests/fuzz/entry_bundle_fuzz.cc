// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/tlog/entry_bundle.h"

// Entry bundles; the first octet is the width less one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = comity::AsText({data, size});
  if (text.empty()) return 0;
  const unsigned width = data[0] + 1U;
  const comity::ByteView bundle = comity::AsBytes(text.substr(1));
  if (const auto entries = comity::tlog::ParseEntryBundle(bundle, width)) {
    comity::Bytes again;
    for (const comity::Bytes& entry : *entries) {
      COMITY_CHECK(comity::tlog::AppendToBundle(again, entry).has_value());
    }
    COMITY_CHECK(again == comity::ToBytes(bundle));
  }
  return 0;
}
