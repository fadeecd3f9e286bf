// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/database_import.h"

#include <filesystem>
#include <string>
#include <system_error>

#include "services/runtime/directory_lock.h"
#include "services/store/sqlite/sqlite_store.h"

namespace comity::gateway {

Result<store::Imported> ImportDatabase(const runtime::Config& config) {
  if (!config.store) {
    return Fail(ErrorCode::kInvalidArgument,
                "the configuration has no table [store]: there is no database to import into");
  }
  const std::filesystem::path file = config.data_directory / "comity.db";
  const std::filesystem::path after = config.data_directory / "comity.db.imported";
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    return Fail(ErrorCode::kNotFound, "data.directory: there is no " + file.string());
  }
  if (std::filesystem::exists(after, error)) {
    return Fail(ErrorCode::kConflict, "data.directory: " + after.string() + " is there already");
  }
  {
    // Brings the file's schema up to date; fails while a gateway has the folder.
    auto opened = store::OpenSqliteStore(config.data_directory);
    if (!opened) return Fail(opened.error());
  }
  COMITY_ASSIGN_OR_RETURN(const runtime::Descriptor lock,
                          runtime::LockDirectory(config.data_directory));
  auto imported = store::ImportIntoPostgres(file, store::OptionsOf(*config.store));
  if (!imported) return Fail(imported.error().code, "store: " + imported.error().detail);
  std::filesystem::rename(file, after, error);
  if (error) {
    return Fail(ErrorCode::kUnavailable, "everything is carried over, but " + file.string() +
                                             " cannot be renamed: " + error.message() +
                                             "; move it away before the gateway starts");
  }
  // Lost in a crash, the new name only makes the next start refuse.
  return imported;
}

}  // namespace comity::gateway
