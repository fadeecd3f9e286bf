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

// A message to a partner that must arrive once, however long the partner is away.
struct OutboxRecord {
  std::uint64_t number = 0;  // in the order of storing; over all peers
  policy::AgencyId peer;
  std::string id;       // 26 characters, as an exchange id: the receiver takes each id once
  std::string kind;     // names the schema of `content` (docs/formats/partner_messages.md)
  std::string content;  // canonical JSON, <= 64 KiB; empty once erased
  policy::Instant created_at{};
  std::optional<policy::Instant> due_by;  // unacknowledged after it: people are told
  std::string refused;                    // the code of the peer's last refusal; empty: none
  std::uint32_t told = 0;                 // how often people were told that it waits
  std::optional<policy::Instant> acknowledged_at;
  std::string receipt;  // DSSE JSON by the peer's agency key; empty until acknowledged
};

// A message of a partner that was taken.
struct InboxRecord {
  policy::AgencyId sender;
  std::string id;
  std::string kind;
  Digest content;       // SHA-256 of the content
  std::string receipt;  // what a repeat is answered with
  policy::Instant received_at{};
};

// What a partner's messages of one kind have used of their budget.
struct InboxUse {
  policy::Instant since{};  // when the window began in which these came
  std::uint64_t messages = 0;
  std::uint64_t weight = 0;  // what they had the receiver do, in the unit of their kind
};

// Threads: see store.h.
class OutboxStore {
 public:
  virtual ~OutboxStore() = default;
  // Stores it under the next number, which is returned; `message.number` is ignored.
  // Errors: kConflict  a message of this id is stored
  virtual Result<std::uint64_t> Add(const OutboxRecord& message) = 0;
  // Errors: kNotFound
  virtual Result<OutboxRecord> Get(std::uint64_t number) const = 0;
  static constexpr std::size_t kMostKinds = 8;
  // What `peer` has not acknowledged, oldest first, at most `limit`, above the number `after`.
  // In: without  kinds that are left out, at most kMostKinds
  // Errors: kInvalidArgument  more of them
  virtual Result<std::vector<OutboxRecord>> Waiting(
      const policy::AgencyId& peer, std::uint32_t limit, std::uint64_t after = 0,
      const std::vector<std::string>& without = {}) const = 0;
  // When the oldest message of `kind` that `peer` has not acknowledged was stored.
  virtual Result<std::optional<policy::Instant>> WaitingSince(const policy::AgencyId& peer,
                                                              std::string_view kind) const = 0;
  // What waits for any peer, oldest first, without contents.
  virtual Result<std::vector<OutboxRecord>> AllWaiting() const = 0;
  // All peers' messages of one kind, acknowledged or not, newest first, at most `limit`.
  virtual Result<std::vector<OutboxRecord>> OfKind(std::string_view kind,
                                                   std::uint32_t limit) const = 0;
  // Errors: kNotFound; kConflict  acknowledged already
  virtual Status Acknowledge(std::uint64_t number, std::string_view receipt,
                             policy::Instant at) = 0;
  // Remembers how a waiting message stands. Errors: kNotFound  none waits under this number
  virtual Status NoteRefused(std::uint64_t number, std::string_view code) = 0;
  virtual Status NoteTold(std::uint64_t number, std::uint32_t told) = 0;
  // Drops what waits for `peer`; returns how many. For a peer that was removed.
  virtual Result<std::uint64_t> Discard(const policy::AgencyId& peer) = 0;
  // Erases the contents of messages acknowledged before; returns how many. Receipts stay.
  virtual Result<std::uint64_t> EraseContents(policy::Instant acknowledged_before) = 0;

  // Remembers that a message of a partner was taken. Errors: kConflict  it came before
  virtual Status Receive(const InboxRecord& message) = 0;
  // Absent: it never came.
  virtual Result<std::optional<InboxRecord>> Received(const policy::AgencyId& sender,
                                                      std::string_view id) const = 0;
  // Absent: nothing was kept of this sender and kind.
  virtual Result<std::optional<InboxUse>> Use(const policy::AgencyId& sender,
                                              std::string_view kind) const = 0;
  // Inserts or replaces it.
  virtual Status PutUse(const policy::AgencyId& sender, std::string_view kind,
                        const InboxUse& use) = 0;
};

}  // namespace comity::store
