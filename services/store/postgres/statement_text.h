// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace comity::store {

// The SQL of services/store/sql as PostgreSQL spells it: arguments `?` and `?2` become $1 and $2,
// and x'' becomes '\x'::bytea. Text within '...' stays.
std::string ToPostgres(std::string_view sql);

}  // namespace comity::store
