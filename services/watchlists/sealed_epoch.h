// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/sealed_list.h"
#include "crypto/sign/ed25519.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::watchlists {

// For whom, under what and from which list a sealed list is made.
struct SealedScope {
  policy::AgencyId requester;
  policy::AgreementRef agreement;
  policy::PurposeCode purpose;
  policy::WatchlistId list;
  auto operator<=>(const SealedScope&) const = default;
};
SealedScope ScopeOf(const sealed::ListHeader& header);  // of a header that this agency made

// The references of a block's slots, slot 0 first: only the holder knows them.
using BlockHandles = std::vector<std::string>;

// One epoch of a sealed list at one state. A later state is another object.
//
// Threads: immutable.
struct SealedEpoch {
  SealedScope scope;
  std::shared_ptr<const sealed::EpochView> view;
  std::vector<std::shared_ptr<const BlockHandles>> handles;  // as view->state().blocks
  bool superseded = false;  // a newer epoch of the scope is in force
  std::string
      header_envelope;  // DSSE JSON by the agency key (services/watchlists/sealed_payload.h)
  std::string state_envelope;

  const Digest& header() const { return view->header_digest(); }
  policy::Instant valid_until() const;
  // The entry in a slot; null: none, or withdrawn.
  const std::string* ReferenceOf(std::uint32_t number) const;
};
using SealedEpochPtr = std::shared_ptr<const SealedEpoch>;

// What a sealed list's slots are numbered by.
constexpr std::uint32_t SlotNumber(std::uint32_t block, std::size_t slot) {
  return block * static_cast<std::uint32_t>(sealed::kRingDegree) +
         static_cast<std::uint32_t>(slot) + 1;
}

// An epoch with its state signed. Errors: those of EpochView::Create
struct EpochParts {
  sealed::ListHeader header;
  sealed::ListState state;
  sealed::EpochView::Secrets secrets;
  std::vector<std::shared_ptr<const BlockHandles>> handles;
  bool superseded = false;
};
Result<SealedEpochPtr> MakeEpoch(EpochParts parts, const sign::SigningKey& agency_key);
// What `epoch` is made of: where the next state begins.
EpochParts PartsOf(const SealedEpoch& epoch);

}  // namespace comity::watchlists
