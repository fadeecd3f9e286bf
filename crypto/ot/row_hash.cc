// SPDX-License-Identifier: Apache-2.0
#include "crypto/ot/row_hash.h"

#include <algorithm>

#include "crypto/base/check.h"
#include "crypto/ot/avx512.h"

namespace comity::ot {
namespace {

// Rows hashed at a time: what lies between the two passes of AES stays in the first cache.
constexpr std::size_t kRowsAPass = 384;

}  // namespace

RowHash::RowHash(const Block& key, Kernel kernel) {
  if (kernel == Kernel::kPortable) {
    aes_.emplace(key);
    return;
  }
  avx512::KeySchedule schedule;
  avx512::ExpandKey(key, schedule);
  schedule_.Reset(schedule.size());
  std::ranges::copy(schedule, schedule_.ExposeMutable().begin());
}

void RowHash::Hash(std::uint64_t first_number, std::span<const Block> rows, const Block& offset,
                   std::span<std::uint64_t> out) {
  COMITY_CHECK(out.size() == rows.size());
  if (!aes_) {
    avx512::HashRows(schedule_.Expose().data(), {.rows = rows.data(),
                                                 .count = rows.size(),
                                                 .offset = offset,
                                                 .first_number = first_number,
                                                 .out = out.data()});
    return;
  }
  for (std::size_t at = 0; at < rows.size(); at += kRowsAPass) {
    const std::size_t count = std::min(kRowsAPass, rows.size() - at);
    inner_.Reset(count);
    outer_.Reset(count);
    Block* const inner = inner_.ExposeMutable().data();
    Block* const outer = outer_.ExposeMutable().data();
    for (std::size_t k = 0; k < count; ++k) inner[k] = rows[at + k] ^ offset;
    aes_->Encrypt(inner_.ExposeMutable());
    for (std::size_t k = 0; k < count; ++k) {
      outer[k] = inner[k] ^ Block { first_number + at + k, 0 };
    }
    aes_->Encrypt(outer_.ExposeMutable());
    for (std::size_t k = 0; k < count; ++k) out[at + k] = inner[k].low ^ outer[k].low;
  }
}

}  // namespace comity::ot
