// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "comity/v1/federation.pb.h"
#include "crypto/base/result.h"
#include "services/identity/peers.h"

namespace comity::gateway {

// The versions of the federation protocol that this gateway speaks.
inline constexpr std::uint32_t kProtocolMin = 1;
inline constexpr std::uint32_t kProtocolMax = 1;
// What it can do beyond the protocol's core, as it tells its partners.
inline constexpr std::array<std::string_view, 2> kCapabilities = {"direct", "sealed"};

// What one side says of itself and of the other.
struct PeerView {
  std::vector<std::string> capabilities;
  std::string state;              // what the receiver is to the sender: active, suspended
  std::vector<std::string> keys;  // ids of the receiver's keys that the sender accepts
};

// What this agency says to `agency`.
PeerView ViewOf(const identity::Peers& peers, const policy::AgencyId& agency, policy::Instant now);

v1::PeerView ToProto(const PeerView& view);
// In:     view  a partner's; untrusted
// Errors: kInvalidArgument  outside the bounds that federation.proto states
Result<PeerView> FromProto(const v1::PeerView& view);
// Untrusted text for people: printable ASCII, at most 64 characters.
std::string CleanSoftware(std::string_view software);

}  // namespace comity::gateway
