// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdint>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/check.h"
#include "crypto/sealed/sealed_block.h"
#include "crypto/sealed/sealed_list.h"
#include "crypto/sealed/sketch_decode.h"

namespace comity::sealed {
namespace {

// What is accepted has this one encoding.
void TryHeader(ByteView bytes) {
  if (const auto header = ParseListHeader(bytes)) {
    COMITY_CHECK(EncodeListHeader(*header) == ToBytes(bytes));
  }
}

void TryState(ByteView bytes) {
  const auto state = ParseListState(bytes);
  if (!state) return;
  COMITY_CHECK(EncodeListState(*state) == ToBytes(bytes));
  COMITY_CHECK(SlotsOf(*state).has_value());
}

void TryBlock(ByteView bytes) {
  if (const auto block = ParseSealedBlock(bytes, 128, 5)) {
    COMITY_CHECK(EncodeSealedBlock(*block) == ToBytes(bytes));
  }
}

// A requester chooses every bit of it.
void TrySketch(ByteView bytes) {
  static const SlotSet slots = *SlotSet::Create(std::vector<std::uint32_t>{1024, 30}, {});
  for (unsigned cap = 0; cap <= kMaxCap + 1; ++cap) {
    const auto sketch = ParseSketch(bytes, cap);
    if (!sketch) continue;
    COMITY_CHECK(EncodeSketch(*sketch) == ToBytes(bytes));
    COMITY_CHECK(DecodeSketch(*sketch, slots).slots.size() <= cap);
  }
}

}  // namespace
}  // namespace comity::sealed

// What a partner sends of a sealed list and of a search of it; the first octet says which.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const comity::ByteView bytes(data + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      comity::sealed::TryHeader(bytes);
      break;
    case 1:
      comity::sealed::TryState(bytes);
      break;
    case 2:
      comity::sealed::TryBlock(bytes);
      break;
    default:
      comity::sealed::TrySketch(bytes);
  }
  return 0;
}
