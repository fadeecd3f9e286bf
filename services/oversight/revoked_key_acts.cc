// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/revoked_key_acts.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "services/identity/approval_rejection.h"
#include "services/oversight/tamper.h"
#include "services/store/approval_store.h"

namespace comity::oversight {
namespace {

// Whose key is revoked and has acts that wait; empty: nobody's.
Result<std::optional<policy::PersonId>> OwnerThatWaits(const store::Transaction& transaction,
                                                       const std::vector<identity::Person>& people,
                                                       const CertificateRevocation& one) {
  using Owner = std::optional<policy::PersonId>;
  if (one.scope != RevocationScope::kKey) return Owner();
  const auto owner = std::ranges::find(people, one.sha256, &identity::Person::tls_key);
  if (owner == people.end()) return Owner();
  COMITY_ASSIGN_OR_RETURN(const std::uint64_t waiting,
                          transaction.approvals().CountPendingOf(owner->id));
  return waiting == 0 ? Owner() : Owner(owner->id);
}

}  // namespace

Status RevokedKeyActs::Reject(store::Transaction& transaction, audit::Recorder& recorder,
                              const CertificateRevocation& one) const {
  COMITY_ASSIGN_OR_RETURN(const auto people, ports_.people.ListIn(transaction));
  COMITY_ASSIGN_OR_RETURN(const auto owner, OwnerThatWaits(transaction, people, one));
  if (!owner) return {};
  COMITY_ASSIGN_OR_RETURN(const auto by, policy::PersonId::Parse(one.set_by));
  return identity::RejectAllOf(
             transaction, recorder, ports_.notices,
             {ports_.own, *owner, by, "The key of " + owner->text() + " was revoked: " + one.id,
              ports_.clock.Now(), ports_.kek})
      .map([](std::size_t) {});
}

Status RevokedKeyActs::RejectAll(const RevocationTable& table) {
  const std::lock_guard one_pass(mutex_);
  std::vector<CertificateRevocation> waiting;
  COMITY_RETURN_IF_ERROR(ports_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto people, ports_.people.ListIn(transaction));
    for (const CertificateRevocation& one : table.revocations) {
      if (!one.stands()) continue;
      COMITY_ASSIGN_OR_RETURN(const auto owner, OwnerThatWaits(transaction, people, one));
      if (owner) waiting.push_back(one);
    }
    return {};
  }));
  if (waiting.empty()) return {};
  Status outcome;
  for (const CertificateRevocation& one : waiting) {
    const Status rejected = ports_.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          return Reject(transaction, recorder, one);
        });
    if (outcome && !rejected) outcome = rejected;
  }
  ports_.notices.Announce();
  return outcome ? Status() : Tell(outcome.error());
}

Status RevokedKeyActs::Tell(const Error& error) {
  if (told_) return Fail(error);
  ports_.logger.Error("acts-not-rejected", {{"reason", error.detail}});
  // A database that is away says so for a while, and takes no notice either; one that goes on
  // saying so of this alone is told of.
  if (error.code == ErrorCode::kUnavailable && ++unavailable_ < kUnavailableRounds) {
    return Fail(error);
  }
  COMITY_RETURN_IF_ERROR(TellOfTamper(
      {ports_.journal, ports_.notices, ports_.own, ports_.clock, ports_.logger},
      {"approval", "it does not let an act be rejected: " + error.detail,
       "what the owner of a revoked key proposed stays among what waits, and is refused to whoever "
       "approves it"}));
  told_ = true;
  return Fail(error);
}

}  // namespace comity::oversight
