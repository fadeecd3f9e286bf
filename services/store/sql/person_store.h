// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/person_store.h"
#include "services/store/sql/connection.h"

namespace comity::store {

// Threads: thread-compatible, like the connection.
class SqlPersonStore final : public PersonStore {
 public:
  explicit SqlPersonStore(Connection& connection) : connection_(connection) {}
  Status Put(const PersonRecord& person) override;
  Result<std::vector<PersonRecord>> All() const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
