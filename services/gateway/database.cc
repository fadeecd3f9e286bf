// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/database.h"

#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

#include "services/store/sqlite/sqlite_store.h"
#include "services/store/transfer/transfer.h"

namespace comity::gateway {
namespace {

constexpr const char* kSqliteFile = "comity.db";

Error At(std::string_view place, const Error& error) {
  return {error.code, std::string(place) + ": " + error.detail};
}

}  // namespace

Result<std::unique_ptr<store::Store>> OpenDatabase(const runtime::Config& config,
                                                   store::ErasureLedger* ledger,
                                                   DatabaseOwner owner, const SecretBytes* kek) {
  if (!config.store) {
    auto store = store::OpenSqliteStore(config.data_directory, ledger, kek);
    if (!store) return Fail(At("data.directory", store.error()));
    return store;
  }
  const std::filesystem::path file = config.data_directory / kSqliteFile;
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    return Fail(ErrorCode::kConflict,
                "store.url: " + file.string() +
                    " is there as well, and a node has one database: carry it over with comityd "
                    "--import-database, or take the table [store] out");
  }
  store::PostgresOptions options = store::OptionsOf(*config.store);
  options.wait_for_writer = true;
  options.stop = std::move(owner.stop);
  options.on_superseded = std::move(owner.on_lost);
  auto store = store::OpenPostgresStore(options, ledger, kek);
  if (!store) return Fail(At("store.url", store.error()));
  return *std::move(store);
}

Result<store::RestorationRecord> CopyDatabase(const runtime::Config& config,
                                              const std::filesystem::path& file,
                                              store::RestorationRecord restoration) {
  if (!config.store) {
    return store::CopySqliteStore(config.data_directory, file, std::move(restoration));
  }
  return store::CopyPostgresStore(store::OptionsOf(*config.store), file, std::move(restoration));
}

}  // namespace comity::gateway
