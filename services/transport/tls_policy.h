// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "crypto/base/result.h"

namespace comity::transport {

// Makes TLS 1.3 the only version that this process speaks, as server and as client, in gRPC and in
// every other user of libssl. The first thing main() does: a context made earlier keeps what it
// has.
//
// gRPC 1.51 offers no setting for it and resets the minimum to TLS 1.2, hence two means at once:
// the library's system default forbids TLS 1.2, and gRPC's list of TLS 1.2 suites holds only one
// that nobody can use.
//
// Errors:  kInternal  the policy is not in force afterwards; the process must not go on
// Threads: call before any other thread exists (it sets an environment variable)
Status EnforceTls13();

}  // namespace comity::transport
