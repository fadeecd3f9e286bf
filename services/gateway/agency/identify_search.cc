// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/agency/identify_search.h"

#include <algorithm>
#include <map>
#include <thread>
#include <utility>

#include "services/audit/events.h"
#include "services/gateway/federation/link_choice.h"
#include "services/gateway/wire/convert_policy.h"
#include "services/matching/exchange_id.h"
#include "services/matching/search_bounds.h"
#include "services/matching/search_events.h"
#include "services/transport/limits.h"

namespace comity::gateway {
namespace {

using std::chrono::steady_clock;

// An answer that came in time may still be on its way into the log and the alerts.
constexpr std::chrono::seconds kSettling{2};

template <typename Ids>
std::string IdsText(const Ids& ids) {
  std::string text;  // an id has no ','
  for (const auto& id : ids) text += (text.empty() ? "" : ",") + id.text();
  return text;
}

}  // namespace

// What the holders have said so far, by agency.
struct IdentifySearch::Gathered {
  runtime::Watched<std::map<std::string, v1::HolderResult>> results;

  void Put(v1::WatchAnswer answer, std::uint32_t ms) {
    v1::HolderResult result;
    result.set_holder(answer.holder());
    // The probe's id is <session>/1.
    result.set_exchange_id(answer.exchange_id().substr(0, answer.exchange_id().find('/')));
    if (answer.has_answered()) *result.mutable_answered() = std::move(*answer.mutable_answered());
    if (answer.has_refused()) *result.mutable_refused() = std::move(*answer.mutable_refused());
    if (answer.has_unanswered()) *result.mutable_unanswered() = answer.unanswered();
    result.set_refused_by(answer.refused_by());
    result.set_mode(answer.mode());
    result.set_ms(ms);
    results.With([&](auto& all) { all.try_emplace(answer.holder(), std::move(result)); });
  }
  // False: `until` came first.
  bool Await(std::size_t count, steady_clock::time_point until) {
    return results.WaitUntil(
        {}, until, [&](const auto& all) { return all.size() >= count; }, [](auto&) {});
  }
};

IdentifySearch::IdentifySearch(LinkPorts ports, const IdentifyAsked& asked,
                               policy::TermSet<policy::ReceiverRole> roles)
    : ports_(ports),
      asked_(asked),
      roles_(roles),
      start_(steady_clock::now()),
      search_(matching::NewSearchId(ports_.random)) {
  matching::IdentifyOrder order = asked_.order;
  // The holder's clock may be behind or ahead; its own bound allows for both.
  order.ends_at = ports_.search.clock.Now() + asked_.deadline + transport::limits::kMaxClockSkew;
  order_ = matching::OrderOf(order, search_);
}

std::uint32_t IdentifySearch::MillisecondsSinceStart() const {
  return static_cast<std::uint32_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - start_).count());
}

std::vector<AskedHolder> IdentifySearch::Candidates() const {
  const auto set = ports_.search.agreements();
  const policy::AgencyId& own = asked_.order.own;
  const policy::Instant now = ports_.search.clock.Now();
  std::vector<AskedHolder> candidates = asked_.agreements.empty()
                                            ? AllHolders(*set, own, now)
                                            : HoldersOf(asked_.agreements, *set, own, now);
  if (asked_.holders.empty()) return candidates;
  std::vector<AskedHolder> named;
  for (const policy::AgencyId& holder : asked_.holders) {
    const auto known = std::ranges::find(candidates, holder, &AskedHolder::holder);
    // Without an agreement: it is refused by name, here.
    named.push_back(known == candidates.end() ? AskedHolder{holder, {}} : *known);
  }
  std::ranges::sort(named, {}, &AskedHolder::holder);
  return named;
}

matching::RequesterTerms IdentifySearch::TermsFor(const AskedHolder& asked) const {
  return InSettledMode(
      {asked.holder, asked.agreements, matching::NewExchangeId(ports_.random), order_},
      ports_.search);
}

std::vector<AskedHolder> IdentifySearch::Permitted(std::vector<AskedHolder> candidates) const {
  std::vector<AskedHolder> permitted;
  const policy::Instant now = ports_.search.clock.Now();
  for (const AskedHolder& candidate : candidates) {
    const matching::RequesterSession session(TermsFor(candidate), ports_.search);
    if (session.Outlook(now).permitted()) permitted.push_back(candidate);
  }
  return permitted.empty() ? std::move(candidates) : std::move(permitted);
}

