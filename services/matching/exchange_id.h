// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/base/random.h"
#include "policy/model/ids.h"

namespace comity::matching {

// 128 random bits as 26 lower-case base32 characters (RFC 4648 alphabet, no padding): joins the
// records of both agencies about one exchange.
std::string NewExchangeId(RandomSource& random);
// d-<26 characters>
policy::DeploymentId NewDeploymentId(RandomSource& random);
// The exchange id of one probe in a session: session/sequence.
std::string ProbeExchangeId(std::string_view session, std::uint64_t sequence);
// True for what NewExchangeId makes; what a peer sends must be of this form.
bool IsExchangeId(std::string_view text);

}  // namespace comity::matching
