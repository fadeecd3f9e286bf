// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "services/store/sql/query.h"

// From columns to domain values. A row that does not hold what it must is kCorrupt.
namespace comity::store {

// A back end may hold a whole result in memory: what nothing bounds is read in pages of so many
// rows, in the order of a key.
inline constexpr std::int64_t kPageRows = 512;

template <typename IdType>
Result<IdType> ReadId(const Query& row, int column) {
  auto id = IdType::Parse(row.Text(column));
  if (!id) return Fail(ErrorCode::kCorrupt, "a stored id is malformed");
  return *std::move(id);
}

inline Result<Digest> ReadDigest(const Query& row, int column) {
  const Bytes octets = row.Blob(column);
  Digest digest;
  if (octets.size() != Digest::kSize) {
    return Fail(ErrorCode::kCorrupt, "a stored digest has the wrong length");
  }
  std::copy(octets.begin(), octets.end(), digest.bytes.begin());
  return digest;
}

template <typename Enum>
Result<Enum> ReadEnum(const Query& row, int column, std::initializer_list<Enum> known) {
  const std::int64_t number = row.Integer(column);
  for (const Enum value : known) {
    if (static_cast<std::int64_t>(value) == number) return value;
  }
  return Fail(ErrorCode::kCorrupt, "a stored state is unknown");
}

inline Result<std::uint32_t> ReadUint32(const Query& row, int column) {
  const std::int64_t number = row.Integer(column);
  if (number < 0 || number > std::numeric_limits<std::uint32_t>::max()) {
    return Fail(ErrorCode::kCorrupt, "a stored number is out of range");
  }
  return static_cast<std::uint32_t>(number);
}

// A BLOB that is text to us.
inline std::string ReadOctets(const Query& row, int column) {
  const Bytes octets = row.Blob(column);
  return std::string(AsText(octets));
}

// An INSERT that may meet a taken key is written with ON CONFLICT DO NOTHING, so that a refused key
// leaves the rest of its unit of work standing: one that failed would end it on PostgreSQL.
inline Status IfAdded(std::uint64_t rows, std::string_view otherwise) {
  if (rows == 1) return {};
  return Fail(ErrorCode::kConflict, std::string(otherwise));
}

// The database's integers are signed; a larger number is the caller's fault.
inline Result<std::int64_t> ToStored(std::uint64_t number) {
  if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return Fail(ErrorCode::kInvalidArgument, "number above 2^63 - 1");
  }
  return static_cast<std::int64_t>(number);
}

}  // namespace comity::store
