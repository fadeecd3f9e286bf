// SPDX-License-Identifier: Apache-2.0
#include "services/identity/peer_rules.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace comity::identity {
namespace {

using policy::Instant;

tl::unexpected<Error> Conflict(std::string why) {
  return Fail(ErrorCode::kConflict, std::move(why));
}

std::string DomainOf(const std::string& spiffe_id) {
  return spiffe_id.substr(0, spiffe_id.rfind('/'));
}

// Also keys that it has no more: nobody can take over another agency's statements with them.
bool EverHad(const Peer& peer, const sign::PublicKey& key) {
  return std::ranges::any_of(peer.keys, [&](const PeerKeys& keys) {
    return keys.signing_key == key || keys.log_key == key;
  });
}

Status CheckDistinct(const PeerBook& book, const PeerTerms& terms) {
  for (const auto& [agency, other] : book) {
    if (agency == terms.agency) continue;
    if (DomainOf(other.terms.spiffe_id) == DomainOf(terms.spiffe_id)) {
      return Conflict("the trust domain of the card is that of " + agency.text());
    }
    if (EverHad(other, terms.signing_key) || EverHad(other, terms.log_key)) {
      return Conflict("a key of the card is, or was, that of " + agency.text());
    }
  }
  return {};
}

// A key that was given up does not come back: whoever has it would speak for the agency again.
Status CheckFresh(const Peer& peer, const PeerTerms& terms) {
  for (const PeerKeys& keys : peer.keys) {
    if (keys.signing_key != terms.signing_key) continue;
    if (keys.end != kReplaced && keys.end != kCompromised) continue;
    return Conflict("the signing key of the card was " + keys.end + " before; " +
                    terms.agency.text() + " needs a new one");
  }
  return {};
}

Status AddKeys(Peer& peer, const PeerTerms& terms, Instant from) {
  if (peer.keys.size() >= kMaxKeysOfPeer) {
    return Fail(ErrorCode::kExhausted, "64 sets of keys of " + peer.terms.agency.text() +
                                           " are kept; no more can be added");
  }
  peer.keys.push_back({terms.signing_key, terms.log_key, terms.anchor_pem, from, {}, {}});
  return {};
}

void End(PeerKeys& keys, Instant until, std::string why) {
  keys.until = std::max(keys.from, until);
  keys.end = std::move(why);
}

// Wherever the replaced key stands: it may have gone on under another certificate.
void EndKey(Peer& peer, const sign::PublicKey& key, Instant until) {
  for (PeerKeys& keys : peer.keys) {
    if (keys.signing_key != key || (keys.until && *keys.until <= until)) continue;
    End(keys, until, std::string(kReplaced));
  }
}

Status CheckRekeying(const Rekeying& how, Instant now) {
  if (how.overlap < std::chrono::seconds(0) || how.overlap > kLongestOverlap) {
    return Fail(ErrorCode::kInvalidArgument, "old keys are accepted for at most 90 days more");
  }
  if (!how.compromised_since) return {};
  if (*how.compromised_since > now) {
    return Fail(ErrorCode::kInvalidArgument, "a compromise cannot begin in the future");
  }
  if (how.overlap == std::chrono::seconds(0)) return {};
  return Fail(ErrorCode::kInvalidArgument, "compromised keys are not accepted any longer");
}

// Ends every other key that was accepted since.
Status CutCompromised(Peer& peer, const sign::PublicKey& sound, Instant since) {
  bool cut = false;
  for (PeerKeys& keys : peer.keys) {
    if (keys.signing_key == sound) continue;
    if (keys.until && *keys.until <= std::max(keys.from, since)) continue;
    End(keys, since, std::string(kCompromised));
    cut = true;
  }
  if (cut) return {};
  return Conflict("no other key of " + peer.terms.agency.text() + " was accepted since then");
}

Result<Peer> Partner(const PeerBook& book, const policy::AgencyId& agency) {
  const auto known = book.find(agency);
  if (known == book.end() || known->second.state == PeerState::kSelf) {
    return Fail(ErrorCode::kNotFound, agency.text() + " is not enrolled here");
  }
  return known->second;
}

Result<Peer> InState(const PeerBook& book, const policy::AgencyId& agency,
                     std::initializer_list<PeerState> states) {
  COMITY_ASSIGN_OR_RETURN(Peer peer, Partner(book, agency));
  if (std::ranges::find(states, peer.state) != states.end()) return peer;
  return Conflict(agency.text() + " is " + std::string(Name(peer.state)));
}

}  // namespace

