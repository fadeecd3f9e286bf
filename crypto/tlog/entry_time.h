// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "crypto/base/result.h"

namespace comity::tlog {

// UTC with microseconds; the same type as policy::Instant, which this folder may not name.
using EntryTime = std::chrono::sys_time<std::chrono::microseconds>;

// RFC 3339 with 'Z' and 0, 3 or 6 fraction digits, the fewest that lose nothing.
// In: time  years 1970..9999
std::string EncodeEntryTime(EntryTime time);
// Errors: kInvalidArgument  anything but the one spelling EncodeEntryTime gives
Result<EntryTime> ParseEntryTime(std::string_view text);

}  // namespace comity::tlog
