// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::policy {

// A moment in UTC with microseconds; every time in records, messages and decisions is one. Ranges
// are half-open: [from, to).
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

// RFC 3339 in UTC with 'Z' and exactly 0, 3 or 6 fraction digits (the fewest that lose nothing):
// 2026-11-25T08:00:00Z, 2026-11-25T08:00:00.250Z.
std::string EncodeInstant(Instant instant);
// In:     text  RFC 3339 with any numeric offset and up to 6 fraction digits; years 1970..9999
// Errors: kInvalidArgument
Result<Instant> ParseInstant(std::string_view text);

// ISO 8601 duration of the forms PnD, PTnH, PTnM, PTnS and their sums (P1DT12H): no months or
// years, whose length varies. Errors: kInvalidArgument  other text, zero, or more than 3,660 days.
Result<std::chrono::seconds> ParseDuration(std::string_view text);
std::string EncodeDuration(std::chrono::seconds duration);

// The UTC calendar day as 2026-11-25: the unit capacity is counted in.
std::string UtcDay(Instant instant);

}  // namespace comity::policy
