// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/sealed_list.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::watchlists {

// A sealed list as its holder says that it stands, verified.
struct SealedOffer {
  sealed::ListHeader header;
  Digest header_digest;
  sealed::ListState state;
  Digest state_digest;
};

// Who may offer what to whom, at what time.
struct SealedOfferTerms {
  const policy::AgencyId& holder;
  const policy::AgencyId& requester;
  std::span<const sign::PublicKey> keys;  // that may sign for the holder
  policy::Instant now{};
};

// Verifies signatures, names, scales and times of header and state, and that they belong together.
//
// In:     envelopes  untrusted; DSSE JSON (sealed_payload.h)
// Errors: kPermissionDenied  signed by nobody who may, or for another requester, or of another
//                            holder
//         kInvalidArgument   no such envelopes or encodings; a list that is over, that lies in the
//                            future or is valid for more than a day; a number above 2^53 - 1; a
//                            state of another header
//         kCorrupt           delta is not the one that follows from the scales
Result<SealedOffer> OpenSealedOffer(const SealedOfferTerms& terms, std::string_view header_envelope,
                                    std::string_view state_envelope);

// The header in an envelope whose signature was verified before, or will be.
// Errors: as above, but for signatures, names and times
Result<sealed::ListHeader> ReadSealedHeader(std::string_view header_envelope);

// Whether nothing is searched in it any more.
bool IsSealedListOver(const sealed::ListHeader& header, policy::Instant now);
// Whether both are sealed lists of one list for one purpose under one agreement version: of two,
// the one of the later epoch counts.
bool AreOfOneScope(const sealed::ListHeader& a, const sealed::ListHeader& b);

}  // namespace comity::watchlists
