// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/setting_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlSettingStore final : public SettingStore {
 public:
  explicit SqlSettingStore(Connection& connection) : connection_(connection) {}
  Result<std::optional<std::string>> Find(std::string_view name) const override;
  Status Put(std::string_view name, std::string_view value) override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
