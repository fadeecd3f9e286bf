// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "crypto/base/result.h"
#include "policy/model/ids.h"
#include "services/audit/journal.h"
#include "services/oversight/receipt.h"
#include "services/store/outbox_store.h"
#include "services/store/store.h"

namespace comity::gateway {

// What one kind of message between partners does, at the receiver and, once it is acknowledged, at
// the sender.
//
// Threads: thread-safe.
class PartnerMessageHandler {
 public:
  struct Taken {
    oversight::Outcome outcome;   // goes into the signed receipt: numbers only
    std::function<void()> after;  // runs once the effect is durable; may be null
    std::uint64_t weight = 1;     // what it had this gateway do: counts against the budget
  };
  virtual ~PartnerMessageHandler() = default;
  // Has the effect, within the unit of work that stores the receipt: it happens once.
  // In:     content  untrusted, canonical JSON of at most 64 KiB
  // Errors: kInvalidArgument  the content is refused for good; all others: the sender tries again
  virtual Result<Taken> Receive(store::Transaction& transaction, audit::Recorder& recorder,
                                const policy::AgencyId& sender, std::string_view content) = 0;
  // The partner took a message of ours: within the unit of work that keeps its receipt.
  virtual Status Acknowledged(store::Transaction&, audit::Recorder&, const store::OutboxRecord&,
                              const oversight::Receipt&) {
    return {};
  }
};

// The handlers by kind; all must outlive the object. Threads: thread-safe once it is filled.
class PartnerMessageHandlers {
 public:
  void Add(std::string_view kind, PartnerMessageHandler& handler) {
    handlers_.insert_or_assign(std::string(kind), &handler);
  }
  // Null: no such kind.
  PartnerMessageHandler* Find(std::string_view kind) const {
    const auto found = handlers_.find(kind);
    return found == handlers_.end() ? nullptr : found->second;
  }

 private:
  std::map<std::string, PartnerMessageHandler*, std::less<>> handlers_;
};

// Why a receiver refuses a message for good; names on the wire.
namespace message_refusal {
inline constexpr std::string_view kUnsupportedKind = "unsupported-kind";
inline constexpr std::string_view kInvalidContent = "invalid-content";
inline constexpr std::string_view kIdReused = "id-reused";
}  // namespace message_refusal

}  // namespace comity::gateway
