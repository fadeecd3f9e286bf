// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"

namespace comity::tlog {

// The two length octets of the format.
inline constexpr std::size_t kMaxBundledEntry = 65'535;

// Appends one entry: uint16_be length || octets.
//
// Errors: kInvalidArgument  longer than 65,535 octets; `bundle` is unchanged
Status AppendToBundle(Bytes& bundle, ByteView entry);

// Calls `visit` for each of the `width` entries of an untrusted bundle, in order.
//
// In:     width  1..256, from the tile's path
// Errors: kCorrupt  not exactly `width` entries, or octets left over; else those of `visit`
// Source: C2SP tlog-tiles "Log entries"
Status ForEachEntry(ByteView bundle, unsigned width, const std::function<Status(ByteView)>& visit);
// The entries, copied. Errors: kCorrupt
Result<std::vector<Bytes>> ParseEntryBundle(ByteView bundle, unsigned width);

}  // namespace comity::tlog
