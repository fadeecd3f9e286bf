// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "crypto/sign/ed25519.h"
#include "services/identity/peer.h"
#include "services/store/peer_store.h"

namespace comity::identity {

inline constexpr std::string_view kPeerPayloadType = "application/vnd.comity.peer.v1+json";
inline constexpr std::size_t kMaxPeerRecord = std::size_t{512} << 10;

// The record as it is stored: signed by the agency over every field (docs/formats/peer_record.md).
// Errors: kExhausted  it would exceed kMaxPeerRecord
Result<store::PeerRecord> VouchPeer(const Peer& peer, const policy::AgencyId& own,
                                    const sign::SigningKey& agency_key);

struct ReadPeer {
  Peer peer;
  bool anew = false;  // a former key vouches for it: it is to be vouched for anew
};
// In:     keys  the agency's present key, then those it succeeds
// Errors: kCorrupt  none of `keys` vouches for it, or it is not what was vouched for; names the
//                   agency
Result<ReadPeer> ReadVouchedPeer(const store::PeerRecord& record, const policy::AgencyId& own,
                                 std::span<const sign::PublicKey> keys);

// The card that the record says was announced; empty if none. Nothing is verified.
std::string AnnouncedCardOf(const store::PeerRecord& record);

}  // namespace comity::identity
