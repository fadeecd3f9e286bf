// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/partner_handlers.h"

#include <utility>
#include <vector>

#include "services/gateway/wire/signed_message.h"
#include "services/oversight/partner_content.h"

namespace comity::gateway {
namespace {

using enum identity::Role;

Result<casework::HolderChange> ToChange(const policy::AgencyId& holder, oversight::EntryNews news) {
  casework::HolderChange change;
  change.holder = holder;
  change.reference = std::move(news.reference);
  change.answers = std::move(news.answers);
  change.change = std::move(news.change);
  change.at = news.at;
  if (!news.category.empty()) {
    COMITY_ASSIGN_OR_RETURN(change.category, policy::ListCategory::Parse(news.category));
  }
  change.response_code = std::move(news.response_code);
  return change;
}

// A partner whose clock is fast, or whose key is in other hands, would make each hit of a time to
// come a late one, and each later word of its own an old one.
Status CheckTimes(const std::vector<casework::HolderChange>& changes, policy::Instant now) {
  for (const casework::HolderChange& change : changes) {
    if (change.at > now + kMaxClockSkew) {
      return Fail(ErrorCode::kInvalidArgument, "a change of an entry lies in the future");
    }
  }
  return {};
}

// Entries and answers that were named, and alerts that were touched.
std::uint64_t WeightOf(const std::vector<casework::HolderChange>& changes,
                       const casework::ChangedAlerts& changed) {
  std::uint64_t weight = changed.alerts;
  for (const casework::HolderChange& change : changes) {
    weight += change.reference.empty() ? change.answers.size() : 1;
  }
  return weight;
}

// What is said of a list that is forgotten meanwhile is taken, with no effect: else it would be
// offered for ever. So would be what is said of another partner's list: that is refused for good.
Result<PartnerMessageHandler::Taken> TakenIfKnown(const Status& noted) {
  const bool unknown = !noted && noted.error().code == ErrorCode::kNotFound;
  if (!noted && noted.error().code == ErrorCode::kPermissionDenied) {
    return Fail(ErrorCode::kInvalidArgument, noted.error().detail);
  }
  if (!noted && !unknown) return Fail(noted.error());
  PartnerMessageHandler::Taken taken;
  taken.outcome = {{"lists", unknown ? 0U : 1U}};
  return taken;
}

}  // namespace

Result<PartnerMessageHandler::Taken> EntryChangeHandler::Receive(store::Transaction& transaction,
                                                                 audit::Recorder& recorder,
                                                                 const policy::AgencyId& sender,
                                                                 std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(auto news, oversight::ParseEntryNews(content));
  std::vector<casework::HolderChange> changes;
  for (oversight::EntryNews& one : news) {
    COMITY_ASSIGN_OR_RETURN(auto change, ToChange(sender, std::move(one)));
    changes.push_back(std::move(change));
  }
  COMITY_RETURN_IF_ERROR(CheckTimes(changes, clock_.Now()));
  COMITY_ASSIGN_OR_RETURN(auto changed, alerts_.Apply(transaction, recorder, changes));
  const Counts counts{changed.alerts, changed.acknowledged};
  const bool is_news = counts.alerts > 0;
  const bool told = is_news && rate_.Take(sender.text());
  if (told) {
    COMITY_RETURN_IF_ERROR(notices_.Post(transaction, recorder, ChangedNotice(sender, counts)));
  }
  Taken taken;
  taken.outcome = {{"changes", changes.size()},
                   {"alerts", changed.alerts},
                   {"acknowledged", changed.acknowledged}};
  taken.weight = WeightOf(changes, changed);
  taken.after = [this, publish = std::move(changed.publish), sender, counts, is_news, told] {
    publish();
    if (told) return notices_.Announce();
    if (!is_news) return;
    gathered_.With([&](auto& gathered) {
      gathered[sender].alerts += counts.alerts;
      gathered[sender].acknowledged += counts.acknowledged;
    });
  };
  return taken;
}

Status EntryChangeHandler::Post(bool is_last) {
  auto due = gathered_.With([](auto& gathered) { return std::exchange(gathered, {}); });
  Status posted;
  for (const auto& [sender, counts] : due) {
    if (posted && (is_last || rate_.Take(sender.text()))) {
      posted = notices_.Post(ChangedNotice(sender, counts));
      if (posted) continue;
    }
    gathered_.With([&, &partner = sender, &left = counts](auto& gathered) {
      gathered[partner].alerts += left.alerts;
      gathered[partner].acknowledged += left.acknowledged;
    });
  }
  return posted;
}

identity::Notice EntryChangeHandler::ChangedNotice(const policy::AgencyId& sender,
                                                   const Counts& counts) {
  identity::Notice notice;
  notice.kind = identity::notice::kAlertsChanged;
  notice.audience = {kOperator, kAdjudicator, kSupervisor};
  notice.subject = "partner " + sender.text();
  notice.words = sender.text() + " changed entries behind " + std::to_string(counts.alerts) +
                 " alert(s), " + std::to_string(counts.acknowledged) +
                 " of them acknowledged already: whoever acts on them must know. See "
                 "`comity alert list`.";
  return notice;
}

Result<PartnerMessageHandler::Taken> DeletionOrderHandler::Receive(store::Transaction& transaction,
                                                                   audit::Recorder& recorder,
                                                                   const policy::AgencyId& sender,
                                                                   std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(const auto order, oversight::ParseDeletionOrder(content));
  COMITY_ASSIGN_OR_RETURN(auto erased, deletions_.Obey(transaction, recorder, sender, order));
  return Taken{.outcome = {{"alerts", erased.records}},
               .after = std::move(erased.after),
               .weight = 1 + erased.records};
}

Status DeletionOrderHandler::Acknowledged(store::Transaction& transaction,
                                          audit::Recorder& recorder,
                                          const store::OutboxRecord& message,
                                          const oversight::Receipt& receipt) {
  return deletions_.Finish(transaction, recorder, message, receipt);
}

Result<PartnerMessageHandler::Taken> PeerNoticeHandler::Receive(store::Transaction& transaction,
                                                                audit::Recorder& recorder,
                                                                const policy::AgencyId& sender,
                                                                std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(const auto notice, oversight::ParsePeerNotice(content));
  COMITY_RETURN_IF_ERROR(partner_notices_.Show(transaction, recorder, sender, notice));
  return Taken{.outcome = {{"notices", 1}}, .after = [this] { notices_.Announce(); }};
}

Result<PartnerMessageHandler::Taken> SealedHeldHandler::Receive(store::Transaction& transaction,
                                                                audit::Recorder& recorder,
                                                                const policy::AgencyId& sender,
                                                                std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(const auto held, oversight::ParseSealedHeld(content));
  return TakenIfKnown(note_(transaction, recorder, sender, held.header, held.sequence));
}

Result<PartnerMessageHandler::Taken> SealedErasedHandler::Receive(store::Transaction& transaction,
                                                                  audit::Recorder& recorder,
                                                                  const policy::AgencyId& sender,
                                                                  std::string_view content) {
  COMITY_ASSIGN_OR_RETURN(const Digest header, oversight::ParseSealedErased(content));
  return TakenIfKnown(note_(transaction, recorder, sender, header));
}

}  // namespace comity::gateway
