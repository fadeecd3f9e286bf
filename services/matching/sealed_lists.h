// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "crypto/sealed/list_view.h"
#include "crypto/sealed/release_budget.h"
#include "policy/model/decision.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"
#include "services/store/store.h"

namespace comity::matching {

// Lists that one session searches at most. More for the same agreement, purpose and engine are
// neither offered nor searched.
inline constexpr std::size_t kMostSealedLists = 16;

// A sealed list at one state, as somebody names it.
struct SealedListRef {
  Digest header;
  std::uint64_t sequence = 0;
  Digest state;
};

// A sealed list of this agency at one state.
struct SealedListInForce {
  policy::WatchlistId list;
  std::shared_ptr<const sealed::EpochView> view;
  // The entry in a slot; null: none, or withdrawn. Valid as long as this object.
  std::function<const std::string*(std::uint32_t)> reference_of;

  const Digest& header() const { return view->header_digest(); }
  bool Is(const SealedListRef& ref) const;
};
SealedListRef RefOf(const SealedListInForce& list);

// The hits of one answer in one list, before they leave.
struct SealedCharge {
  Digest header;
  std::uint64_t sequence = 0;        // of the state that was searched
  std::vector<std::uint32_t> slots;  // slot numbers
  bool over_cap = false;             // instead of hits

  bool Counts() const { return over_cap || !slots.empty(); }
};

// The sealed lists that this agency has made, for the searches of those they were made for.
//
// Threads: implementations are thread-safe.
class SealedLists {
 public:
  virtual ~SealedLists() = default;
  // The newest epoch of each list that the requester may search so at `now`.
  virtual std::vector<SealedListInForce> InForce(const policy::AgencyId& requester,
                                                 const policy::AgreementRef& agreement,
                                                 const policy::PurposeCode& purpose,
                                                 policy::Instant now) const = 0;
  // One of them, or a former epoch that may still be searched.
  // Errors: kNotFound  neither
  virtual Result<SealedListInForce> Find(const Digest& header, const policy::AgencyId& requester,
                                         policy::Instant now) const = 0;
  // Whether a block of the list has no release left.
  virtual bool IsStale(const Digest& header) const = 0;
  // Whether an answer without hits, under the state of that sequence, may leave: as Charge, which
  // counts nothing of it.
  // Errors: kNotFound  the list has ended; those of the store
  virtual Result<sealed::Release> Look(const Digest& header, std::uint64_t sequence) const = 0;
  // Decides whether these hits may leave, and counts them, in the unit of work that records it.
  // Errors: kNotFound  the list has ended; those of the store
  virtual Result<sealed::Release> Charge(store::Transaction& transaction,
                                         const SealedCharge& charge) = 0;
  // A search met a list that IsStale: it is to be sealed again at once. Does not wait for that.
  virtual void Renew(const Digest& header) = 0;
};

}  // namespace comity::matching
