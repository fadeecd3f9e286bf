// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

#include "crypto/base/result.h"
#include "services/runtime/config.h"

namespace comity::cli {

// Whether this process could listen there: 0, or the errno of what forbids it. EADDRNOTAVAIL also
// when the name cannot be resolved.
int TryListen(const runtime::Endpoint& endpoint);

// A TCP connection that is closed at once.
// Errors: kUnavailable  with the reason in words
Status TryConnect(const runtime::Endpoint& endpoint, std::chrono::milliseconds patience);

}  // namespace comity::cli
