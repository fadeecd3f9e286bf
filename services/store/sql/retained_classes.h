// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "policy/model/retention.h"

namespace comity::store {

// How one retention class stands in the tables. The texts live as long as the program, as Query
// needs them; all but `count` are empty for a class whose records have no reference.
struct RetainedSql {
  std::string due;    // reference, since; ?1 until, ?2 limit
  std::string count;  // kept, held, oldest that is not held
  std::string visit;  // reference
  std::string erase;  // ?1 reference, ?2 now; RETURNING 1
  std::string also;   // what goes with it; ?1 reference, ?2 now; may be empty
};

// Null for a class of which the store keeps nothing under a reference.
const RetainedSql* SqlOf(policy::RetentionClass record_class);

}  // namespace comity::store