Result<Peer> Enrolled(const PeerBook& book, const PeerTerms& terms, Instant now) {
  COMITY_RETURN_IF_ERROR(CheckDistinct(book, terms));
  Peer peer;
  const auto known = book.find(terms.agency);
  if (known != book.end()) {
    peer = known->second;
    if (peer.state == PeerState::kSelf) return Conflict("the card is one of this agency itself");
    if (peer.state != PeerState::kRemoved) {
      return Conflict(terms.agency.text() +
                      " is enrolled here; a new card replaces its keys with "
                      "'comity peer rekey'");
    }
  } else if (book.size() > kMaxPeers) {  // this agency is in it too
    return Fail(ErrorCode::kExhausted, "1,000 partners are kept; no more can be enrolled");
  }
  COMITY_RETURN_IF_ERROR(CheckFresh(peer, terms));
  // The first keys count from the first: nothing of the agency can have come before that others
  // signed, and a clock that is set back changes nothing.
  COMITY_RETURN_IF_ERROR(AddKeys(peer, terms, known == book.end() ? Instant{} : now));
  peer.terms = terms;
  peer.state = PeerState::kActive;
  peer.reason.clear();
  // A further enrolment is told from the one that ended, which the erasure ledger may name: also
  // where the clock was set back, or stands.
  peer.enrolled_at = now;
  if (known != book.end()) {
    const Instant last = std::max(known->second.changed_at, known->second.enrolled_at);
    peer.enrolled_at = std::max(now, last + std::chrono::microseconds(1));
  }
  peer.changed_at = now;
  return peer;
}

Result<Peer> Rekeyed(const PeerBook& book, const PeerTerms& terms, const Rekeying& how,
                     Instant now) {
  COMITY_ASSIGN_OR_RETURN(Peer peer,
                          InState(book, terms.agency, {PeerState::kActive, PeerState::kSuspended}));
  COMITY_RETURN_IF_ERROR(CheckRekeying(how, now));
  COMITY_RETURN_IF_ERROR(CheckDistinct(book, terms));
  PeerTerms as_before = peer.terms;
  as_before.fingerprint = terms.fingerprint;
  const bool same_key = terms.signing_key == peer.terms.signing_key;
  const bool same_keys =
      same_key && terms.log_key == peer.terms.log_key && terms.anchor_pem == peer.terms.anchor_pem;
  if (terms == as_before && !how.compromised_since) {
    return Conflict("the card says what is known of " + terms.agency.text() + " already");
  }
  if (!same_key) COMITY_RETURN_IF_ERROR(CheckFresh(peer, terms));
  if (how.compromised_since) {
    COMITY_RETURN_IF_ERROR(CutCompromised(peer, terms.signing_key, *how.compromised_since));
  }
  if (!same_keys) {
    const Instant until = now + how.overlap;
    if (same_key) {
      PeerKeys& latest = peer.keys.back();
      if (!latest.until) End(latest, until, std::string(kReissued));
    } else {
      EndKey(peer, peer.terms.signing_key, until);
    }
    COMITY_RETURN_IF_ERROR(AddKeys(peer, terms, now));
  }
  if (peer.announced && peer.announced->fingerprint == terms.fingerprint) peer.announced.reset();
  peer.terms = terms;
  peer.changed_at = now;
  return peer;
}

