// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/peer_view.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "crypto/sign/ed25519.h"
#include "services/transport/peer_identity.h"

namespace comity::gateway {
namespace {

constexpr int kMaxCapabilities = 16;
constexpr std::size_t kMaxCapability = 32;
constexpr int kMaxKeys = 8;
constexpr std::size_t kKeyId = 16;
constexpr std::size_t kMaxSoftware = 64;

bool IsKeyId(std::string_view text) {
  return text.size() == kKeyId && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace

PeerView ViewOf(const identity::Peers& peers, const policy::AgencyId& agency, policy::Instant now) {
  PeerView view;
  view.capabilities.assign(kCapabilities.begin(), kCapabilities.end());
  const auto peer = peers.Find(agency);
  if (!peer) return view;
  view.state = identity::Name(peer->state);
  for (const sign::PublicKey& key : peer->SigningKeysAt(now)) {
    if (view.keys.size() < static_cast<std::size_t>(kMaxKeys)) view.keys.push_back(KeyId(key));
  }
  return view;
}

v1::PeerView ToProto(const PeerView& view) {
  v1::PeerView proto;
  for (const std::string& capability : view.capabilities) proto.add_capabilities(capability);
  proto.set_state(view.state);
  for (const std::string& key : view.keys) proto.add_keys(key);
  return proto;
}

Result<PeerView> FromProto(const v1::PeerView& view) {
  PeerView known;
  const bool bounded = view.capabilities_size() <= kMaxCapabilities && view.keys_size() <= kMaxKeys;
  if (!bounded || (view.state() != "active" && view.state() != "suspended")) {
    return Fail(ErrorCode::kInvalidArgument, "the partner's view is outside its bounds");
  }
  for (const std::string& capability : view.capabilities()) {
    if (!transport::IsPeerName(capability) || capability.size() > kMaxCapability) {
      return Fail(ErrorCode::kInvalidArgument, "a capability is a name of a-z 0-9 '-'");
    }
    known.capabilities.push_back(capability);
  }
  for (const std::string& key : view.keys()) {
    if (!IsKeyId(key)) return Fail(ErrorCode::kInvalidArgument, "a key id has 16 hex digits");
    known.keys.push_back(key);
  }
  known.state = view.state();
  return known;
}

std::string CleanSoftware(std::string_view software) {
  std::string clean(software.substr(0, kMaxSoftware));
  std::ranges::replace_if(clean, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return clean;
}

}  // namespace comity::gateway
