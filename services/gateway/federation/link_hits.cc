// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/link_hits.h"

#include <algorithm>
#include <utility>

#include "services/gateway/wire/convert_hit.h"
#include "services/gateway/wire/convert_time.h"
#include "services/matching/exchange_id.h"
#include "services/matching/search_events.h"

namespace comity::gateway {

Result<std::vector<casework::HitReport>> LinkHits::ReportsOf(
    const HolderAnswer& answer, const matching::PendingProbe& probe) const {
  const auto fault = [] { return Fail(ErrorCode::kInvalidArgument, "not what was asked for"); };
  // The permit that the probe was sent under bounds what may come back: the terms of this moment
  // may be others already.
  if (answer.decision.agreement != probe.decision.agreement ||
      static_cast<std::uint32_t>(answer.hits.size()) > probe.decision.hit_cap) {
    return fault();
  }
  COMITY_ASSIGN_OR_RETURN(const policy::Instant answered_at, FromProto(answer.sent_at));
  std::vector<casework::HitReport> reports;
  for (const v1::Hit& wire : answer.hits) {
    COMITY_ASSIGN_OR_RETURN(auto hit, FromProto(wire));
    if (hit.category && std::ranges::count(order_->request.list_categories, *hit.category) == 0) {
      return fault();
    }
    casework::HitReport& report = reports.emplace_back();
    report.deployment = order_->deployment;
    report.holder = holder_;
    report.hit = Permitted(std::move(hit), probe.decision.releases);
    report.releases = probe.decision.releases;
    report.answered_at = answered_at;
    report.threshold = *order_->request.threshold;
    report.engine = *order_->request.engine;
    report.agreement = *answer.decision.agreement;
    report.clauses = answer.decision.clauses;
    report.alert_retention = probe.decision.alert_retention;
    report.messages = {{"probe", probe.message}, {"answer", answer.digest}};
    report.messages.insert(answer.messages.begin(), answer.messages.end());
    report.frame = {probe.capture_ref, probe.camera, probe.captured_at,
                    matching::ProbeExchangeId(answer.exchange, probe.number)};
    report.opening = answer.opening;
  }
  return reports;
}

LinkHits::Outcome LinkHits::Raise(const std::vector<casework::HitReport>& reports,
                                  const policy::Decision& permit, const LinkAsker& asker) const {
  // Whoever stops the search waits until the alert is durable, or sees that there is none.
  const auto ticket = ports_.search.barrier.Enter();
  if (asker.is_stopped()) return Stopped{};
  if (auto halted = HaltedNow(permit)) return *std::move(halted);
  std::vector<std::string> references;
  for (const auto& report : reports) {
    // An entry whose reference is not released cannot be told from another: it is none twice.
    references.push_back(report.hit.reference.empty()
                             ? report.frame.exchange_id + "/" + std::to_string(references.size())
                             : report.hit.reference);
  }
  const matching::RequesterTerms terms{holder_, {}, {}, order_};
  // The alarms count in the commit of the alerts: one sync, and neither is there without the other.
  auto raised = ports_.alerts.RaiseAll(reports, [&](store::Transaction& transaction,
                                                    audit::Recorder& recorder) {
    return matching::ObserveHits(transaction, recorder, ports_.search, {terms, permit, references});
  });
  if (!raised) {
    // What could not be made durable must not be acted on: nobody could account for it.
    ports_.logger.Error("alert-not-stored", {{"reason", raised.error().detail}});
    return policy::Decision{};
  }
  if (!reports.empty() && ports_.search.observer != nullptr) ports_.search.observer->AfterHits();
  return *std::move(raised);
}

std::optional<policy::Decision> LinkHits::HaltedNow(const policy::Decision& permit) const {
  if (!ports_.search.halted) return std::nullopt;
  policy::SearchRequest request = order_->request;
  request.holder = holder_;
  request.agreement = permit.agreement;
  const auto reason = ports_.search.halted(request, order_->deployment);
  if (!reason) return std::nullopt;
  policy::Decision denial;
  denial.code = *reason;
  denial.agreement = permit.agreement;
  denial.clauses = permit.clauses;
  return denial;
}

}  // namespace comity::gateway
