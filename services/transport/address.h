// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "crypto/base/result.h"
#include "services/runtime/config.h"

namespace comity::transport {

// A TCP address: `gateway.example:7443`, `192.0.2.7:7443` or `[2001:db8::7]:7443`; Address::text()
// is the one spelling that ParseAddress takes, and a gRPC target too.
using Address = runtime::Endpoint;

// True if the host is 127.0.0.0/8, ::1 or `localhost`.
bool IsLoopback(const Address& address);

// In:     text  host and port, both required; port 0..65535 without leading zeros (0: any free
// port,
//               for listening only). No scheme, path, zone or white space; DNS names in lower case.
// Errors: kInvalidArgument
Result<Address> ParseAddress(std::string_view text);

}  // namespace comity::transport
