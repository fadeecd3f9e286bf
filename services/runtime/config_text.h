// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "services/runtime/config.h"

namespace comity::runtime {

// The forms of text that a configuration may hold. Each answers nothing or false for any other.

// The form of every agency id: 1..64 characters a-z 0-9 '-', first a letter, last not '-'.
bool IsAgencyId(std::string_view text);

// A SPIFFE trust domain: 1..255 characters a-z 0-9 '.' '-' '_'.
bool IsTrustDomain(std::string_view text);

// host:port; the host is a name, an IPv4 address or an IPv6 address in brackets; port 0..65535.
std::optional<Endpoint> ParseEndpoint(std::string_view text);

}  // namespace comity::runtime
