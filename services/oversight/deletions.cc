// SPDX-License-Identifier: Apache-2.0
#include "services/oversight/deletions.h"

#include <algorithm>
#include <utility>

#include "services/audit/events.h"

namespace comity::oversight {
namespace {

using store::DeletionRecord;

std::uint64_t Total(const Outcome& outcome) {
  std::uint64_t total = 0;
  for (const auto& [name, count] : outcome) total += count;
  return total;
}

audit::Event DoneEvent(const DeletionRecord& deletion, const policy::AgencyId& own) {
  audit::Event event;
  event.type = audit::kDeletionDone;
  event.time = *deletion.done_at;
  event.parties = {own};
  if (deletion.holder != own) event.parties.push_back(deletion.holder);
  event.committed = {{"agreement", deletion.agreement.text()}, {"holder", deletion.holder.text()}};
  event.counts = {{"version", deletion.version},
                  {"erased", static_cast<std::int64_t>(deletion.erased)}};
  return event;
}

}  // namespace

Result<Deletions::Versions> Deletions::Started() const {
  Versions started;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(const auto deletions, transaction.holdings().Deletions());
    for (const DeletionRecord& deletion : deletions) {
      started.emplace(deletion.agreement, deletion.version);
    }
    return {};
  }));
  return started;
}

Result<std::uint64_t> Deletions::Start(std::span<const EndedAgreement> ended) {
  const auto is_new = [](const Versions& started, const EndedAgreement& agreement) {
    return !started.contains({agreement.id, agreement.version});
  };
  const bool any_new = started_.With([&](const Versions& started) {
    return std::ranges::any_of(ended, [&](const auto& one) { return is_new(started, one); });
  });
  if (!any_new) return 0;
  COMITY_ASSIGN_OR_RETURN(Versions started, Started());
  std::uint64_t count = 0;
  for (const EndedAgreement& agreement : ended) {
    if (!is_new(started, agreement)) continue;
    Erased erased;
    COMITY_RETURN_IF_ERROR(setup_.journal.Commit(
        [&](store::Transaction& transaction, audit::Recorder& recorder) -> Status {
          COMITY_ASSIGN_OR_RETURN(erased, StartOne(transaction, recorder, agreement));
          return {};
        }));
    if (erased.after) erased.after();
    started.emplace(agreement.id, agreement.version);
    ++count;
  }
  started_.With([&](Versions& known) { known = std::move(started); });
  return count;
}

Result<Erased> Deletions::StartOne(store::Transaction& transaction, audit::Recorder& recorder,
                                   const EndedAgreement& ended) const {
  const policy::Instant now = setup_.clock.Now();
  DeletionRecord deletion;
  deletion.agreement = ended.id;
  deletion.version = ended.version;
  deletion.ordered_at = now;
  deletion.due_by = now + kDeadline;
  audit::Event event;
  event.type = audit::kDeletionStarted;
  event.time = now;
  event.parties = {setup_.own};
  event.committed = {{"agreement", ended.id.text()}};
  for (const policy::AgencyId& party : ended.parties) {
    if (party == setup_.own) continue;
    event.parties.push_back(party);
    deletion.holder = party;
    COMITY_ASSIGN_OR_RETURN(
        deletion.message,
        setup_.outbox.Add(
            transaction, recorder,
            {.peer = party,
             .kind = message_kind::kDeletionOrder,
             .content = EncodeDeletionOrder({ended.id, ended.version, deletion.due_by}),
             .due_by = deletion.due_by}));
    COMITY_RETURN_IF_ERROR(transaction.holdings().AddDeletion(deletion));
  }
  event.counts = {{"version", ended.version}};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  COMITY_ASSIGN_OR_RETURN(
      Erased erased, setup_.erase(transaction, recorder, ended.id, ended.version, std::nullopt));
  deletion.holder = setup_.own;
  deletion.message = 0;
  COMITY_RETURN_IF_ERROR(transaction.holdings().AddDeletion(deletion));
  deletion.done_at = now;
  deletion.erased = erased.records;
  COMITY_RETURN_IF_ERROR(transaction.holdings().FinishDeletion(deletion));
  COMITY_RETURN_IF_ERROR(recorder.Record(DoneEvent(deletion, setup_.own)));
  return erased;
}

Result<Erased> Deletions::Obey(store::Transaction& transaction, audit::Recorder& recorder,
                               const policy::AgencyId& sender, const DeletionOrder& order) const {
  COMITY_ASSIGN_OR_RETURN(
      Erased erased, setup_.erase(transaction, recorder, order.agreement, order.version, sender));
  DeletionRecord deletion;
  deletion.agreement = order.agreement;
  deletion.version = order.version;
  deletion.holder = setup_.own;
  deletion.done_at = setup_.clock.Now();
  deletion.erased = erased.records;
  audit::Event event = DoneEvent(deletion, setup_.own);
  event.parties = {setup_.own, sender};
  COMITY_RETURN_IF_ERROR(recorder.Record(event));
  return erased;
}

Status Deletions::Finish(store::Transaction& transaction, audit::Recorder& recorder,
                         const store::OutboxRecord& order, const Receipt& receipt) const {
  COMITY_ASSIGN_OR_RETURN(const auto deletions, transaction.holdings().Deletions());
  const auto found = std::ranges::find_if(deletions, [&](const DeletionRecord& deletion) {
    return deletion.message == order.number && deletion.holder == order.peer;
  });
  if (found == deletions.end()) return {};
  DeletionRecord deletion = *found;
  deletion.done_at = setup_.clock.Now();
  deletion.erased = Total(receipt.outcome);
  COMITY_RETURN_IF_ERROR(transaction.holdings().FinishDeletion(deletion));
  COMITY_RETURN_IF_ERROR(
      transaction.holdings().ForgetUnder(deletion.agreement, deletion.version, deletion.holder));
  COMITY_RETURN_IF_ERROR(recorder.Record(DoneEvent(deletion, setup_.own)));
  return {};
}

Result<std::vector<DeletionView>> Deletions::List(
    const std::optional<policy::AgreementId>& agreement) const {
  std::vector<DeletionView> views;
  COMITY_RETURN_IF_ERROR(setup_.store.Read([&](const store::Transaction& transaction) -> Status {
    COMITY_ASSIGN_OR_RETURN(auto deletions, transaction.holdings().Deletions());
    for (DeletionRecord& deletion : deletions) {
      if (agreement && deletion.agreement != *agreement) continue;
      DeletionView& view = views.emplace_back();
      if (deletion.message != 0) {
        auto message = transaction.outbox().Get(deletion.message);
        // Dropped with the partner when it was removed: it has not answered and will not.
        if (!message && message.error().code != ErrorCode::kNotFound) return Fail(message.error());
        if (message) {
          view.refused = std::move(message->refused);
          view.receipt = std::move(message->receipt);
        }
      }
      view.deletion = std::move(deletion);
    }
    return {};
  }));
  return views;
}

}  // namespace comity::oversight
