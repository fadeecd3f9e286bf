// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/base/bytes.h"
#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "policy/model/instant.h"

namespace comity::store {

// kSuperseded: a newer epoch of the same scope is in force, but the partner may not have it yet.
// kEnded: its key is destroyed.
enum class SealedListState { kInForce = 1, kSuperseded = 2, kEnded = 3 };

// One epoch of a list that was sealed for a partner. What is sealed here is under the list's key.
struct SealedListRecord {
  Digest header;  // names it
  policy::WatchlistId list;
  policy::AgencyId requester;
  policy::AgreementId agreement;
  std::uint32_t agreement_version = 0;
  Digest agreement_sha256;
  policy::PurposeCode purpose;
  std::uint64_t epoch = 0;
  SealedListState state = SealedListState::kInForce;
  policy::Instant sealed_at{};
  policy::Instant valid_until{};
  std::uint64_t sequence = 0;       // of its state
  std::uint64_t held_sequence = 0;  // the newest that the partner said it holds; 0: none
  std::optional<policy::Instant> held_at;
  std::optional<policy::Instant> erased_at;  // by the partner, as it said
  std::optional<policy::Instant> ended_at;
  std::string end_reason;  // as its event says; empty: not ended
  Bytes wrapped_key;       // this and what follows: empty once ended
  Bytes sealed_header;
  Bytes sealed_state;
};

struct SealedBlockRecord {
  std::uint32_t number = 0;  // 0..1023
  Digest hash;
  std::uint32_t count = 0;
  std::uint32_t released = 0;  // hits that left under this root
  std::uint64_t resealed = 0;  // the sequence at which it took another root's place; 0: it did not
  Bytes sealed_root;
  Bytes sealed_handles;
};

// What of a block the release budget needs.
struct SealedBlockRelease {
  std::uint32_t number = 0;
  std::uint32_t released = 0;
  std::uint64_t resealed = 0;
};

// The sealed lists that this agency made.
//
// Threads: see store.h.
class SealedListStore {
 public:
  virtual ~SealedListStore() = default;
  // Errors: kConflict  one of this header is stored
  virtual Status Add(const SealedListRecord& list) = 0;
  // Replaces sequence and sealed state of one that is not ended.
  // Errors: kNotFound; kConflict  ended, or the sequence is not higher
  virtual Status ChangeState(const Digest& header, std::uint64_t sequence, ByteView state) = 0;
  // Errors: kNotFound; kConflict  it is not in force
  virtual Status Supersede(const Digest& header) = 0;
  // Destroys key and content and removes the blocks. In: reason  not empty
  // Errors: kNotFound; kConflict  ended already
  virtual Status End(const Digest& header, std::string_view reason, policy::Instant at) = 0;
  // What the partner said. Errors: kNotFound
  virtual Status NoteHeld(const Digest& header, std::uint64_t sequence, policy::Instant at) = 0;
  virtual Status NoteErased(const Digest& header, policy::Instant at) = 0;
  // Drops what ended before; returns how many.
  virtual Result<std::uint64_t> Forget(policy::Instant ended_before) = 0;

  // Errors: kNotFound
  virtual Result<SealedListRecord> Get(const Digest& header) const = 0;
  // In the order of adding; ended ones too.
  virtual Result<std::vector<SealedListRecord>> All() const = 0;

  // Inserts or replaces the block of this number. Errors: kNotFound  no list of this header
  virtual Status PutBlock(const Digest& header, const SealedBlockRecord& block) = 0;
  // Errors: kNotFound
  virtual Status RemoveBlock(const Digest& header, std::uint32_t number) = 0;
  // By number. Empty for an ended or unknown list.
  virtual Result<std::vector<SealedBlockRecord>> Blocks(const Digest& header) const = 0;
  virtual Result<std::vector<SealedBlockRelease>> Released(const Digest& header) const = 0;
  // Errors: kNotFound
  virtual Status SetReleased(const Digest& header, std::uint32_t number,
                             std::uint32_t released) = 0;
};

}  // namespace comity::store
