// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>
#include <string_view>
#include <utility>

#include "crypto/base/result.h"
#include "services/store/sql/connection.h"
#include "services/store/sql/database_error.h"

namespace comity::store {

// Runs `call`; what a database throws ends here. `act` names it in the error: "store the alert".
template <typename Call>
auto GuardedCall(std::string_view act, Call&& call) -> decltype(call()) {
  try {
    return std::forward<Call>(call)();
  } catch (const DatabaseError& error) {
    return Fail(error.code(), "cannot " + std::string(act) + ": " + error.what());
  } catch (const std::exception& exception) {
    // Out of memory, above all: the unit is rolled back, and the writer's thread goes on.
    return Fail(ErrorCode::kInternal, std::string(act) + ": " + exception.what());
  }
}

// The same for a step of a unit of work. Outside a transaction it refuses: after the database
// rolled back by itself, a further step would otherwise commit alone.
template <typename Call>
auto GuardedStep(const Connection& connection, std::string_view act, Call&& call)
    -> decltype(call()) {
  if (!connection.InTransaction()) {
    return Fail(ErrorCode::kUnavailable, "the database rolled the unit of work back");
  }
  return GuardedCall(act, std::forward<Call>(call));
}

}  // namespace comity::store
