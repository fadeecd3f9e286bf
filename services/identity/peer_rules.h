// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>

#include "crypto/base/result.h"
#include "services/identity/peer.h"

namespace comity::identity {

// All partners, removed ones too, and this agency (kSelf).
using PeerBook = std::map<policy::AgencyId, Peer>;

// The life of a partner as functions of values: what it is after an act, or why the act cannot be
// done. None changes `book`. Threads: pure functions; safe from any thread.

// A new partner, or a removed one that comes back.
// Errors: kConflict  it is enrolled; the id is this agency's; its trust domain or a key is or was
//                    another's; a key of its own that was replaced or compromised before
//         kExhausted  kMaxPeers, kMaxKeysOfPeer
Result<Peer> Enrolled(const PeerBook& book, const PeerTerms& terms, policy::Instant now);

// Other keys, another address, another name, in one or all.
// A compromise ends, at that moment, every other key that was accepted since.
// Errors: kNotFound  not enrolled, or removed; kConflict  as above, or nothing would change;
//         kInvalidArgument  the overlap is too long, or goes with a compromise; a compromise in the
//                           future
Result<Peer> Rekeyed(const PeerBook& book, const PeerTerms& terms, const Rekeying& how,
                     policy::Instant now);

// The own agency's next key: accepted from now on beside the present one, until the gateway works
// with it. An earlier one that it never worked with ends. The card is kept as announced until then:
// it proves, with the next key, which key that one succeeds. Errors: those of Rekeyed
// In: card  TOML, of which `terms` are
Result<Peer> OwnRekeyed(const PeerBook& book, const PeerTerms& terms, const Rekeying& how,
                        std::string_view card, policy::Instant now);
// The gateway works with `terms.signing_key` now: what went before it ends.
// Errors: kPermissionDenied  the key is not one that is accepted
Result<Peer> OwnWorkingWith(const Peer& self, const PeerTerms& terms, policy::Instant now);

// Errors of all: kNotFound  not enrolled; kConflict  its state does not allow it
Result<Peer> Suspended(const PeerBook& book, const policy::AgencyId& agency,
                       std::string_view reason, policy::Instant now);
// One suspension of one partner, named by when the partner's record changed to it.
struct Suspension {
  policy::AgencyId agency;
  policy::Instant since{};
};
// Errors: kConflict  the partner is not suspended, or by another suspension than this one
Result<Peer> Resumed(const PeerBook& book, const Suspension& suspension, policy::Instant now);
Result<Peer> Removed(const PeerBook& book, const policy::AgencyId& agency, std::string_view reason,
                     policy::Instant now);
// Errors: kNotFound; kConflict  suspended or removed
Result<Peer> Announced(const PeerBook& book, const policy::AgencyId& agency,
                       PeerAnnouncement announcement);

}  // namespace comity::identity
