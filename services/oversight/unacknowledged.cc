// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/unacknowledged.h"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "services/oversight/partner_content.h"
#include "services/store/outbox_store.h"

namespace comity::oversight {
namespace {

using enum identity::Role;
using store::OutboxRecord;

// How urgently people must know of a message: the number of times they have to be told.
constexpr std::uint32_t kNotYet = 0;
constexpr std::uint32_t kLate = 1;
constexpr std::uint32_t kOverdue = 2;

std::uint32_t UrgencyOf(const OutboxRecord& message, policy::Instant now) {
  if (message.due_by && now >= *message.due_by) return kOverdue;
  const bool is_change = message.kind == message_kind::kEntryChange;
  if (is_change && now - message.created_at >= Unacknowledged::kChangePatience) return kLate;
  return kNotYet;
}

struct Group {
  policy::Instant oldest{};
  std::vector<std::uint64_t> numbers;
};
// By partner, kind and urgency.
using Key = std::tuple<policy::AgencyId, std::string, std::uint32_t>;

std::map<Key, Group> Gather(const std::vector<OutboxRecord>& waiting, policy::Instant now) {
  std::map<Key, Group> groups;
  for (const OutboxRecord& message : waiting) {
    const std::uint32_t urgency = UrgencyOf(message, now);
    if (urgency <= message.told) continue;
    Group& group = groups[{message.peer, message.kind, urgency}];
    if (group.numbers.empty()) group.oldest = message.created_at;
    group.numbers.push_back(message.number);
  }
  return groups;
}

identity::Notice NoticeOf(const Key& key, const Group& group) {
  const auto& [peer, kind, urgency] = key;
  const bool is_deletion = kind == message_kind::kDeletionOrder;
  identity::Notice notice;
  notice.kind =
      is_deletion ? identity::notice::kReceiptMissing : identity::notice::kWithdrawalUnacknowledged;
  notice.audience = is_deletion ? identity::RoleSet{kSupervisor, kDpo, kSignatory}
                                : identity::RoleSet{kOperator, kSupervisor, kDpo};
  notice.subject = "partner " + peer.text();
  const std::string count = std::to_string(group.numbers.size());
  const std::string since = policy::EncodeInstant(group.oldest);
  if (is_deletion) {
    notice.words = peer.text() + " has not answered " + count +
                   " deletion order(s) by the deadline; the oldest is of " + since + ".";
  } else {
    notice.words = peer.text() + " has not acknowledged " + count +
                   " message(s) about changed entries; the oldest is of " + since +
                   ". Until it has, its searches are refused." +
                   (urgency == kOverdue ? " The deadline is over: treat its copies as suspended, "
                                          "and reach its people another way."
                                        : "");
  }
  return notice;
}

}  // namespace

Status Unacknowledged::Look() const {
  std::vector<OutboxRecord> waiting;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(waiting, transaction.outbox().AllWaiting());
    return {};
  }));
  for (const auto& [key, group] : Gather(waiting, setup_.clock.Now())) {
    const std::string& kind = std::get<1>(key);
    const bool concerns_people =
        kind == message_kind::kEntryChange || kind == message_kind::kDeletionOrder;
    if (!concerns_people) continue;
    const std::uint32_t urgency = std::get<2>(key);
    const Status told = setup_.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          bool waits = false;
          for (const std::uint64_t number : group.numbers) {
            // Acknowledged since it was read: nothing to tell about it.
            const Status noted = transaction.outbox().NoteTold(number, urgency);
            if (!noted && noted.error().code != ErrorCode::kNotFound) return noted;
            waits = waits || noted.has_value();
          }
          if (!waits) return {};
          return setup_.notices.Post(transaction, recorder, NoticeOf(key, group));
        });
    COMITY_RETURN_IF_ERROR(told);
    setup_.notices.Announce();
  }
  return {};
}

}  // namespace comity::oversight
