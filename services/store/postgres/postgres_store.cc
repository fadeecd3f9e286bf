// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/postgres_store.h"

#include <atomic>
#include <utility>

#include "services/store/postgres/postgres_reader.h"
#include "services/store/postgres/postgres_schema.h"
#include "services/store/postgres/postgres_writer.h"
#include "services/store/postgres/server_check.h"
#include "services/store/sql/group_commit.h"
#include "services/store/sql/guarded_call.h"
#include "services/store/sql/read_pool.h"

namespace comity::store {
namespace {

// What the connections share. Outlives them all.
struct Ground {
  explicit Ground(std::stop_token stop) : watch(std::move(stop)) {}
  LineWatch watch;
  WriterNews news;
};

// Threads: thread-safe.
class OpenStore final : public PostgresStore {
 public:
  OpenStore(std::unique_ptr<Ground> ground, std::unique_ptr<PostgresWriter> writer,
            ReadPool::Open open, std::size_t readers, ErasureLedger* ledger)
      : ground_(std::move(ground)),
        writer_(std::move(writer), ledger),
        readers_(std::move(open), readers) {}

  Status Write(const std::function<Status(Transaction&)>& work) override {
    return writer_.Run(work);
  }
  Status Read(const std::function<Status(const Transaction&)>& work) const override {
    return readers_.Run(work);
  }
  bool superseded() const override { return ground_->news.superseded; }

 private:
  const std::unique_ptr<Ground> ground_;  // first: it ends after the connections
  GroupCommit writer_;
  mutable ReadPool readers_;
};

// One role for both: the operator wants it so, and says so by giving it twice.
Result<bool> OwnerMayWrite(const PostgresOptions& options, const PostgresUrl& url) {
  if (options.migration_url.empty()) return false;
  COMITY_ASSIGN_OR_RETURN(
      const PostgresUrl migration,
      PostgresUrl::Parse(options.migration_url, options.migration_password_file));
  return migration.role() == url.role();
}

std::shared_ptr<TableKey> KeyOf(const SecretBytes* kek) {
  return kek == nullptr ? nullptr : std::make_shared<TableKey>(*kek);
}

Result<std::unique_ptr<Connection>> OpenReader(const PostgresUrl& url, LineWatch& watch,
                                               std::chrono::milliseconds limit,
                                               const std::atomic<std::uint64_t>& line,
                                               std::shared_ptr<TableKey> key) {
  COMITY_ASSIGN_OR_RETURN(auto reader, PostgresReader::Open(url, watch, limit, line));
  reader->set_table_key(std::move(key));
  return reader;
}

}  // namespace

PostgresOptions OptionsOf(const runtime::StoreConfig& config) {
  PostgresOptions options;
  options.url = config.url;
  options.password_file = config.password_file.value_or("");
  options.migration_url = config.migration_url;
  options.migration_password_file = config.migration_password_file.value_or("");
  return options;
}

Result<PostgresExamination> ExaminePostgresStore(const PostgresOptions& options,
                                                 const SecretBytes* kek) {
  COMITY_ASSIGN_OR_RETURN(const PostgresUrl url,
                          PostgresUrl::Parse(options.url, options.password_file));
  COMITY_ASSIGN_OR_RETURN(const bool owner_may_write, OwnerMayWrite(options, url));
  COMITY_ASSIGN_OR_RETURN(const std::string target, url.ConnectionString("comity examination"));
  LineWatch watch(options.stop);
  PostgresExamination found;
  COMITY_RETURN_IF_ERROR(GuardedCall("look at the database", [&]() -> Status {
    Session session(target, watch, options.call_timeout);
    CheckServer(session, {owner_may_write, options.accept_unsafe_server});
    found.log_shows_rows = LogShowsRows(session);
    return {};
  }));
  const std::atomic<std::uint64_t> line{0};
  const auto key = KeyOf(kek);
  ReadPool reader(
      [&]() -> Result<std::unique_ptr<Connection>> {
        return OpenReader(url, watch, options.call_timeout, line, key);
      },
      1);
  COMITY_RETURN_IF_ERROR(reader.Run([&](const Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(found.peers, transaction.peers().All());
    COMITY_ASSIGN_OR_RETURN(found.bound, transaction.bound_tables().Look());
    return {};
  }));
  return found;
}

Result<std::unique_ptr<PostgresStore>> OpenPostgresStore(const PostgresOptions& options,
                                                         ErasureLedger* ledger,
                                                         const SecretBytes* kek) {
  COMITY_ASSIGN_OR_RETURN(const PostgresUrl url,
                          PostgresUrl::Parse(options.url, options.password_file));
  COMITY_ASSIGN_OR_RETURN(const bool owner_may_write, OwnerMayWrite(options, url));
  auto ground = std::make_unique<Ground>(options.stop);
  if (!options.migration_url.empty()) {
    COMITY_RETURN_IF_ERROR(MigratePostgres(options, ground->watch));
  }
  const ServerRules rules{owner_may_write, options.accept_unsafe_server};
  PostgresWriter::Setup setup{url,
                              options.patience,
                              options.call_timeout,
                              options.wait_for_writer,
                              options.on_superseded,
                              [rules](Session& session) { CheckServer(session, rules); }};
  COMITY_ASSIGN_OR_RETURN(std::unique_ptr<PostgresWriter> writer,
                          PostgresWriter::Open(std::move(setup), ground->watch, ground->news));
  const auto key = KeyOf(kek);
  writer->set_table_key(key);
  Ground& shared = *ground;
  auto open = [url, limit = options.call_timeout, key,
               &shared]() -> Result<std::unique_ptr<Connection>> {
    return OpenReader(url, shared.watch, limit, shared.news.line, key);
  };
  return std::make_unique<OpenStore>(std::move(ground), std::move(writer), std::move(open),
                                     options.readers, ledger);
}

}  // namespace comity::store
