// SPDX-License-Identifier: Apache-2.0
#include "services/store/sql/setting_store.h"

#include "services/store/sql/guarded_call.h"
#include "services/store/sql/query.h"

namespace comity::store {

Result<std::optional<std::string>> SqlSettingStore::Find(std::string_view name) const {
  using Found = std::optional<std::string>;
  return GuardedStep(connection_, "read the setting", [&]() -> Result<Found> {
    Query row(connection_, "SELECT value FROM setting WHERE name = ?", name);
    if (!row.Next()) return Found();
    return Found(row.Text(0));
  });
}

Status SqlSettingStore::Put(std::string_view name, std::string_view value) {
  return GuardedStep(connection_, "store the setting", [&]() -> Status {
    Query(connection_,
          "INSERT INTO setting (name, value) VALUES (?, ?)"
          " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
          name, value)
        .Run();
    return {};
  });
}

}  // namespace comity::store
