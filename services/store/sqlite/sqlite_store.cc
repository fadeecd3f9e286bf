// SPDX-License-Identifier: Apache-2.0
#include "services/store/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

#include "services/runtime/descriptor.h"
#include "services/runtime/directory_lock.h"
#include "services/store/sql/group_commit.h"
#include "services/store/sql/read_pool.h"
#include "services/store/sqlite/migrations.h"
#include "services/store/sqlite/sqlite_connection.h"

namespace comity::store {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr std::size_t kMaxReaders = 16;  // each costs about 2 MB of page cache when busy

Error SystemError(const std::string& act, int error) {
  return {ErrorCode::kUnavailable, "cannot " + act + ": " + std::generic_category().message(error)};
}

Result<runtime::Descriptor> OpenPrivate(const std::filesystem::path& file) {
  runtime::Descriptor descriptor(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!descriptor.valid()) return Fail(SystemError("open " + file.string(), errno));
  return descriptor;
}

Result<std::unique_ptr<Connection>> OpenToRead(const std::filesystem::path& file,
                                               std::shared_ptr<TableKey> key) {
  COMITY_ASSIGN_OR_RETURN(auto reader,
                          SqliteConnection::Open(file, SqliteConnection::Mode::kReadOnly));
  reader->set_table_key(std::move(key));
  return reader;
}

// Threads: thread-safe.
class SqliteStore final : public Store {
 public:
  SqliteStore(runtime::Descriptor lock, std::unique_ptr<Connection> writer,
              const std::filesystem::path& file, ErasureLedger* ledger,
              const std::shared_ptr<TableKey>& key)
      : lock_(std::move(lock)),
        writer_(std::move(writer), ledger),
        readers_([file, key] { return OpenToRead(file, key); }, kMaxReaders) {}

  Status OpenReaders() { return readers_.OpenAll(); }
  Status Write(const std::function<Status(Transaction&)>& work) override {
    return writer_.Run(work);
  }
  Status Read(const std::function<Status(const Transaction&)>& work) const override {
    return readers_.Run(work);
  }

 private:
  const runtime::Descriptor lock_;  // first: released when all connections are closed
  GroupCommit writer_;
  mutable ReadPool readers_;
};

// Made here rather than by SQLite, for its mode; SQLite gives its other files the same one.
Result<std::unique_ptr<SqliteConnection>> OpenToWrite(const std::filesystem::path& file) {
  {
    COMITY_RETURN_IF_ERROR(OpenPrivate(file));
  }
  COMITY_ASSIGN_OR_RETURN(auto writer,
                          SqliteConnection::Open(file, SqliteConnection::Mode::kReadWrite));
  COMITY_RETURN_IF_ERROR(Migrate(*writer, EmbeddedMigrations()));
  return writer;
}

}  // namespace

Status MakeSqliteFile(const std::filesystem::path& file) {
  COMITY_RETURN_IF_ERROR(OpenToWrite(file));
  return {};
}

Result<std::unique_ptr<Store>> OpenSqliteStore(const std::filesystem::path& directory,
                                               ErasureLedger* ledger, const SecretBytes* kek) {
  COMITY_ASSIGN_OR_RETURN(runtime::Descriptor lock, runtime::LockDirectory(directory));
  const std::filesystem::path file = directory / "comity.db";
  COMITY_ASSIGN_OR_RETURN(std::unique_ptr<SqliteConnection> writer, OpenToWrite(file));
  const auto key = kek == nullptr ? nullptr : std::make_shared<TableKey>(*kek);
  writer->set_table_key(key);
  auto store = std::make_unique<SqliteStore>(std::move(lock), std::move(writer), file, ledger, key);
  COMITY_RETURN_IF_ERROR(store->OpenReaders());
  return store;
}

}  // namespace comity::store