Result<Peer> OwnRekeyed(const PeerBook& book, const PeerTerms& terms, const Rekeying& how,
                        std::string_view card, Instant now) {
  const auto known = book.find(terms.agency);
  if (known == book.end() || known->second.state != PeerState::kSelf) {
    return Fail(ErrorCode::kNotFound, terms.agency.text() + " is not this agency");
  }
  Peer self = known->second;
  COMITY_RETURN_IF_ERROR(CheckRekeying(how, now));
  COMITY_RETURN_IF_ERROR(CheckDistinct(book, terms));
  if (EverHad(self, terms.signing_key)) {
    return Conflict("the signing key of the card is, or was, one of this agency already");
  }
  for (PeerKeys& keys : self.keys) {
    const bool works = keys.signing_key == self.terms.signing_key;
    if (!works && keys.OpenAt(now)) End(keys, now, std::string(kReplaced));
  }
  if (how.compromised_since) {
    COMITY_RETURN_IF_ERROR(CutCompromised(self, terms.signing_key, *how.compromised_since));
  }
  COMITY_RETURN_IF_ERROR(AddKeys(self, terms, now));
  self.announced =
      PeerAnnouncement{std::string(card), terms.fingerprint, how.compromised_since, now};
  self.changed_at = now;
  return self;
}

Result<Peer> OwnWorkingWith(const Peer& self, const PeerTerms& terms, Instant now) {
  Peer next = self;
  const auto works = std::ranges::find_if(next.keys, [&](const PeerKeys& keys) {
    return keys.signing_key == terms.signing_key && keys.OpenAt(now);
  });
  if (works == next.keys.end()) {
    return Fail(ErrorCode::kPermissionDenied,
                "the agency's signing key is not one that this node accepts: a new key is "
                "announced, with 'comity peer rekey', before the gateway works with it");
  }
  for (auto keys = next.keys.begin(); keys != works; ++keys) {
    if (keys->OpenAt(now)) End(*keys, now, std::string(kReplaced));
  }
  next.terms = terms;
  if (next != self) next.changed_at = now;
  return next;
}

Result<Peer> Suspended(const PeerBook& book, const policy::AgencyId& agency,
                       std::string_view reason, Instant now) {
  COMITY_ASSIGN_OR_RETURN(Peer peer, InState(book, agency, {PeerState::kActive}));
  peer.state = PeerState::kSuspended;
  peer.reason = reason;
  peer.changed_at = now;
  return peer;
}

Result<Peer> Resumed(const PeerBook& book, const Suspension& suspension, Instant now) {
  COMITY_ASSIGN_OR_RETURN(Peer peer, InState(book, suspension.agency, {PeerState::kSuspended}));
  if (peer.changed_at != suspension.since) {
    return Fail(ErrorCode::kConflict,
                suspension.agency.text() +
                    " was suspended anew or changed since this was proposed; reject it, look why, "
                    "and propose it again");
  }
  peer.state = PeerState::kActive;
  peer.reason.clear();
  peer.changed_at = now;
  return peer;
}

Result<Peer> Removed(const PeerBook& book, const policy::AgencyId& agency, std::string_view reason,
                     Instant now) {
  COMITY_ASSIGN_OR_RETURN(Peer peer,
                          InState(book, agency, {PeerState::kActive, PeerState::kSuspended}));
  for (PeerKeys& keys : peer.keys) {
    if (keys.until && *keys.until <= now) continue;
    End(keys, now, keys.end.empty() ? std::string(kRemoved) : keys.end);
  }
  peer.state = PeerState::kRemoved;
  peer.reason = reason;
  peer.announced.reset();
  peer.changed_at = now;
  return peer;
}

Result<Peer> Announced(const PeerBook& book, const policy::AgencyId& agency,
                       PeerAnnouncement announcement) {
  COMITY_ASSIGN_OR_RETURN(Peer peer, InState(book, agency, {PeerState::kActive}));
  peer.announced = std::move(announcement);
  return peer;
}

}  // namespace comity::identity
