// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/table_key.h"

#include <algorithm>
#include <cstddef>

#include "crypto/hash/sha256.h"

namespace comity::store {

TableKey::TableKey(const SecretBytes& kek)
    : key_(hash::DeriveKey(kek, AsBytes("comity/store/table/v1"))) {}

Digest TableKey::Bind(std::string_view name, std::uint64_t generation, ByteView content) const {
  std::array<std::uint8_t, 1 + sizeof generation> number{};  // a 0 ends the name
  for (std::size_t i = number.size() - 1; i > 0; --i, generation >>= 8U) {
    number[i] = static_cast<std::uint8_t>(generation & 0xFFU);
  }
  return hash::HmacSha256(key_, {AsBytes(name), number, content});
}

TableKey::Generations TableKey::seen() const {
  return seen_.With([](const Generations& seen) { return seen; });
}

void TableKey::Note(BoundTable table, std::uint64_t generation) {
  seen_.With([&](Generations& seen) {
    std::uint64_t& newest = seen.at(static_cast<std::size_t>(table));
    newest = std::max(newest, generation);
  });
}

}  // namespace comity::store