Status IdentifySearch::RecordJustification(const std::vector<AskedHolder>& holders) {
  std::vector<policy::AgencyId> names;
  for (const AskedHolder& holder : holders) names.push_back(holder.holder);
  audit::Event event;
  event.type = audit::kSearchJustified;
  event.time = ports_.search.clock.Now();
  event.exchange = search_;
  event.parties = {asked_.order.own};
  event.committed = order_->justification;
  event.committed["request"] = matching::EncodeRequest(order_->request);
  event.committed["agreements"] = IdsText(asked_.agreements);
  event.committed["holders"] = IdsText(names);
  event.committed["case_ref"] = order_->case_ref;
  event.committed["operator"] = order_->operator_id;
  event.committed["capture_ref"] = asked_.capture_ref;
  event.committed["ends_at"] = policy::EncodeInstant(order_->ends_at);
  event.counts = {{"holders", static_cast<std::int64_t>(holders.size())}};
  return ports_.search.journal.Record(event);
}

// There is no holder at all that an agreement of this agency lets be searched.
Result<v1::IdentifyResponse> IdentifySearch::RefuseAll() {
  policy::Decision refused;
  refused.code = policy::ReasonCode::kNoAgreement;
  audit::Event event = matching::MakeEvent({.type = audit::kSearchRefused,
                                            .time = ports_.search.clock.Now(),
                                            .exchange = search_,
                                            .parties = {asked_.order.own}},
                                           refused);
  event.committed = order_->justification;
  event.committed["request"] = matching::EncodeRequest(order_->request);
  event.committed["case_ref"] = order_->case_ref;
  event.committed["operator"] = order_->operator_id;
  event.counts = {{"refusals", 1}};
  COMITY_RETURN_IF_ERROR(ports_.search.journal.Record(event));
  v1::IdentifyResponse response;
  *response.mutable_refused() = ToProto(refused);
  return response;
}

v1::IdentifyResponse IdentifySearch::Ask(const std::vector<AskedHolder>& holders) {
  Gathered gathered;
  const auto deadline = start_ + asked_.deadline;
  const EngineProbe probe{1, asked_.capture_ref, {}, ports_.search.clock.Now(), asked_.embedding};
  std::vector<std::unique_ptr<SearchLink>> links;
  for (const AskedHolder& holder : holders) {
    LinkAsker asker{
        [&](v1::WatchAnswer answer) { gathered.Put(std::move(answer), MillisecondsSinceStart()); },
        [] { return false; }, roles_};
    links.push_back(MakeLink(ports_, TermsFor(holder), std::move(asker)));
    links.back()->Offer(probe, deadline);
  }
  if (!gathered.Await(links.size(), deadline)) {
    // Whoever has not answered is told so; an answer that comes later becomes no alert.
    for (const auto& link : links) {
      if (const Status ticked = link->Tick(deadline); !ticked) {
        ports_.logger.Error("audit-write-failed", {{"reason", ticked.error().detail}});
      }
    }
    gathered.Await(links.size(), deadline + kSettling);
  }
  v1::IdentifyResponse response;
  gathered.results.With([&](const auto& all) {
    for (const auto& [holder, result] : all) *response.add_holders() = result;
  });
  response.set_ms(MillisecondsSinceStart());
  // Their log entries are written beside each other, in few commits.
  for (const auto& link : links) link->Cancel();
  std::vector<std::jthread> ends;
  for (const auto& link : links) {
    ends.emplace_back([&] { link->Finish("the search is over"); });
  }
  return response;
}

Result<v1::IdentifyResponse> IdentifySearch::Run() {
  std::vector<AskedHolder> holders = Candidates();
  const bool named = !asked_.agreements.empty() || !asked_.holders.empty();
  if (!named) holders = Permitted(std::move(holders));
  if (holders.size() > matching::kMaxSearchHolders) {
    return matching::Wrong("holders", "must be named: " + std::to_string(holders.size()) +
                                          " permit this search, and one asks at most 32");
  }
  v1::IdentifyResponse response;
  if (holders.empty()) {
    COMITY_ASSIGN_OR_RETURN(response, RefuseAll());
  } else {
    COMITY_RETURN_IF_ERROR(RecordJustification(holders));
    response = Ask(holders);
  }
  response.set_search(search_);
  return response;
}

}  // namespace comity::gateway
