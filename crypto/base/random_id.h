// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "crypto/base/random.h"

namespace comity {

// 128 random bits as 26 lower-case base32 characters (RFC 4648 alphabet, no padding).
std::string RandomId(RandomSource& random);
// True for what RandomId makes.
bool IsRandomId(std::string_view text);

}  // namespace comity
