// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/secret.h"
#include "services/runtime/guarded.h"
#include "services/store/bound_tables.h"

namespace comity::store {

// The key that tables are bound with, and the newest generation of each that is known to be
// durable: shared by the connections of one store.
//
// Threads: thread-safe.
class TableKey {
 public:
  using Generations = std::array<std::uint64_t, kBoundTables.size()>;

  // In: kek  the key-encryption key; not kept. Secret: kek
  explicit TableKey(const SecretBytes& kek);

  // In: name     of a table, or of a text that is kept elsewhere; without a 0
  //     content  every row of the table that is bound, each column with its length; or the text
  Digest Bind(std::string_view name, std::uint64_t generation, ByteView content) const;
  Generations seen() const;
  void Note(BoundTable table, std::uint64_t generation);

 private:
  const SecretBytes key_;
  runtime::Guarded<Generations> seen_{Generations{}};
};

}  // namespace comity::store
