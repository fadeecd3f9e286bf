// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "crypto/base/result.h"
#include "services/identity/people.h"
#include "services/runtime/config.h"

namespace comity::gateway {

// The two administrators of the configuration, from the files that it names.
//
// Errors: kNotFound, kUnavailable  a file; kInvalidArgument  a certificate or key that is none, is
//         of another person or agency, or is that of both; each names the administrator
Result<std::vector<identity::Person>> LoadFirstPeople(const runtime::Config& config);

}  // namespace comity::gateway
