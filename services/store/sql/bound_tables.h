// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "services/store/bound_tables.h"
#include "services/store/sql/connection.h"

namespace comity::store {

class SqlBoundTables final : public BoundTables {
 public:
  explicit SqlBoundTables(Connection& connection) : connection_(connection) {}
  Result<std::vector<BoundState>> Look() const override;
  Status Bind() override;
  std::optional<Digest> Authenticate(std::string_view name, std::uint64_t generation,
                                     std::string_view text) const override;
  void Expect(BoundTable table, std::uint64_t generation) const override;
  Result<bool> IsCopy() const override;

 private:
  Connection& connection_;
};

}  // namespace comity::store
