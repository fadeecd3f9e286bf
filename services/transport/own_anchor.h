// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include "crypto/base/result.h"
#include "services/runtime/clock.h"

namespace comity::transport {

// The one CA certificate of `roots_file` that speaks for the gateway's own certificate, as PEM:
// what partners pin. Errors: kInvalidArgument  none does, or a file holds no certificates
//         kNotFound, kUnavailable, kPermissionDenied  a file cannot be read
Result<std::string> OwnAnchor(const std::filesystem::path& identity_file,
                              const std::filesystem::path& roots_file, runtime::Instant now);

}  // namespace comity::transport
