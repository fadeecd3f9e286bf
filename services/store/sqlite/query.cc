// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/query.h"

namespace comity::store {

Bytes Query::Blob(int column) const {
  const SQLite::Column value = statement_->getColumn(column);
  const auto* begin = static_cast<const std::uint8_t*>(value.getBlob());
  return begin == nullptr ? Bytes() : Bytes(begin, begin + value.getBytes());
}

void Query::Bind(int position, ByteView value) {
  // A null pointer would bind NULL instead of no octets.
  const void* begin = value.empty() ? static_cast<const void*>("") : value.data();
  statement_->bind(position, begin, static_cast<int>(value.size()));
}

}  // namespace comity::store
