// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "services/store/erasure.h"
#include "services/store/sql/statement.h"
#include "services/store/sql/table_key.h"

namespace comity::store {

// One connection to a database with its prepared statements. The aggregates are written once, in
// SQL that both databases understand: `?` for an argument and x'' for no octets; a back end puts
// its own spelling in their place when it prepares the statement. Beyond that:
// * an argument stands where a column tells its type; elsewhere it is CAST(? AS BIGINT) or AS TEXT
// * CASE for the later of two and for a truth value that is read; 0 and 1 in columns
// * ON CONFLICT where a key may be taken: a statement that fails ends a unit of work on PostgreSQL
// * RETURNING for a number that the database gave
// * pages by key where nothing bounds the rows (kPageRows): PostgreSQL gives a result as a whole
//
// Threads: thread-compatible: one thread at a time.
class Connection {
 public:
  virtual ~Connection() = default;

  // Begins a transaction that may write. Throws DatabaseError.
  virtual void Begin() = 0;
  // Begins a transaction that only reads, all of it one snapshot; it ends by Abandon. Throws
  // DatabaseError.
  virtual void BeginRead() = 0;
  // Returns when the transaction is durable. Throws DatabaseError when it is known that nothing of
  // it was kept.
  virtual void Commit() = 0;
  // True between a beginning and Commit or a rollback. A database may roll back by itself.
  virtual bool InTransaction() const = 0;
  // Rolls the whole transaction back; what its unit of work still tries is refused.
  virtual void Abandon() noexcept = 0;
  // True when it was lost and will not work again.
  virtual bool IsBroken() const { return false; }

  // Statements since OpenSavepoint stand or fall together. Throw DatabaseError.
  virtual void OpenSavepoint() = 0;
  virtual void KeepSavepoint() = 0;
  virtual void UndoSavepoint() = 0;
  // Sends what Statement::RunLater has kept back: who wants to hear here that it is refused. Throws
  // DatabaseError.
  virtual void SendWaiting() {}

  // The size of the log in the transaction that runs, where it is known: each entry is appended at
  // it. Savepoint and GroupCommit keep it true.
  std::optional<std::uint64_t> log_size() const { return log_size_; }
  void set_log_size(std::optional<std::uint64_t> size) { log_size_ = size; }

  // Hands out the prepared statement of `sql`, which must be a literal (or live as long as the
  // connection), and takes it back, reset. Take throws DatabaseError.
  virtual std::unique_ptr<Statement> Take(std::string_view sql) = 0;
  virtual void GiveBack(std::string_view sql, std::unique_ptr<Statement> statement) noexcept = 0;

  // The unit of work erases this record: whoever destroys a key or content says so here, for each
  // record, or the record would come back with a backup (services/store/erasure.h). Its old octets
  // may still stand in the database's files.
  void NoteErasure(ErasedRecord record) {
    erased_.push_back(std::move(record));
    erasure_pending_ = true;
  }
  // What the unit of work that runs has erased.
  std::vector<ErasedRecord>& erased() { return erased_; }
  bool erasure_pending() const { return erasure_pending_; }
  // After a commit: makes the database overwrite what was erased, where it can be told to. Leaves
  // erasure_pending() true when that must be tried again later.
  virtual void FlushErasure() noexcept { set_erasure_done(); }

  // What bound tables are checked with; null: they are not. Set before the connection is used.
  void set_table_key(std::shared_ptr<TableKey> key) { table_key_ = std::move(key); }
  TableKey* table_key() const { return table_key_.get(); }
  // Called before each beginning: what is durable by now is what the transaction must see at least.
  void ExpectWhatIsDurable(bool reads_only) {
    reads_only_ = reads_only;
    if (table_key_ != nullptr) expected_ = table_key_->seen();
  }
  // How often each table is written once the transaction is durable; 0: it does not write it. Kept
  // true by Savepoint and GroupCommit, which tells the key after the commit: a reader may see what
  // a failover takes back.
  const TableKey::Generations& written() const { return written_; }
  void set_written(const TableKey::Generations& written) { written_ = written; }
  void NoteWritten(BoundTable table, std::uint64_t generation) {
    written_.at(static_cast<std::size_t>(table)) = generation;
  }
  void WrittenIsDurable() {
    if (table_key_ == nullptr) return;
    for (const BoundTable table : kBoundTables) {
      table_key_->Note(table, written_.at(static_cast<std::size_t>(table)));
    }
  }
  // The generation that the table has at least.
  std::uint64_t expected(BoundTable table) const {
    return expected_.at(static_cast<std::size_t>(table));
  }
  bool reads_only() const { return reads_only_; }
  // Before a transaction that writes looks at bound tables: until it ends nobody else changes them,
  // so that what is bound is what was checked. Throws DatabaseError.
  virtual void KeepOthersFromBoundTables() {}
  // A query for one name of what would change or replace tables when others are written: triggers
  // and views that the schema does not have; empty where the database lets only its owner add some.
  virtual std::string_view ForeignCode() const { return {}; }

 protected:
  void set_erasure_done() { erasure_pending_ = false; }

 private:
  std::vector<ErasedRecord> erased_;
  bool erasure_pending_ = false;
  std::optional<std::uint64_t> log_size_;
  std::shared_ptr<TableKey> table_key_;
  TableKey::Generations expected_{};
  TableKey::Generations written_{};
  bool reads_only_ = false;
};

}  // namespace comity::store
