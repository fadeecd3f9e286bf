// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "policy/model/retention.h"
#include "services/store/sql/named_sql.h"

namespace comity::store {

// Destroys what one record holds, in one table. `form` says how its reference is taken to pieces
// (MatchForm); beside those there is the place :at, the time.
struct RetainedErasure {
  std::string form;
  NamedSql statement;
};

// Reads the references of one table page by page: they are the first column, the keys follow; in
// the order of the keys, above those that are given; then the limit.
struct RetainedPages {
  std::string sql;
  std::vector<StoredValue> start;  // keys below every key
};

// How one retention class stands in the tables. The texts live as long as the program, as Query
// needs them; all but `count` are absent for a class whose records have no reference.
struct RetainedSql {
  std::optional<NamedSql> due;  // reference, since; :until, :limit
  std::string count;            // kept, held, oldest that is not held
  std::vector<RetainedPages> pages;
  std::vector<RetainedErasure> erasures;  // in this order
};

// Null for a class of which the store keeps nothing.
const RetainedSql* SqlOf(policy::RetentionClass record_class);

}  // namespace comity::store
