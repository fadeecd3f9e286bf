// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "crypto/base/random.h"

namespace comity::casework {

// A fresh alert id: "a-" and 128 random bits as 26 characters a-z 2-7 (RFC 4648 base32, lower
// case).
std::string MakeAlertId(RandomSource& random);

}  // namespace comity::casework
