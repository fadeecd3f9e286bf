// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/bytes.h"

namespace comity::store {

// A prepared statement: arguments are bound (positions from 1), then it is stepped or run. A back
// end implements it. Methods throw DatabaseError.
//
// Threads: thread-compatible, like its connection.
class Statement {
 public:
  virtual ~Statement() = default;
  virtual void BindInteger(int position, std::int64_t value) = 0;
  virtual void BindText(int position, std::string_view value) = 0;
  virtual void BindBlob(int position, ByteView value) = 0;
  virtual void BindNull(int position) = 0;

  // True while there is a further row, whose columns (from 0) are then read.
  virtual bool Step() = 0;
  // Runs a statement that gives no rows; returns how many rows it changed.
  virtual std::uint64_t Run() = 0;
  // Runs an INSERT of one row, which must not be refused, at the latest before the transaction
  // commits and before a statement that names the table: a back end may gather rows and send them
  // together. A savepoint that is undone takes its rows with it.
  virtual void RunLater() { Run(); }

  virtual bool IsNull(int column) const = 0;
  virtual std::int64_t Integer(int column) const = 0;
  virtual std::string Text(int column) const = 0;
  virtual Bytes Blob(int column) const = 0;
};

}  // namespace comity::store
